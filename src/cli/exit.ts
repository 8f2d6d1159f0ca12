import { InputError } from '../config/input-error';
import { printable } from './output';

/** Exit codes that scripts can rely on. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Understood, but it failed: the task, the service, a file. */
  failed: 1,
  /** The command line, an input or a setting is wrong; a repeat cannot help. */
  usage: 2,
  /** The service cannot be reached; a repeat may help. */
  unreachable: 3,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The part of every help text that names the exit codes. */
export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  failed: the task failed, the service refused, a file could not be written
  2  wrong usage, input or setting
  3  the service cannot be reached
`;

/** Ends a command: its message goes to standard error, its code to the shell. */
export class CommandFailure extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'CommandFailure';
  }
}

/** The exit code of whatever a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandFailure) return error.exitCode;
  return error instanceof InputError ? EXIT.usage : EXIT.failed;
}

/** What is printed of whatever a command threw: `error: …`, further lines indented. */
export function failureText(error: unknown): string {
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  return `error: ${printable(message).replaceAll('\n', '\n  ')}\n`;
}

/**
 * An action for commander that ends the process in words instead of a stack: what it throws is
 * printed to standard error, and the exit code is set. A reader of our output that goes away
 * (`| head`) ends the process quietly.
 */
export function guarded<A extends unknown[]>(
  action: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    // For the rest of the process: what was written is often flushed after the action's end.
    process.stdout.on('error', endOnClosedPipe);
    try {
      await action(...args);
    } catch (error) {
      process.stderr.write(failureText(error));
      process.exitCode = exitCodeOf(error);
    }
  };
}

function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
}
