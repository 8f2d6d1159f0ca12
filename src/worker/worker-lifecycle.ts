import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Engine } from './engine';
import type { Ledger } from './ledger';
import type { SchedulerLink } from './scheduler-link';
import type { TaskRunner } from './task-runner';
import type { WorkerIdentity } from './worker-identity';

/** What a worker's life is about. */
export interface LifecycleParts {
  readonly runner: TaskRunner;
  readonly identity: WorkerIdentity;
  readonly scheduler: SchedulerLink | null;
  readonly engine: Engine;
  readonly ledger: Ledger | null;
  readonly drainTimeoutMs: number;
  readonly log: Logger;
}

/** Brings a worker into the fleet when it listens, and out of it when it is told to end. */
export class WorkerLifecycle implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(private readonly parts: LifecycleParts) {}

  /** The worker can be reached at this port: the scheduler, which calls back at once, may know. */
  listening(port: number): void {
    this.parts.identity.bind(port);
    this.parts.scheduler?.registrar.register();
  }

  /**
   * Drains: takes nothing more in, deregisters, and finishes and reports what it has, all within
   * the drain timeout. HTTP is still served meanwhile: the scheduler polls, and asks for results.
   */
  async beforeApplicationShutdown(): Promise<void> {
    const { runner, scheduler, log, drainTimeoutMs } = this.parts;
    runner.drain();
    log.info({ event: 'draining', waiting: runner.waiting, busy: runner.busy }, 'draining');
    const left = scheduler?.registrar.leave();
    await withTimeout(Promise.all([runner.whenDone(), left]), drainTimeoutMs);
    const abandoned = runner.abandon();
    const unreported = scheduler?.reporter.pending ?? 0;
    if (abandoned + unreported > 0) {
      log.warn({ event: 'drain_timeout', abandoned, unreported }, 'drained only in part');
    }
  }

  async onApplicationShutdown(): Promise<void> {
    const { scheduler, engine, ledger, log } = this.parts;
    await engine.close();
    scheduler?.reporter.close();
    await scheduler?.client.close();
    await ledger?.close();
    log.info({ event: 'stopped' }, 'stopped');
  }
}

async function withTimeout(done: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, timeout]);
  clearTimeout(timer);
}
