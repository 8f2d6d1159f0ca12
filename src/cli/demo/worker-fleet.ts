import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../../config/child-environment';
import type { ApiClient } from '../api-client';
import { CommandFailure, EXIT } from '../exit';
import { fetchList } from '../pages';
import type { PlannedWorker } from './fleet-plan';

/** What workers are started with. */
export interface FleetOptions {
  readonly schedulerUrl: string;
  /** How many times faster than real time they pretend to work. */
  readonly timeScale: number;
  readonly seed: number;
  /** Ends the waiting for them. */
  readonly signal: AbortSignal;
}

/** The program that this process runs too. */
const ENTRY = join(__dirname, '..', '..', 'main.js');
/** How long a worker may finish what it has when it is told to end, s. */
const DRAIN_SECONDS = 2;
/** A worker that is still there this long after it was told to end is killed, ms. */
const KILL_AFTER_MS = 6_000;
const LOOK_AGAIN_MS = 100;
const PATIENCE_MS = 60_000;
const KEPT_LOG = 2_000;

/** A worker's process and the end of its log. */
interface Worker {
  readonly name: string;
  readonly child: ChildProcess;
  log: string;
}

/**
 * Reference workers as processes of their own. They are told to end by `stop`; when this process
 * dies, they notice and end by themselves.
 */
export class WorkerFleet {
  private readonly workers: readonly Worker[];

  /** Starts the processes and waits for nothing. */
  constructor(
    fleet: readonly PlannedWorker[],
    private readonly options: FleetOptions,
  ) {
    this.workers = fleet.map((worker) => startWorker(worker, options));
  }

  /**
   * Waits until the scheduler knows all of them.
   * @throws {CommandFailure} when one ends instead, with its log; when it takes too long
   */
  async whenOnline(client: ApiClient): Promise<void> {
    const { signal } = this.options;
    const query = { path: '/v1/instances', name: 'instances', filters: { health: 'online' } };
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const ended = this.workers.find(({ child }) => hasEnded(child));
      if (ended !== undefined) throw failure(`the worker ${ended.name} ended:\n${ended.log}`);
      const { items } = await fetchList(client, query);
      if (items.length >= this.workers.length) return;
      if (performance.now() > deadline) {
        throw failure(`only ${items.length} of ${this.workers.length} workers came online`);
      }
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** Lets all of them drain and end; kills those that do not. */
  async stop(): Promise<void> {
    const living = this.workers.filter(({ child }) => !hasEnded(child));
    const ends = living.map(({ child }) => once(child, 'exit'));
    for (const { child } of living) child.kill('SIGTERM');
    const kill = setTimeout(() => {
      for (const { child } of living) child.kill('SIGKILL');
    }, KILL_AFTER_MS);
    await Promise.all(ends);
    clearTimeout(kill);
  }
}

function startWorker(planned: PlannedWorker, options: FleetOptions): Worker {
  const { name, model, speed } = planned;
  const flags = {
    '--scheduler': options.schedulerUrl,
    '--port': 0,
    '--id': name,
    '--model': model,
    '--speed': speed,
    '--time-scale': options.timeScale,
    '--seed': options.seed,
    '--drain-timeout': DRAIN_SECONDS,
    '--log-level': 'warn',
  };
  const child = fork(ENTRY, ['worker', ...Object.entries(flags).flat().map(String)], {
    // Settings and keys are for the user's own scheduler.
    env: childEnvironment(),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A Ctrl-C in the terminal is for this process, which ends its workers in order.
    detached: true,
  });
  const worker: Worker = { name, child, log: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    worker.log = (worker.log + text).slice(-KEPT_LOG);
  });
  return worker;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function failure(message: string): CommandFailure {
  return new CommandFailure(EXIT.failed, message);
}
