import type { Held } from '../core/backlog';
import type { WorkerResult } from '../executors/task-instance.client';
import type { TaskLifecycle } from '../tasks/task-lifecycle';

/** Ends the attempt if the worker's answer says that it is over. */
export async function endFromResult(
  lifecycle: TaskLifecycle,
  held: Held,
  { state, resultText, error, executionMs }: WorkerResult,
): Promise<boolean> {
  if (state === 'completed') {
    await lifecycle.end(held, { kind: 'succeeded', executionMs }, resultText);
    return true;
  }
  if (state === 'failed') {
    const message = error ?? 'the worker reports a failure without a message';
    const outcome = { kind: 'failed', failure: 'worker_error', message, executionMs } as const;
    await lifecycle.end(held, outcome, resultText);
    return true;
  }
  return false;
}
