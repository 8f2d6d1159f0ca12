import { spawn, type ChildProcess } from 'node:child_process';
import type { NonEmpty } from '../core/units';
import { Tail } from './tail';

/** What is run. */
export interface CommandSpec {
  readonly argv: NonEmpty<string>;
  readonly environment: Readonly<Record<string, string>>;
  /** Text for its standard input. */
  readonly input: string;
}

/** What a run may take. */
export interface CommandLimits {
  readonly timeoutMs: number;
  /** Time between being told to end and being killed, ms. */
  readonly graceMs: number;
  /** Largest standard output, bytes. */
  readonly outputBytes: number;
}

/** How a run ended. */
export type CommandEnd =
  | {
      readonly kind: 'exited';
      /** Null when a signal ended it. */
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly output: Buffer;
      /** The last lines of its standard error. */
      readonly complaint: string;
    }
  | { readonly kind: 'not_started'; readonly reason: string }
  | { readonly kind: 'timed_out'; readonly complaint: string }
  | { readonly kind: 'too_much_output' };

const COMPLAINT_BYTES = 4096;
const COMPLAINT_LINES = 20;
/**
 * How long pipes may stay open after the process group has been killed. Only a process that left
 * the group can hold one, and its output is nobody's.
 */
const PIPES_MS = 1000;

/**
 * One process in a session of its own, from its start to the end of its whole process group:
 * whatever it leaves behind is killed when it ends.
 */
export class CommandRun {
  /** Resolves when the process and its group have ended. Never rejects. */
  readonly ended: Promise<CommandEnd>;
  private readonly child: ChildProcess;
  /** Its pipes are closed. */
  private readonly closed: Promise<void>;
  private readonly chunks: Buffer[] = [];
  private readonly complaint = new Tail(COMPLAINT_BYTES);
  private readonly timers: NodeJS.Timeout[] = [];
  private outputBytes = 0;
  /** Why it was told to end before its own end. */
  private cause: 'timed_out' | 'too_much_output' | null = null;
  private hasExited = false;

  /** @throws {Error} when the system refuses the arguments or the environment at once */
  constructor(
    { argv: [program, ...args], environment, input }: CommandSpec,
    private readonly limits: CommandLimits,
  ) {
    this.child = spawn(program, args, { env: environment, detached: true, stdio: 'pipe' });
    const { child } = this;
    this.closed = new Promise((resolve) => child.once('close', () => resolve()));
    this.ended = this.untilEnded(program);
    child.stdout?.on('data', (chunk: Buffer) => this.take(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.complaint.push(chunk));
    // A process need not read its input: a closed pipe is no fault.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    this.timers.push(setTimeout(() => this.timeOut(), limits.timeoutMs));
  }

  /** Kills the whole group at once. */
  kill(): void {
    this.signal('SIGKILL');
  }

  private async untilEnded(program: string): Promise<CommandEnd> {
    const reason = await this.untilExit();
    this.hasExited = true;
    for (const timer of this.timers) clearTimeout(timer);
    if (reason !== null) return { kind: 'not_started', reason: `${program}: ${reason}` };
    return this.endAfterExit();
  }

  /** Null when it has run, else why it could not be started. */
  private untilExit(): Promise<string | null> {
    const { child } = this;
    return new Promise((resolve) => {
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(reasonOf(error));
      });
      child.once('exit', () => {
        // At once: the number of the group is free for others when nobody is left in it.
        this.signal('SIGKILL');
        resolve(null);
      });
    });
  }

  private async endAfterExit(): Promise<CommandEnd> {
    await this.untilPipesClose();
    const { exitCode: code, signalCode: signal } = this.child;
    const complaint = this.complaint.lines(COMPLAINT_LINES);
    switch (this.cause) {
      case 'timed_out':
        return { kind: 'timed_out', complaint };
      case 'too_much_output':
        return { kind: 'too_much_output' };
      case null:
        return { kind: 'exited', code, signal, output: Buffer.concat(this.chunks), complaint };
    }
  }

  private async untilPipesClose(): Promise<void> {
    const { stdin, stdout, stderr } = this.child;
    const timer = setTimeout(() => {
      for (const pipe of [stdin, stdout, stderr]) pipe?.destroy();
    }, PIPES_MS);
    await this.closed;
    clearTimeout(timer);
  }

  private take(chunk: Buffer): void {
    if (this.cause === 'too_much_output') return;
    this.outputBytes += chunk.length;
    if (this.outputBytes <= this.limits.outputBytes) {
      this.chunks.push(chunk);
      return;
    }
    this.cause ??= 'too_much_output';
    this.chunks.length = 0;
    this.kill();
  }

  private timeOut(): void {
    this.cause ??= 'timed_out';
    this.signal('SIGTERM');
    this.timers.push(setTimeout(() => this.kill(), this.limits.graceMs));
  }

  /** To the whole group; nothing happens when it is gone. */
  private signal(name: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined || this.hasExited) return;
    try {
      process.kill(-pid, name);
    } catch {
      // Nobody is left in the group, or they have become another user's: there is no more to do.
    }
  }
}

/** In words instead of the names of system calls. */
function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'not found';
  if (error.code === 'EACCES') return 'not executable';
  return error.message;
}
