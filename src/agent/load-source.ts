import { readFile, stat } from 'node:fs/promises';
import { CommandRun, type CommandEnd } from '../ops/command-run';
import type { LoadChoice } from './agent-options';
import { parseLoad, type Load } from './load';

/** Where the load of a worker is read. */
export interface LoadSource {
  /** @throws {Error} that says why it cannot be read now */
  read(): Promise<Load>;
  /** Ends a reading under way. */
  close(): void;
}

/** 10 000 ids of 256 characters, in any script. */
const LONGEST_TEXT = 16 * 1_048_576;
const COMMAND_LIMIT_MS = 2_000;
/** Time between SIGTERM and SIGKILL for a command that takes too long. */
const COMMAND_GRACE_MS = 200;

/** @param limitMs how long a command may take */
export function loadSourceOf(choice: LoadChoice, limitMs = COMMAND_LIMIT_MS): LoadSource {
  return choice.kind === 'file' ? new LoadFile(choice.path) : new LoadCommand(choice, limitMs);
}

/** A file that the worker writes. */
class LoadFile implements LoadSource {
  constructor(private readonly path: string) {}

  async read(): Promise<Load> {
    const about = await stat(this.path);
    // Opening a pipe would wait for somebody who writes to it.
    if (!about.isFile()) throw new Error(`${this.path} is no file`);
    if (about.size > LONGEST_TEXT) throw new Error(`${this.path} has over ${LONGEST_TEXT} bytes`);
    return parseLoad(await readFile(this.path, 'utf8'));
  }

  close(): void {
    // Nothing is left of a reading.
  }
}

/** A command that prints it. */
class LoadCommand implements LoadSource {
  private run: CommandRun | null = null;

  constructor(
    private readonly choice: Extract<LoadChoice, { kind: 'command' }>,
    private readonly limitMs: number,
  ) {}

  async read(): Promise<Load> {
    const { argv, environment } = this.choice;
    const limits = {
      timeoutMs: this.limitMs,
      graceMs: COMMAND_GRACE_MS,
      outputBytes: LONGEST_TEXT,
    };
    this.run = new CommandRun({ argv, environment, input: '' }, limits);
    const end = await this.run.ended;
    this.run = null;
    return parseLoad(this.outputOf(end));
  }

  close(): void {
    this.run?.kill();
  }

  private outputOf(end: CommandEnd): string {
    switch (end.kind) {
      case 'not_started':
        throw new Error(`the command could not be started: ${end.reason}`);
      case 'timed_out':
        throw new Error(`the command took longer than ${this.limitMs} ms`);
      case 'too_much_output':
        throw new Error(`the command printed more than ${LONGEST_TEXT} bytes`);
      case 'exited': {
        const { code, signal, complaint } = end;
        if (code === 0) return end.output.toString('utf8');
        const how = code === null ? `by ${signal ?? 'a signal'}` : `with exit code ${code}`;
        throw new Error(`the command ended ${how}${complaint === '' ? '' : `: ${complaint}`}`);
      }
    }
  }
}
