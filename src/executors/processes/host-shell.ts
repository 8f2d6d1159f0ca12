import { execFile, type ExecFileException } from 'node:child_process';
import type { NonEmpty } from '../../core/units';

/** Where and how scripts are run. */
export interface HostShellOptions {
  /** Program and arguments that lead to the host, as `ssh -o BatchMode=yes user@host`; none: here. */
  readonly prefix: readonly string[];
  /** Environment of the program that is started here, whole. */
  readonly environment: Readonly<Record<string, string>>;
  /** Time for one script, ms. */
  readonly timeoutMs: number;
  /** Whose rights scripts have here. Default: this process's own. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A script on a host, to its end. */
export interface ShellAnswer {
  readonly code: number;
  readonly output: string;
  /** What it complained of. */
  readonly complaint: string;
}

/** Whether the script ran, and what it did, is unknown: the host was not reached, or was lost. */
export class HostUnreachableError extends Error {}

/** What `ssh`, and programs that are like it, say when they themselves have failed. */
const PREFIX_FAILED = 255;
const OUTPUT_BYTES = 16 * 1024 * 1024;

/** Runs POSIX shell scripts on one host: here, or wherever a prefix leads. */
export class HostShell {
  private readonly argv: NonEmpty<string>;

  constructor(private readonly options: HostShellOptions) {
    const [program, ...rest] = options.prefix;
    this.argv = program === undefined ? ['/bin/sh', '-c'] : [program, ...rest];
  }

  /** True when scripts run on this machine, without a prefix. */
  get isLocal(): boolean {
    return this.options.prefix.length === 0;
  }

  /**
   * @param input for its standard input
   * @throws {HostUnreachableError} when nothing is known of what the script did
   */
  run(script: string, input = ''): Promise<ShellAnswer> {
    const [program, ...args] = this.argv;
    const { environment: env, timeoutMs: timeout, user } = this.options;
    const options = {
      env,
      timeout,
      maxBuffer: OUTPUT_BYTES,
      killSignal: 'SIGKILL',
      ...user,
    } as const;
    return new Promise((resolve, reject) => {
      const child = execFile(program, [...args, script], options, (error, output, complaint) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number' && (this.isLocal || code !== PREFIX_FAILED)) {
          resolve({ code, output, complaint });
        } else {
          // Not as its cause: that has the script in it, and so what nobody is to read.
          reject(new HostUnreachableError(this.reasonOf(error, complaint)));
        }
      });
      // A script need not read its input.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }

  private reasonOf(error: ExecFileException | null, complaint: string): string {
    const [program] = this.argv;
    if (error?.killed === true) return `${program}: no answer in ${this.options.timeoutMs} ms`;
    if (error?.code === 'ENOENT') return `${program}: not found`;
    const said = complaint.trim().split('\n').at(-1) ?? '';
    return `${program}: ${said === '' ? `ended with ${error?.code ?? error?.signal}` : said}`;
  }
}

/** The text as one word of a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
