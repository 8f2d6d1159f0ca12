import type { Instance, InstanceUpdate } from '../core/instance';
import { queueName } from '../core/queue';
import { NOTHING, type Resources } from '../core/resources';
import type { Instant } from '../core/units';
import type { WorkerStatus } from '../executors/task-instance.client';

/** The model that a task instance serves. */
export function modelServed(instance: Instance): string {
  return queueName(instance.queue);
}

/** What it can take at a time, by its own word. */
export function capacityOf({ slots }: WorkerStatus): Resources {
  return { ...NOTHING, slots };
}

/**
 * What the answer of an instance tells about it, beside its name and its model.
 * @param now when it came
 */
export function factsIn(status: WorkerStatus, now: Instant): InstanceUpdate {
  return {
    health: 'online',
    lastContact: now,
    capacity: capacityOf(status),
    provesAbsence: status.dispatchIds,
    drainsItself: status.draining,
    declaredSpeed: status.speed ?? 1,
  };
}
