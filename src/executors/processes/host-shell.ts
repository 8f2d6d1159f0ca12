import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable } from 'node:stream';
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
    const { timeoutMs } = this.options;
    return new Promise((resolve, reject) => {
      const child = this.start(script);
      const fail = (reason: string): void => {
        clearTimeout(timer);
        // Not with the script: nobody is to read what is in it.
        reject(new HostUnreachableError(`${this.argv[0]}: ${reason}`));
      };
      const giveUp = (reason: string): void => {
        endGroup(child);
        fail(reason);
      };
      const timer = setTimeout(() => giveUp(`no answer in ${timeoutMs} ms`), timeoutMs);
      const tooMuch = (): void => giveUp(`its answer has more than ${OUTPUT_BYTES} bytes`);
      const output = new Gathered(child.stdout, tooMuch);
      const complaint = new Gathered(child.stderr, tooMuch);
      child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
        fail(code === 'ENOENT' ? 'not found' : message),
      );
      child.on('close', (code, signal) => {
        if (code === null || (!this.isLocal && code === PREFIX_FAILED)) {
          fail(lastLineOf(complaint.text) ?? `ended with ${code ?? signal}`);
          return;
        }
        clearTimeout(timer);
        resolve({ code, output: output.text, complaint: complaint.text });
      });
      // A script need not read its input.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  }

  /** In a group of its own, so that what a prefix has begun can be ended with it. */
  private start(script: string): ChildProcessWithoutNullStreams {
    const [program, ...args] = this.argv;
    const { environment: env, user } = this.options;
    return spawn(program, [...args, script], { env, detached: true, ...user });
  }
}

/** What a stream has given, up to a bound. */
class Gathered {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(stream: Readable, tooMuch: () => void) {
    stream.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.bytes > OUTPUT_BYTES) tooMuch();
      else this.chunks.push(chunk);
    });
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

function endGroup({ pid, stdout, stderr }: ChildProcessWithoutNullStreams): void {
  stdout.destroy();
  stderr.destroy();
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended meanwhile.
  }
}

function lastLineOf(text: string): string | undefined {
  const line = text.trim().split('\n').at(-1);
  return line === '' ? undefined : line;
}

/** The text as one word of a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
