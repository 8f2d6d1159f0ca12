import { Injectable } from '@nestjs/common';
import { isSchedulerError, type SchedulerError } from '../core/errors';
import type { Receipt } from './task-intake';
import { TasksService, type TaskSubmission } from './tasks.service';

/** What became of one task of a batch. */
export type BatchOutcome =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  | { readonly kind: 'refused'; readonly error: SchedulerError };

/**
 * Tasks that are on their way at once. They share flushes of the journal; the next ones wait, so
 * that a large batch neither fills its buffer nor holds up everybody else.
 */
const AT_ONCE = 500;

/** Takes many tasks in, each as if it had come alone. */
@Injectable()
export class BatchSubmitter {
  constructor(private readonly tasks: TasksService) {}

  /** One outcome per task, in their order. */
  async submit(submissions: readonly TaskSubmission[]): Promise<readonly BatchOutcome[]> {
    const outcomes: BatchOutcome[] = [];
    for (let from = 0; from < submissions.length; from += AT_ONCE) {
      const some = submissions.slice(from, from + AT_ONCE);
      outcomes.push(...(await Promise.all(some.map((one) => this.submitOne(one)))));
    }
    return outcomes;
  }

  private async submitOne(submission: TaskSubmission): Promise<BatchOutcome> {
    try {
      return { kind: 'accepted', receipt: await this.tasks.submit(submission) };
    } catch (error) {
      if (isSchedulerError(error)) return { kind: 'refused', error };
      throw error;
    }
  }
}
