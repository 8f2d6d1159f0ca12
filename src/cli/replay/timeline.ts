import { RefusedError, type ApiClient } from '../api-client';
import { Fields } from '../fields';
import type { Patience } from '../patience';
import { fetchTask, type TaskRecord } from '../task-record';
import type { Ending } from './follower';
import type { ReplayTask } from './workload';

/**
 * How a follower asks the service. A task that runs costs one question that the service answers
 * from memory; one that has ended a second, for its history. A task that the service does not know
 * has the ending `unknown`.
 */
export function lookAt(
  client: ApiClient,
  patience: Patience,
): (task: ReplayTask) => Promise<Ending | null> {
  return async ({ taskId }) => {
    try {
      const path = `/task/query?task_id=${encodeURIComponent(taskId)}`;
      const answer = await patience.persist(() => client.get(path));
      const status = new Fields(answer, 'the answer to GET /task/query').text('task_status');
      if (status !== 'completed') return null;
      const task = await patience.persist(() => fetchTask(client, taskId));
      return task.isTerminal ? endingOf(task) : null;
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return UNKNOWN;
      throw error;
    }
  };
}

const UNKNOWN: Ending = {
  state: 'unknown',
  instanceId: null,
  waitSeconds: null,
  serviceSeconds: null,
  predictedOverActual: null,
};

/**
 * What the history of a task that has ended says of its times. Wait and service time add up to the
 * time from submission to end: whatever was not the run by the worker's word was a wait, also a
 * report that was late because the scheduler was away.
 */
function endingOf(task: TaskRecord): Ending {
  const { submittedAt, finishedAt, predictedMs, state, instanceId } = task;
  const serviceMs = serviceMsOf(task);
  const isKnown = serviceMs !== null && finishedAt !== null;
  const waitMs = isKnown ? Math.max(0, finishedAt - serviceMs - submittedAt) : null;
  return {
    state,
    instanceId,
    waitSeconds: waitMs === null ? null : waitMs / 1000,
    serviceSeconds: serviceMs === null ? null : serviceMs / 1000,
    predictedOverActual: serviceMs === null || serviceMs <= 0 ? null : predictedMs / serviceMs,
  };
}

/** By the worker's word; else as long as its last run that ended took a slot. */
function serviceMsOf({ executionMs, attempts }: TaskRecord): number | null {
  const run = attempts.findLast(({ state }) => state === 'ended');
  const { runningSince = null, endedAt = null } = run ?? {};
  const spanMs = runningSince === null || endedAt === null ? null : endedAt - runningSince;
  return executionMs ?? spanMs;
}
