import { SchedulerError } from '../core/errors';
import type { Fleet } from '../core/fleet';
import { liveAttempt, type Task, type TaskState } from '../core/task';

/**
 * Only a job that is in that state, on this machine, can be paused or resumed: through a prefix
 * nobody knows what a stopped process does to the connection and its licences.
 * @param done what was asked for, as in `paused`
 * @throws {SchedulerError} forbidden_transition that says why not
 */
export function assertControllable(fleet: Fleet, task: Task, from: TaskState, done: string): void {
  const why = objection(fleet, task, from);
  if (why === undefined) return;
  const message = `job ${task.id} cannot be ${done}: ${why}`;
  throw new SchedulerError('forbidden_transition', message);
}

function objection(fleet: Fleet, task: Task, from: TaskState): string | undefined {
  if (task.kind !== 'batch') return `it is a ${task.kind} task`;
  if (task.state !== from) return `it is ${task.state}, not ${from}`;
  const attempt = liveAttempt(task);
  const host = attempt && fleet.instances.get(attempt.instanceId);
  if (host === undefined || host.traits.executorPrefix === '') return undefined;
  return `its host ${host.name} is reached through a prefix`;
}
