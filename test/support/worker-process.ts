import { spawn, type ChildProcess } from 'node:child_process';
import { ENTRY } from './entry';
import { until } from './until';

/** How a process ended: its status, or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a worker's call answered. */
export interface WorkerAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

/** A real `foresail worker` process on a free port. */
export class WorkerProcess {
  /** Base URL, once it listens. */
  url = '';
  private out = '';
  private err = '';
  private end: ProcessEnd | null = null;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    child.once('close', (code, signal) => (this.end = { code, signal }));
  }

  /** Starts a worker and waits until it listens. @throws {Error} with its log, when it ends first. */
  static async start(...flags: string[]): Promise<WorkerProcess> {
    const worker = WorkerProcess.spawn('--port', '0', '--model', 'm', ...flags);
    await until(() => worker.end !== null || worker.out.includes('\n'), 'the worker listens');
    if (worker.end !== null) throw new Error(`the worker ended: ${worker.err}`);
    worker.url = (JSON.parse(worker.out) as { url: string }).url;
    return worker;
  }

  /** Starts a worker with exactly these flags and waits for nothing. */
  static spawn(...flags: string[]): WorkerProcess {
    const child = spawn(process.execPath, [ENTRY, 'worker', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new WorkerProcess(child);
  }

  /** Everything that it has logged. */
  get log(): string {
    return this.err;
  }

  get hasEnded(): boolean {
    return this.end !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for the end of the process. */
  async ended(): Promise<ProcessEnd> {
    await until(() => this.end !== null, 'the worker ends');
    return this.end ?? { code: null, signal: null };
  }

  async get(path: string): Promise<WorkerAnswer> {
    return answerOf(await fetch(this.url + path));
  }

  async post(path: string, body: unknown): Promise<WorkerAnswer> {
    return answerOf(
      await fetch(this.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  }
}

async function answerOf(response: Response): Promise<WorkerAnswer> {
  const body: unknown = await response.json();
  return { status: response.status, body, headers: response.headers };
}
