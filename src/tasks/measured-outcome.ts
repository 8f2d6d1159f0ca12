import { queueName } from '../core/queue';
import type { Change } from '../core/task';
import type { InstanceId } from '../core/units';

/** How long a task ran that succeeded. */
export interface MeasuredOutcome {
  readonly model: string;
  readonly instanceId: InstanceId;
  /** At speed 1, in ms, by the word of the worker. */
  readonly serviceMs: number;
  /** When the task ended, in Unix ms. */
  readonly finishedMs: number;
}

/** Undefined unless a model's task succeeded just now and its worker said something possible. */
export function measuredOutcome({ task, attempts, event }: Change): MeasuredOutcome | undefined {
  if (event.type !== 'succeeded' || task.kind !== 'model') return undefined;
  const attempt = attempts.at(-1);
  // The lifecycle has put null where a time cannot be.
  const executionMs = attempt?.executionMs ?? null;
  const { finishedAt: finishedMs } = task;
  if (!attempt || executionMs === null || finishedMs === null) return undefined;
  const { instanceId, speed } = attempt;
  const serviceMs = executionMs * speed;
  return { model: queueName(task.queue), instanceId, serviceMs, finishedMs };
}
