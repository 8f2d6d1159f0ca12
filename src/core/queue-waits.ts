import { elapsedWork, LIST_SCHEDULE_LIMIT, type Held } from './backlog';
import { sumMoments, type Moments } from './distribution';
import type { Instance } from './instance';
import { ListSchedule, PLAYS, type Share, type UncertainTime, type Work } from './list-schedule';
import type { Queue } from './queue';
import { ONE_SLOT } from './resources';
import type { Task } from './task';
import type { InstanceId, Instant } from './units';
import { orderKey } from './waiting-line';

/**
 * What a task submitted now would wait before it starts, by the instance that it would start on.
 *
 * Under a strategy that binds early, each instance has a line of its own. Under one that binds late,
 * all that get work take it from one line: the task starts when the first of them is free, so of
 * each that may be the first that time is told, and of any other the time when it is free itself.
 *
 * How long the new task runs is unknown. Where predicted times weigh in the order it is taken to be
 * like those that came last, and more of that kind to come while it waits; otherwise nothing that
 * comes later matters. The deviation counts what errors of predictions have in common.
 * Costs O(instances), and the planned tasks up to `LIST_SCHEDULE_LIMIT`.
 */
export function waitsOf(queue: Queue, now: Instant): ReadonlyMap<InstanceId, Moments> {
  const waits = new Map<InstanceId, Moments>();
  const instances = [...queue.instances.values()];
  const together = queue.strategy.binding === 'late' ? instances.filter(takesWork(now)) : [];
  if (together.length > 0) waitInCommon(queue, together, now, waits);
  for (const instance of instances) {
    if (waits.has(instance.id)) continue;
    const schedule = scheduleOf(instance, now, 0);
    deal(queue, schedule, [instance], now);
    overtake(queue, schedule, now, powerOf([instance]) / powerOf(instances));
    waits.set(instance.id, told(queue, schedule.earliest()));
  }
  return waits;
}

function waitInCommon(
  queue: Queue,
  instances: readonly Instance[],
  now: Instant,
  waits: Map<InstanceId, Moments>,
): void {
  let pieces = 0;
  const own = instances.map((instance) => {
    const schedule = scheduleOf(instance, now, pieces);
    pieces = schedule.size;
    return { id: instance.id, schedule };
  });
  const all = ListSchedule.joined(own.map(({ schedule }) => schedule));
  deal(queue, all, instances, now);
  overtake(queue, all, now, 1);
  const first = all.firstEnds();
  const inCommon = told(queue, all.earliest());
  for (const { id, schedule } of own) {
    const mayBeFirst = schedule.firstEnds().some((end, play) => end <= (first[play] ?? 0));
    waits.set(id, mayBeFirst ? inCommon : told(queue, schedule.earliest()));
  }
}

/** Work per ms of all their slots. */
function powerOf(instances: readonly Instance[]): number {
  return instances.reduce((sum, { slots, speed }) => sum + Math.max(1, slots) * speed, 0);
}

function takesWork(now: Instant): (instance: Instance) => boolean {
  return (instance) => {
    const why = instance.infeasible(ONE_SLOT, now);
    // A rest is short, and its end is known.
    return why === undefined || why === 'resting';
  };
}

/** When the slots of the instance are through with what is there. */
function scheduleOf(
  { backlog, circuit, slots, speed }: Instance,
  now: Instant,
  pieces: number,
): ListSchedule {
  const schedule = new ListSchedule(Math.max(1, slots), speed, pieces);
  for (const held of backlog.held) schedule.add(remainderOf(held, speed, now));
  schedule.delay(backlog.foreignMs(now), Math.max(0, circuit.restsUntil - now));
  return schedule;
}

function remainderOf({ attempt, task }: Held, speed: number, now: Instant): Work {
  const { serviceTime } = task.prediction;
  if (attempt.runningSince === null) return workOf(task);
  const elapsed = elapsedWork(attempt, speed, now);
  const { mean, variance } = serviceTime.remaining(elapsed);
  return { mean, variance, quantile: (level) => serviceTime.remainingQuantile(elapsed, level) };
}

