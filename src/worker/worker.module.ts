import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { CLOCK, systemClock, systemRandom } from '../ops/system';
import type { Engine } from './engine';
import type { Ledger } from './ledger';
import { SCHEDULER_LINK, schedulerLink, type SchedulerLink } from './scheduler-link';
import { TaskInstanceController } from './task-instance.controller';
import { TaskRunner } from './task-runner';
import { WorkerIdentity } from './worker-identity';
import { WorkerLifecycle } from './worker-lifecycle';
import type { WorkerOptions } from './worker-options';

/** What a worker needs beside its options. */
export interface WorkerSurroundings {
  readonly engine: Engine;
  readonly log: Logger;
  /** Null: executions are not kept in a file. */
  readonly ledger: Ledger | null;
  /** Told when the ledger could not be written. */
  readonly ledgerFailed: (error: unknown) => void;
}

/** Root module of a worker process. */
@Module({ controllers: [TaskInstanceController] })
export class WorkerModule {
  static with(
    options: WorkerOptions,
    { engine, log, ledger, ledgerFailed }: WorkerSurroundings,
  ): DynamicModule {
    return {
      module: WorkerModule,
      providers: [
        { provide: CLOCK, useValue: systemClock },
        { provide: WorkerIdentity, useFactory: () => identityOf(options) },
        {
          provide: SCHEDULER_LINK,
          inject: [WorkerIdentity],
          useFactory: (identity: WorkerIdentity) => linkOf(options, identity, log),
        },
        {
          provide: TaskRunner,
          inject: [WorkerIdentity, SCHEDULER_LINK],
          useFactory: (identity: WorkerIdentity, scheduler: SchedulerLink | null) => {
            const reports = scheduler?.reporter ?? null;
            const clock = systemClock;
            const parts = { identity, engine, clock, log, ledger, reports, ledgerFailed };
            return new TaskRunner(parts, options.replicas);
          },
        },
        {
          provide: WorkerLifecycle,
          inject: [TaskRunner, WorkerIdentity, SCHEDULER_LINK],
          useFactory: (
            runner: TaskRunner,
            identity: WorkerIdentity,
            scheduler: SchedulerLink | null,
          ) => {
            const { drainTimeoutMs } = options;
            const parts = { runner, identity, scheduler, engine, ledger, drainTimeoutMs, log };
            return new WorkerLifecycle(parts);
          },
        },
      ],
    };
  }
}

function identityOf({ advertise, port, model, id }: WorkerOptions): WorkerIdentity {
  const given = { host: advertise, port, model_name: model };
  return new WorkerIdentity(id === undefined ? given : { ...given, id });
}

function linkOf(
  { schedulerUrl: url, key }: WorkerOptions,
  identity: WorkerIdentity,
  log: Logger,
): SchedulerLink | null {
  if (url === undefined) return null;
  const parts = { url, identity, clock: systemClock, random: systemRandom, log };
  return schedulerLink(key === undefined ? parts : { ...parts, key });
}
