import { elapsedWork, LIST_SCHEDULE_LIMIT, type Held } from './backlog';
import { sumMoments, type Moments } from './distribution';
import type { Instance } from './instance';
import { ALL_PLAYS, ListSchedule, PLAYS } from './list-schedule';
import type { Share, UncertainTime, Work } from './list-schedule';
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
 * Costs some ms for hundreds of instances, however many tasks wait.
 */
export function waitsOf(queue: Queue, now: Instant): ReadonlyMap<InstanceId, Moments> {
  const waits = new Map<InstanceId, Moments>();
  const instances = [...queue.instances.values()];
  const arrival = new NewTask(queue, now);
  const together = queue.strategy.binding === 'late' ? instances.filter(takesWork(now)) : [];
  if (together.length > 0) waitInCommon(arrival, together, waits);
  for (const instance of instances) {
    if (waits.has(instance.id)) continue;
    waits.set(instance.id, arrival.told(scheduleOf(arrival, [instance]).earliest()));
  }
  return waits;
}

function waitInCommon(
  arrival: NewTask,
  instances: readonly Instance[],
  waits: Map<InstanceId, Moments>,
): void {
  const schedule = scheduleOf(arrival, instances);
  const first = schedule.firstEnds();
  const inCommon = arrival.told(schedule.earliest());
  for (const [group, { id }] of instances.entries()) {
    const ends = schedule.firstEnds(group);
    const mayBeFirst = ends.some((end, play) => end <= (first[play] ?? 0));
    waits.set(id, mayBeFirst ? inCommon : arrival.told(schedule.earliest(group)));
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

/** When the slots of the instances are through with all that is before a new task. */
function scheduleOf(arrival: NewTask, instances: readonly Instance[]): ListSchedule {
  const { now } = arrival;
  const schedule = new ListSchedule(
    instances.map(({ slots, speed }) => ({ slots: Math.max(1, slots), speed })),
  );
  for (const [group, { backlog, circuit, speed }] of instances.entries()) {
    for (const held of backlog.held) schedule.give(group, remainderOf(held, speed, now));
    schedule.delay(group, backlog.foreignMs(now), Math.max(0, circuit.restsUntil - now));
  }
  deal(schedule, instances, arrival);
  overtake(schedule, arrival, powerOf(instances) / arrival.power);
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
function deal(schedule: ListSchedule, instances: readonly Instance[], arrival: NewTask): void {
  const { orderG } = arrival;
  const listed = someWaiting(instances).sort((a, b) => orderKey(a, orderG) - orderKey(b, orderG));
  const allBefore = orderG === 0 && listed.every(({ priority }) => priority >= 0);
  const shares = allBefore ? undefined : listed.map((task) => arrival.shareOf(task));
  for (const [n, task] of listed.entries()) schedule.deal(workOf(task), shares?.[n]);
  const count = instances.reduce((sum, { backlog }) => sum + backlog.plannedCount, 0);
  const unlisted = count - listed.length;
  if (unlisted <= 0) return;
  const total = sumMoments(instances.map(({ backlog }) => backlog.plannedMoments));
  const known = sumMoments(listed.map(({ prediction }) => prediction.serviceTime));
  const mean = Math.max(0, total.mean - known.mean);
  const variance = Math.max(0, total.variance - known.variance);
  schedule.pour({ count: unlisted, mean, variance }, shares && meanOf(shares));
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

/** As many of those that are not looked at are before the new task as of those that are. */
function meanOf(shares: readonly Share[]): Share {
  return (play) => shares.reduce((sum, share) => sum + share(play), 0) / Math.max(1, shares.length);
}

/**
 * Adds the work of those that will come while the new task waits and get a turn before it, if tasks
 * go on coming as they lately did.
 * @param part share of the queue's tasks that come here
 */
function overtake(schedule: ListSchedule, arrival: NewTask, part: number): void {
  if (arrival.orderG === 0) return;
  const waits = schedule.firstEnds();
  schedule.pour(
    { count: 1, mean: 1, variance: 0 },
    (play) => part * arrival.overtakenBy(play, waits[play] ?? 0),
  );
}

/** The task of which the wait is told: of unknown length, so in each play as one of those that came last. */
class NewTask {
  readonly orderG: number;
  /** Work per ms of all instances that tasks may come to. */
  readonly power: number;
  private readonly lengths: Float64Array;
  /** Arrivals per ms. */
  private readonly rate: number;

  constructor(
    private readonly queue: Queue,
    readonly now: Instant,
  ) {
    const { latest, settings } = queue;
    this.orderG = settings.orderG;
    this.power = powerOf([...queue.instances.values()]);
    const sum = latest.reduce((total, { lengthMs }) => total + lengthMs, 0);
    const mean = sum / Math.max(1, latest.length);
    this.lengths = Float64Array.from({ length: ALL_PLAYS }, (_, play) => {
      return play < PLAYS ? (latest[play % latest.length]?.lengthMs ?? 0) : mean;
    });
    const spanMs = latest.reduce((longest, { at }) => Math.max(longest, now - at), 0);
    this.rate = spanMs > 0 ? latest.length / spanMs : 0;
  }

  /** In which plays the other task, which waits, is before it. */
  shareOf(other: Task): Share {
    if (other.priority !== 0) return () => Number(other.priority > 0);
    const lead = orderKey(other, this.orderG) - this.now;
    return (play) => Number(lead <= this.orderG * (this.lengths[play] ?? 0));
  }

  /** Work of those that come within its wait and are so much shorter that they are before it. */
  overtakenBy(play: number, waitMs: number): number {
    const { latest } = this.queue;
    let sum = 0;
    for (const { lengthMs } of latest) {
      const within = Math.min(waitMs, this.orderG * ((this.lengths[play] ?? 0) - lengthMs));
      if (within > 0) sum += within * lengthMs;
    }
    return (sum / Math.max(1, latest.length)) * this.rate;
  }

  /** As uncertain as the errors of predictions lately were. */
  told(time: UncertainTime): Moments {
    return { mean: time.mean, variance: this.queue.errors.varianceOf(time) };
  }
}
