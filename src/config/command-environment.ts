import { ConfigError } from './config-error';
import type { Environment } from './load-config';

/**
 * What a program needs to find its files, speak the right language, and see the right GPUs. All
 * else stays here: keys and database URLs among it.
 */
const PASSED =
  /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|LD_LIBRARY_PATH|(?:CUDA|NVIDIA|HIP|ROCR)_VISIBLE_DEVICES)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The environment of commands that execute tasks: a short list, and the names that were asked for.
 *
 * @param names variables to pass on as well
 * @param env default: the environment of this process
 * @throws {ConfigError} for a name that no variable can have, and for one that is not set
 */
export function commandEnvironment(
  names: readonly string[],
  env: Environment = process.env,
): Record<string, string> {
  const faults = names
    .filter((name) => !NAME.test(name) || env[name] === undefined)
    .map((name) => ({ name, where: 'environment', msg: 'there is no such variable to pass on' }));
  if (faults.length > 0) throw new ConfigError(faults);
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (PASSED.test(entry[0]) || names.includes(entry[0])),
  );
  return Object.fromEntries(passed);
}
