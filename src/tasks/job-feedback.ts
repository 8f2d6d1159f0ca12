import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { isTerminal, type Change } from '../core/task';
import { OutcomesRepository } from '../persistence/outcomes.repository';
import { JobEstimates } from '../predictions/job-estimates.service';
import type { ChangeListener } from './change-listener';

/** Finished jobs that are looked back at when a term begins: two are enough of an owner. */
const LOOKED_BACK_AT = 5_000;

/** Lets estimates of jobs learn from every job that ran to an end of its own. */
@Injectable()
export class JobFeedback implements ChangeListener, OnModuleInit {
  private readonly logger = new Logger(JobFeedback.name);

  constructor(
    @Inject(JobEstimates)
    private readonly estimates: Pick<JobEstimates, 'remember' | 'recall' | 'learn'>,
    @Inject(OutcomesRepository) private readonly outcomes: Pick<OutcomesRepository, 'recentJobs'>,
  ) {}

  /** Takes up what happened in earlier terms. Estimates only order: without them it goes on. */
  async onModuleInit(): Promise<void> {
    try {
      for (const { owner, limitMs, runMs } of await this.outcomes.recentJobs(LOOKED_BACK_AT)) {
        this.estimates.learn(owner, limitMs, runMs);
      }
    } catch (error) {
      this.logger.warn({ msg: 'how long jobs ran in earlier terms is not known', error });
    }
  }

  told(changes: readonly Change[]): void {
    for (const { task, attempts, event } of changes) {
      if (task.kind !== 'batch') continue;
      if (event.type === 'submitted') this.estimates.remember(task.id, task.prediction);
      if (event.to === null || !isTerminal(event.to)) continue;
      const owner = this.estimates.recall(task.id);
      const runMs = attempts.at(-1)?.executionMs ?? null;
      // One that was cancelled could have run for longer.
      const isWhole = event.to === 'succeeded' || event.to === 'failed';
      if (owner === undefined || runMs === null || !isWhole) continue;
      this.estimates.learn(owner, task.attemptTimeoutMs, runMs);
    }
  }
}
