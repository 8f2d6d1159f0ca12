import type { Held } from './backlog';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import type { Queue } from './queue';
import type { Resources } from './resources';
import { isActive, isTerminal, occupies, type Task } from './task';

/** Relative error that sums in another order may have. */
const ROUNDING = 1e-9;
const PARTS: readonly (keyof Resources)[] = ['slots', 'cpu', 'memoryGb', 'gpuMemoryGb'];

/**
 * Everything that must hold of a fleet between two of its methods (RELIABILITY_MODEL, section 9).
 * Looks at each task, attempt and instance once.
 * @returns what does not hold; empty when all is well
 */
export function checkInvariants(fleet: Fleet): readonly string[] {
  const faults: string[] = [];
  const tasks = [...fleet.tasks.values()];
  for (const task of tasks) faults.push(...taskFaults(fleet, task));
  const queued = groupBy(
    tasks.filter(({ state }) => state === 'queued'),
    ({ queue }) => queue,
  );
  for (const queue of fleet.queues.values()) {
    faults.push(...queueFaults(queue, queued.get(queue.key) ?? []));
  }
  const attempts = [...fleet.attempts.all()];
  for (const held of attempts) faults.push(...attemptFaults(fleet, held));
  const occupants = groupBy(
    attempts.filter(({ attempt }) => occupies(attempt)),
    ({ attempt }) => attempt.instanceId,
  );
  for (const instance of fleet.instances.values()) {
    faults.push(...instanceFaults(instance, occupants.get(instance.id) ?? []));
  }
  faults.push(...licenceFaults(fleet, attempts));
  const payload = sum(tasks.map((task) => task.payloadBytes));
  if (payload !== fleet.livePayloadBytes) faults.push('live payload is not the sum over tasks');
  return faults;
}

function licenceFaults(fleet: Fleet, attempts: readonly Held[]): string[] {
  const { licences } = fleet;
  const atHosts = attempts.filter(
    ({ attempt, task }) => occupies(attempt) && task.kind === 'batch',
  );
  return licences.all().flatMap(({ name, used }) => {
    const draws = atHosts.map(({ task }) => licences.drawOf(task));
    const drawn = sum(draws.filter(({ pool }) => pool === name).map(({ tokens }) => tokens));
    return drawn === used ? [] : [`I6: pool ${name} counts ${used} tokens, ${drawn} are drawn`];
  });
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
  if (isInLine(fleet, task) !== (task.state === 'queued')) {
    faults.push(
      `task ${task.id} is ${task.state} and in ${task.state === 'queued' ? 'no' : 'a'} line`,
    );
  }
  if (task.state !== 'queued' && task.plannedOn !== null) {
    faults.push(`task ${task.id} is ${task.state} and still planned`);
  }
  const unknown = task.attempts
    .filter(({ state }) => state !== 'ended')
    .filter((attempt) => fleet.held(attempt)?.attempt !== attempt);
  if (unknown.length > 0) faults.push(`attempts of task ${task.id} are not in the index`);
  return faults;
}

function isInLine(fleet: Fleet, task: Task): boolean {
  const queue = fleet.queues.get(task.queue);
  if (queue?.line.has(task)) return true;
  const planned = task.plannedOn === null ? undefined : queue?.instances.get(task.plannedOn);
  return planned?.line.has(task) ?? false;
}

function queueFaults(queue: Queue, queued: readonly Task[]): string[] {
  const faults: string[] = [];
  const members = [...queue.instances.values()];
  const inLine = queue.line.size + sum(members.map(({ line }) => line.size));
  if (queued.length !== queue.waiting || queued.length !== inLine) {
    faults.push(
      `queue ${queue.key} counts ${queue.waiting} waiting, ${queued.length} are queued, ` +
        `${inLine} stand in line`,
    );
  }
  if (members.length === 0) return faults;
  for (const task of queued) {
    const planned = task.plannedOn === null ? undefined : queue.instances.get(task.plannedOn);
    if (!planned !== (queue.jobs !== null)) {
      faults.push(`task ${task.id} is planned on ${planned?.id ?? 'no instance'} of ${queue.key}`);
    }
    if ((queue.boundTo(task) !== undefined) !== (task.decision !== null)) {
      faults.push(`task ${task.id} is bound without a decision, or has one and is not bound`);
    }
  }
  return faults;
}

function attemptFaults(fleet: Fleet, { attempt, task }: Held): string[] {
  if (attempt.state === 'abandoned' || fleet.tasks.get(task.id) === task) return [];
  return [`I5: attempt ${attempt.dispatchId} is ${attempt.state} and its task has left`];
}

function instanceFaults(instance: Instance, occupants: readonly Held[]): string[] {
  const faults: string[] = [];
  const held = [...instance.backlog.held];
  const wrong = held.filter(({ attempt }) => !occupies(attempt));
  if (wrong.length > 0) faults.push(`I6: ${instance.id} holds attempts that are over`);
  if (occupants.length !== held.length) {
    faults.push(`I6: ${instance.id} holds ${held.length} attempts, ${occupants.length} occupy it`);
  }
  const { used } = instance.backlog;
  for (const part of PARTS) {
    const taken = sum(occupants.map(({ task }) => task.demand[part]));
    if (!isClose(used[part], taken))
      faults.push(`I6: ${instance.id} counts ${used[part]} ${part}, ${taken} are taken`);
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

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));
}
