import type { SyncedLines } from '../../ops/synced-lines';
import type { ApiClient } from '../api-client';
import type { Patience } from '../patience';
import { Follower, type Ending } from './follower';
import { submitAll } from './submitter';
import type { ReplayTask } from './workload';

/** What a replay works with. */
export interface ReplayOptions {
  /** For submissions; not used by anything else, so that questions never delay a submission. */
  readonly submitting: ApiClient;
  readonly patience: Patience;
  readonly concurrency: number;
  /** Asks for the end of a task. */
  readonly look: (task: ReplayTask) => Promise<Ending | null>;
  /** Gets a line per accepted task, before it counts, and a line per end. */
  readonly ledger: SyncedLines | null;
  /** Ends the replay, for the reason given; its own first failure does the same. */
  readonly abort: AbortController;
  /** Told of progress. */
  readonly progress: { accepted(): void; ended(): void };
}

/** What became of a replay. */
export interface ReplayOutcome {
  /** Tasks that the service accepted. */
  readonly submitted: number;
  readonly endings: readonly Ending[];
  /** From the first submission to the last end that was seen. */
  readonly wallSeconds: number;
  /** What ended it early; absent when all tasks ended. */
  readonly stoppedBy?: Error;
}

/** Submits the tasks at their times and follows each to its end. Does not throw. */
export async function runReplay(
  tasks: readonly ReplayTask[],
  options: ReplayOptions,
): Promise<ReplayOutcome> {
  const { abort, progress, ledger } = options;
  const began = performance.now();
  const endings: Ending[] = [];
  let submitted = 0;
  const follower = new Follower({
    look: options.look,
    abort,
    ended: async (task, ending) => {
      await ledger?.append(endLine(task, ending));
      endings.push(ending);
      progress.ended();
    },
  });
  const submitting = submitAll(tasks, {
    ...options,
    client: options.submitting,
    accepted: (task) => {
      submitted += 1;
      progress.accepted();
      follower.follow(task);
    },
  }).then(() => follower.complete());
  const stoppedBy = await endOf([submitting, follower.run()], abort);
  const wallSeconds = (performance.now() - began) / 1000;
  return {
    submitted,
    endings,
    wallSeconds,
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
  };
}

/** Waits for all; why they were aborted, if they were. */
async function endOf(
  parts: readonly Promise<void>[],
  abort: AbortController,
): Promise<Error | undefined> {
  await Promise.allSettled(parts);
  if (!abort.signal.aborted) return undefined;
  const reason: unknown = abort.signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}

function endLine({ taskId, row }: ReplayTask, ending: Ending): object {
  return {
    event: 'ended',
    task_id: taskId,
    row,
    state: ending.state,
    wait_s: ending.waitSeconds,
    service_s: ending.serviceSeconds,
    at: Date.now() / 1000,
  };
}
