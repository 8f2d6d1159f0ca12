import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { ENTRY } from './entry';
import type { AcceptedTask } from './verdict';

/** What a replay is started with. */
export interface ReplayOptions {
  readonly url: string;
  /** CSV file of the workload. */
  readonly trace: string;
  /** File of the client's ledger. */
  readonly ledger: string;
  readonly limit: number;
  /** How many times faster than recorded tasks arrive, and workers work. */
  readonly speed: number;
}

/** A real `foresail replay` process: the client of an acceptance run. */
export class ReplayProcess {
  private out = '';
  private err = '';
  private code: number | null = null;
  private readonly ended: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly ledger: string,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        this.code = code;
        resolve();
      });
    });
  }

  static start({ url, trace, ledger, limit, speed }: ReplayOptions): ReplayProcess {
    const numbers = ['--limit', String(limit), '--speed', String(speed)];
    const flags = ['--url', url, '--trace', trace, '--ledger', ledger, '-o', 'json'];
    const pace = ['--time-scale', String(speed), '--service-times'];
    const child = spawn(process.execPath, [ENTRY, 'replay', ...flags, ...numbers, ...pace], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ReplayProcess(child, ledger);
  }

  /** What its ledger on the disk says was accepted. */
  async accepted(): Promise<readonly AcceptedTask[]> {
    const text = await readFile(this.ledger, 'utf8').catch(() => '');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { event: string; task_id: string; row: number })
      .filter(({ event }) => event === 'accepted')
      .map(({ task_id: taskId, row }) => ({ taskId, input: { row } }));
  }

  /** Waits for its end. @returns the summary that it printed @throws {Error} when it failed */
  async summary(): Promise<unknown> {
    await this.ended;
    if (this.code === 0) return JSON.parse(this.out);
    throw new Error(`the replay ended with ${String(this.code)}:\n${this.err}${this.out}`);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
