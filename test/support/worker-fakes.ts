import { pino, type Logger } from 'pino';
import type { Engine, EngineOutcome, EngineTask, ServiceEstimate } from '../../src/worker/engine';

interface Run {
  readonly task: EngineTask;
  readonly finish: (outcome: EngineOutcome) => void;
  readonly fail: (error: Error) => void;
}

/** An engine whose executions end when the test says so. */
export class ManualEngine implements Engine {
  readonly name = 'manual';
  readonly speed = 1;
  outage: string | null = null;
  /** Executions under way, the oldest first. */
  readonly runs: Run[] = [];

  run(task: EngineTask, signal: AbortSignal): Promise<EngineOutcome> {
    return new Promise((resolve, reject) => {
      const run: Run = { task, finish: resolve, fail: reject };
      signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
      this.runs.push(run);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** From `metadata.expect` and `metadata.error`, 0 by default. */
  estimate({ metadata }: EngineTask): ServiceEstimate {
    return {
      expectedMs: Number(metadata['expect'] ?? 0),
      errorMs: Number(metadata['error'] ?? 0),
    };
  }

  /** Ids of the tasks under way, the oldest first. */
  get running(): string[] {
    return this.runs.map((run) => run.task.id);
  }

  /** Ends the execution of that task, and lets what follows from it happen. */
  async end(id: string, outcome: EngineOutcome = { ok: true, result: { id } }): Promise<void> {
    this.take(id).finish(outcome);
    await settled();
  }

  /** Makes the execution of that task throw. */
  async throw(id: string, error: Error): Promise<void> {
    this.take(id).fail(error);
    await settled();
  }

  private take(id: string): Run {
    const index = this.runs.findIndex((run) => run.task.id === id);
    const [run] = index < 0 ? [] : this.runs.splice(index, 1);
    if (run === undefined) throw new Error(`task ${id} is not running`);
    return run;
  }
}

/** Everything that was already decided has happened: promise reactions run before the next turn. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A log that keeps its lines. */
export function keptLog(): { log: Logger; events: () => string[] } {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const events = (): string[] =>
    lines.map((line) => (JSON.parse(line) as { event?: string }).event ?? '');
  return { log, events };
}
