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
  waitSeconds: null,
  serviceSeconds: null,
  predictedOverActual: null,
};

/** What the history of a task that has ended says of its times. */
export function endingOf(task: TaskRecord): Ending {
  const run = lastRunOf(task);
  const { runningSince: startedAt = null, endedAt = null } = run ?? {};
  const spanMs = startedAt === null || endedAt === null ? null : endedAt - startedAt;
  const serviceMs = task.executionMs ?? run?.executionMs ?? spanMs;
  return {
    state: task.state,
    waitSeconds: startedAt === null ? null : Math.max(0, startedAt - task.submittedAt) / 1000,
    serviceSeconds: serviceMs === null ? null : serviceMs / 1000,
    predictedOverActual: serviceMs === null || serviceMs <= 0 ? null : task.predictedMs / serviceMs,
  };
}

/** The run that ended the task: the last one, but for runs that went on without need. */
function lastRunOf({
  attempts,
  instanceId,
}: TaskRecord): TaskRecord['attempts'][number] | undefined {
  const ended = attempts.filter(({ state }) => state === 'ended');
  return ended.findLast((attempt) => attempt.instanceId === instanceId) ?? ended.at(-1);
}
