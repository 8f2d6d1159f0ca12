import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ENTRY } from './entry';

/** How one command ended, and what it wrote. */
export interface CliEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What a command is run with, beside its arguments. */
export interface CliSurroundings {
  /** Settings by their names in the environment; nothing else of ours is in it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; default: none. */
  readonly input?: string;
  /** A command that runs the program, as in `ip netns exec NAME`. Default: none. */
  readonly within?: readonly string[];
}

/** A command of the built program, in a process of its own whose output is a pipe. */
export class CliRun {
  /** How it ended, once it has. */
  readonly end: Promise<CliEnd>;
  /** What it has written so far. */
  out = '';
  err = '';

  private constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.end = once(child, 'close').then(() => ({
      code: child.exitCode,
      out: this.out,
      err: this.err,
    }));
  }

  /** What it wrote to standard output so far. */
  get written(): string {
    return this.out;
  }

  /** What it wrote to standard error so far. */
  get complaints(): string {
    return this.err;
  }

  static start(args: readonly string[], surroundings: CliSurroundings = {}): CliRun {
    const { env = {}, input, within = [] } = surroundings;
    const [program, ...rest] = [...within, process.execPath, ENTRY, ...args];
    const child = spawn(program ?? process.execPath, rest, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    });
    if (input !== undefined) child.stdin?.end(input);
    return new CliRun(child);
  }

  /** Starts it on a terminal of its own (util-linux `script`): what it writes there is in `out`. */
  static onTerminal(args: readonly string[]): CliRun {
    const command = [process.execPath, ENTRY, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', `stty rows 30 cols 200; exec ${command}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm' },
    });
    return new CliRun(child);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Types on its terminal. */
  type(keys: string): void {
    this.child.stdin?.write(keys);
  }
}

/** Runs a command to its end. */
export function runCli(
  args: readonly string[],
  surroundings: CliSurroundings = {},
): Promise<CliEnd> {
  return CliRun.start(args, surroundings).end;
}
