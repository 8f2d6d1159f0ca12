import { Logger } from '@nestjs/common';
import {
  fleetRig,
  hostDraftOf,
  jobDraftOf,
  newestHeld,
  placeAll,
  submitted,
} from '../../test/support/builders';
import type { Outcome } from '../core/task';
import { JobEstimates } from '../predictions/job-estimates.service';
import { JobFeedback } from './job-feedback';

const NO_HISTORY = { recentJobs: () => Promise.resolve([]) };

function meanOf(estimates: JobEstimates): number {
  return estimates.predict('ann', Infinity).serviceTime.mean;
}

describe('JobFeedback', () => {
  it.each<[string, Outcome, number]>([
    ['one that succeeded', { kind: 'succeeded', executionMs: 70 }, 70],
    ['one that failed', { kind: 'failed', failure: 'exit', message: '1', executionMs: 30 }, 30],
    ['one of unknown length not', { kind: 'succeeded', executionMs: null }, 1],
  ])('learns from jobs that end: %s', (_name, outcome, expected) => {
    const { fleet } = fleetRig();
    fleet.addInstance(hostDraftOf('a', 4));
    const estimates = new JobEstimates(1);
    const feedback = new JobFeedback(estimates, NO_HISTORY);
    const prediction = estimates.predict('ann', Infinity);
    const { task, changes } = submitted(
      fleet,
      jobDraftOf({ prediction, attemptTimeoutMs: Infinity }),
    );
    feedback.told(changes);
    placeAll(fleet);
    feedback.told(fleet.course.ended(newestHeld(fleet, task), outcome).changes);
    expect(meanOf(estimates)).toBe(expected);
  });

  it('learns nothing from a job that was cancelled', () => {
    const { fleet } = fleetRig();
    const estimates = new JobEstimates(1);
    const feedback = new JobFeedback(estimates, NO_HISTORY);
    const prediction = estimates.predict('ann', Infinity);
    const { task, changes } = submitted(
      fleet,
      jobDraftOf({ prediction, attemptTimeoutMs: Infinity }),
    );
    feedback.told(changes);
    feedback.told(fleet.course.stop(task, 'cancelled', 'asked'));
    expect(meanOf(estimates)).toBe(1);
    expect(estimates.recall(task.id)).toBeUndefined();
  });

  it('takes up what happened before, and goes on where that cannot be read', async () => {
    Logger.overrideLogger(false);
    const estimates = new JobEstimates(1);
    const jobs = [40, 60, 80].map((runMs) => ({ owner: 'ann', limitMs: Infinity, runMs }));
    await new JobFeedback(estimates, { recentJobs: () => Promise.resolve(jobs) }).onModuleInit();
    expect(meanOf(estimates)).toBe(70);
    const away = { recentJobs: () => Promise.reject(new Error('away')) };
    await expect(new JobFeedback(estimates, away).onModuleInit()).resolves.toBeUndefined();
  });
});
