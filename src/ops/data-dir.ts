import path from 'node:path';
import type { Config } from '../config/config.schema';
import { isRoot } from './accounts';

/** Root of the project: two folders above this file, in the source as in the build. */
const PROJECT_ROOT = path.join(__dirname, '..', '..');

/** Where this service keeps what is its own: the embedded database, and what jobs leave. */
export function dataDirOf({ dataDir }: Config['database']): string {
  return dataDir ?? defaultDataDir({ isRoot: isRoot(), projectRoot: PROJECT_ROOT });
}

/**
 * Where the data lies when no setting says so: `/var/lib/foresail` for root, since the account that
 * runs PostgreSQL then cannot enter root's own directories; `.data` of the project otherwise.
 */
export function defaultDataDir(of: { isRoot: boolean; projectRoot: string }): string {
  return of.isRoot ? '/var/lib/foresail' : path.join(of.projectRoot, '.data');
}
