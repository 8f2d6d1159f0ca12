import type { Fleet } from './fleet';
import type { Instance } from './instance';
import type { Queue } from './queue';
import { isActive, isTerminal, type Task } from './task';

/** Relative error that sums in another order may have. */
const ROUNDING = 1e-9;

/**
 * Everything that must hold of a fleet between two of its methods (RELIABILITY_MODEL, section 9).
 * @returns what does not hold; empty when all is well
 */
export function checkInvariants(fleet: Fleet): readonly string[] {
  const faults: string[] = [];
  for (const task of fleet.tasks.values()) faults.push(...taskFaults(fleet, task));
  for (const queue of fleet.queues.values()) faults.push(...queueFaults(fleet, queue));
  for (const instance of fleet.instances.values()) faults.push(...instanceFaults(fleet, instance));
  const payload = sum([...fleet.tasks.values()].map((task) => task.payloadBytes));
  if (payload !== fleet.livePayloadBytes) faults.push('live payload is not the sum over tasks');
  return faults;
}

function taskFaults(fleet: Fleet, task: Task): string[] {
  const faults: string[] = [];
  const live = task.attempts.filter(({ state }) => state === 'live').length;
  if (live > 1) faults.push(`I3: task ${task.id} has ${live} live attempts`);
  if (isActive(task.state) !== (live === 1)) {
    faults.push(`I5: task ${task.id} is ${task.state} with ${live} live attempts`);
  }
  if (isTerminal(task.state) !== (task.finishedAt !== null)) {
    faults.push(`I2: task ${task.id} is ${task.state}, finishedAt ${String(task.finishedAt)}`);
  }
  if ((task.state === 'failed') !== (task.failure !== null)) {
    faults.push(`task ${task.id} is ${task.state} with failure ${String(task.failure?.kind)}`);
  }
  const lines = linesOf(fleet, task);
  if (lines !== (task.state === 'queued' ? 1 : 0)) {
    faults.push(`task ${task.id} is ${task.state} and stands in ${lines} lines`);
  }
  if (task.state !== 'queued' && task.plannedOn !== null) {
    faults.push(`task ${task.id} is ${task.state} and still planned`);
  }
  return faults;
}

function linesOf(fleet: Fleet, task: Task): number {
  const queue = fleet.queues.get(task.queue);
  if (!queue) return 0;
  const bound = [...queue.instances.values()].filter((instance) => instance.line.has(task));
  return (queue.line.has(task) ? 1 : 0) + bound.length;
}

function queueFaults(fleet: Fleet, queue: Queue): string[] {
  const faults: string[] = [];
  const queued = [...fleet.tasks.values()].filter(
    (task) => task.queue === queue.key && task.state === 'queued',
  );
  if (queued.length !== queue.waiting) {
    faults.push(`queue ${queue.key} counts ${queue.waiting} waiting, ${queued.length} are queued`);
  }
  if (queue.instances.size === 0) return faults;
  for (const task of queued) {
    const planned = task.plannedOn === null ? undefined : queue.instances.get(task.plannedOn);
    if (!planned) faults.push(`task ${task.id} is planned on no instance of ${queue.key}`);
  }
  return faults;
}

function instanceFaults(fleet: Fleet, instance: Instance): string[] {
  const faults: string[] = [];
  const held = [...instance.backlog.held];
  const wrong = held.filter(
    ({ attempt }) => attempt.state !== 'live' && attempt.state !== 'abandoned',
  );
  if (wrong.length > 0) faults.push(`I6: ${instance.id} holds attempts that are over`);
  const here = [...fleet.tasks.values()]
    .flatMap((task) => task.attempts)
    .filter(({ instanceId, state }) => instanceId === instance.id && state === 'live');
  const heldLive = held.filter(({ attempt }) => attempt.state === 'live');
  if (here.length !== heldLive.length) {
    faults.push(
      `I6: ${instance.id} holds ${heldLive.length} live attempts, tasks say ${here.length}`,
    );
  }
  const planned = [...instance.backlog.plannedTasks()];
  const mean = sum(planned.map((task) => task.prediction.serviceTime.mean));
  const variance = sum(planned.map((task) => task.prediction.serviceTime.variance));
  const total = instance.backlog.plannedMoments;
  if (!isClose(total.mean, mean) || !isClose(total.variance, variance)) {
    faults.push(`backlog of ${instance.id} is not the sum over its waiting tasks`);
  }
  const strangers = planned.filter((task) => task.plannedOn !== instance.id);
  if (strangers.length > 0) faults.push(`${instance.id} plans tasks that are planned elsewhere`);
  const running = held.filter(({ attempt }) => attempt.runningSince !== null).length;
  if (running < Math.min(held.length, instance.slots)) faults.push(`${instance.id} idles a slot`);
  return faults;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));
}
