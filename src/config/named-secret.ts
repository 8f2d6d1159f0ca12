import { ConfigError } from './config-error';
import type { Environment } from './load-config';

/**
 * A secret out of the variable of that name, so that it stands on no command line.
 *
 * @param env default: the environment of this process
 * @throws {ConfigError} when the variable is not set, or its value can stand in no header
 */
export function namedSecret(name: string, env: Environment = process.env): string {
  const value = env[name] ?? '';
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  const msg = value === '' ? 'it is not set' : 'it holds blanks or other characters no key has';
  throw new ConfigError([{ name, where: 'environment', msg }]);
}