function workOf({ prediction: { serviceTime } }: Task): Work {
  const { mean, variance } = serviceTime;
  return { mean, variance, quantile: (level) => serviceTime.quantile(level) };
}

/** Adds what waits for these instances and is before the new task: some one by one, the rest as a mass. */
function deal(
  queue: Queue,
  schedule: ListSchedule,
  instances: readonly Instance[],
  now: Instant,
): void {
  const listed = someWaiting(instances).sort((a, b) => keyIn(queue, a) - keyIn(queue, b));
  for (const task of listed) schedule.add(workOf(task), shareOf(queue, task, now));
  const count = instances.reduce((sum, { backlog }) => sum + backlog.plannedCount, 0);
  const unlisted = count - listed.length;
  if (unlisted <= 0) return;
  const total = sumMoments(instances.map(({ backlog }) => backlog.plannedMoments));
  const known = sumMoments(listed.map(({ prediction }) => prediction.serviceTime));
  const mean = Math.max(0, total.mean - known.mean);
  const variance = Math.max(0, total.variance - known.variance);
  schedule.pour({ count: unlisted, mean, variance }, meanShare(queue, listed, now));
}

function someWaiting(instances: readonly Instance[]): Task[] {
  const some: Task[] = [];
  for (const { backlog } of instances) {
    for (const task of backlog.plannedTasks()) {
      if (some.length >= LIST_SCHEDULE_LIMIT) return some;
      some.push(task);
    }
  }
  return some;
}

/** In which plays the task is before the new one. */
function shareOf(queue: Queue, task: Task, now: Instant): Share | undefined {
  if (queue.settings.orderG === 0) return undefined;
  if (task.priority !== 0) return () => Number(task.priority > 0);
  const key = keyIn(queue, task);
  return (play) => Number(key <= now + queue.settings.orderG * ownLength(queue, play));
}

/** How long the new task is in that play: as one of those that came last, or in the mean. */
function ownLength({ latest }: Queue, play: number): number {
  if (play < PLAYS) return latest[play % latest.length]?.lengthMs ?? 0;
  return latest.reduce((sum, { lengthMs }) => sum + lengthMs, 0) / Math.max(1, latest.length);
}

/**
 * Adds the work of those that will come while the new task waits and get a turn before it, if tasks
 * go on coming as they lately did.
 * @param part share of the queue's tasks that come here
 */
function overtake(queue: Queue, schedule: ListSchedule, now: Instant, part: number): void {
  const { latest, settings } = queue;
  if (settings.orderG === 0 || latest.length === 0) return;
  const spanMs = now - Math.min(...latest.map(({ at }) => at));
  if (spanMs <= 0) return;
  const waits = schedule.firstEnds();
  const workMs = (play: number): number => {
    const own = ownLength(queue, play);
    const wait = waits[play] ?? 0;
    let sum = 0;
    for (const { lengthMs } of latest) {
      const window = Math.min(wait, settings.orderG * (own - lengthMs));
      if (window > 0) sum += (part * window * lengthMs) / spanMs;
    }
    return sum;
  };
  schedule.pour({ count: 1, mean: 1, variance: 0 }, workMs);
}

/** As many of those that are not looked at are before the new task as of those that are. */
function meanShare(queue: Queue, listed: readonly Task[], now: Instant): Share | undefined {
  const shares = listed.map((task) => shareOf(queue, task, now));
  if (shares.every((share) => share === undefined)) return undefined;
  return (play) =>
    shares.reduce((sum, share) => sum + (share?.(play) ?? 1), 0) / Math.max(1, shares.length);
}

function keyIn({ settings }: Queue, task: Task): number {
  return orderKey(task, settings.orderG);
}

function told({ errors }: Queue, time: UncertainTime): Moments {
  return { mean: time.mean, variance: errors.varianceOf(time) };
}
