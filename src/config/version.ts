import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this program, as in its `package.json`. */
export const VERSION = versionIn(join(__dirname, '..', '..', 'package.json'));

function versionIn(file: string): string {
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const isObject = typeof manifest === 'object' && manifest !== null;
  const version: unknown = isObject && 'version' in manifest ? manifest.version : undefined;
  if (typeof version === 'string') return version;
  throw new Error(`${file} names no version`);
}
