import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { isNonEmpty, type NonEmpty } from '../core/units';
import { splitCommandLine } from '../worker/command-line';
import { CommandFailure, EXIT } from './exit';

/** A program and its arguments, for an option; there is no shell. */
export function programWords(line: string): NonEmpty<string> {
  try {
    const words = splitCommandLine(line);
    if (isNonEmpty(words)) return words;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  throw new InvalidArgumentError("a program is needed, like 'python3 infer.py'");
}

/**
 * Looks for a program as the system will; better now than each time that it is to start.
 * @param asker the flag that asks for it
 * @throws {CommandFailure} when it cannot be started from here
 */
export function assertStartable(
  asker: string,
  [program]: NonEmpty<string>,
  environment: Readonly<Record<string, string>>,
): void {
  if (process.platform === 'win32') {
    const reason = `${asker} needs process groups, which this system does not have`;
    throw new CommandFailure(EXIT.usage, reason);
  }
  if (isThere(program, environment['PATH'])) return;
  const reason = `${program} is no program that can be started from here`;
  throw new CommandFailure(EXIT.usage, reason);
}

function isThere(program: string, path = ''): boolean {
  const folders = program.includes('/') ? [''] : path.split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
