import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncedLines } from '../../ops/synced-lines';
import type { ApiClient } from '../api-client';
import { Fields } from '../fields';
import type { Patience } from '../patience';
import type { ReplayTask } from './workload';

/** What submitting needs. */
export interface SubmitterOptions {
  readonly client: ApiClient;
  readonly patience: Patience;
  /** Gets a line per accepted task before it counts as accepted. */
  readonly ledger: SyncedLines | null;
  /** Submissions under way at the same time, at most. */
  readonly concurrency: number;
  /** Ends all submitting, whoever aborts it; the first failure here does. */
  readonly abort: AbortController;
  /** Told of each task once, when it is accepted. */
  readonly accepted: (task: ReplayTask) => void;
}

/**
 * Submits tasks at their times, later ones when all places are taken. A task whose submission got
 * no answer is submitted again under the same id, so that it is taken once. When it returns,
 * nothing is under way any more.
 *
 * @throws the reason of the abort: a task that the service refuses for good, the end of the
 *   patience, or what others aborted for; the tasks after it are not submitted
 */
export async function submitAll(
  tasks: readonly ReplayTask[],
  options: SubmitterOptions,
): Promise<void> {
  const { abort } = options;
  const began = performance.now();
  const places = Math.min(options.concurrency, tasks.length);
  let next = 0;
  const serveOnePlace = async (): Promise<void> => {
    try {
      for (let task = tasks[next]; task !== undefined; task = tasks[next]) {
        next += 1;
        await sleepUntil(began + task.dueMs, abort.signal);
        await submit(task, options);
      }
    } catch (error) {
      abort.abort(error);
    }
  };
  await Promise.all(Array.from({ length: places }, serveOnePlace));
  abort.signal.throwIfAborted();
}

async function submit(task: ReplayTask, options: SubmitterOptions): Promise<void> {
  const { client, patience, ledger } = options;
  const answer = await patience.persist(() => client.post('/queue/submit', task.body));
  const receipt = new Fields(answer, 'the answer to POST /queue/submit');
  await ledger?.append({
    event: 'accepted',
    task_id: task.taskId,
    receipt_task_id: receipt.text('task_id'),
    row: task.row,
    model: task.model,
    at: Date.now() / 1000,
  });
  options.accepted(task);
}

async function sleepUntil(at: number, signal: AbortSignal): Promise<void> {
  const ms = at - performance.now();
  if (ms > 0) await sleep(ms, undefined, { signal });
  else signal.throwIfAborted();
}
