import { elapsedWork, indexOfEarliest, LIST_SCHEDULE_LIMIT, type Held } from './backlog';
import { sumMoments, type Distribution, type Moments } from './distribution';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import { jobReasons } from './job-fit';
import { reasons } from './placement';
import type { Queue } from './queue';
import { liveAttempt, type Task } from './task';
import { after, type InstanceId, type Instant } from './units';

/** Why a task waits. */
export interface Waiting {
  /** How many instances of its queue cannot take it now, by reason. */
  readonly because: Readonly<Record<string, number>>;
  /** Where it would start, as things are now; null while no instance serves its queue. */
  readonly plannedOn: InstanceId | null;
  /** How many tasks get a turn before it does. */
  readonly ahead: number;
}

/** A time that is not certain: as likely before `p50` as after it, nine times of ten before `p90`. */
export interface Expected {
  readonly p50: Instant;
  readonly p90: Instant;
}

/** When a task starts to run, and when its run ends. */
export interface Forecast {
  readonly start: Expected;
  readonly end: Expected;
}

/** What is to be said of a live task beside its record. */
export interface Outlook {
  /** Null unless it waits. */
  readonly waiting: Waiting | null;
  /**
   * Null while nothing can be said: nothing may run it as things are, it is being stopped, or it is a
   * placement.
   */
  readonly forecast: Forecast | null;
}

/** What there is to say of a task that is not live. */
export const NO_OUTLOOK: Outlook = { waiting: null, forecast: null };

/** The part of a fleet that an outlook is made from. */
type Sight = Pick<Fleet, 'queues' | 'instances' | 'licences'>;

/**
 * Why the task waits, and when it will run: as if nothing were submitted after it, and everybody
 * ran as long as predicted. Changes nothing; costs O(n) of the task's queue.
 */
export function outlookOf(fleet: Sight, task: Task, now: Instant): Outlook {
  const queue = fleet.queues.get(task.queue);
  if (!queue) return NO_OUTLOOK;
  if (task.state !== 'queued') return { waiting: null, forecast: forecastAtWork(fleet, task, now) };
  const bound = queue.boundTo(task);
  const ahead = (bound ?? queue).line.before(task, now);
  const because = queue.jobs
    ? jobReasons(queue, task, fleet.licences, now)
    : reasons(queue, task, now);
  return {
    waiting: { because, plannedOn: task.plannedOn, ahead: ahead.length },
    // Jobs take different parts of hosts, and overtake one another where there is room.
    forecast: queue.jobs ? null : forecastInLine(queue, task, ahead, now),
  };
}

/** Of a task that waits: the slots that may take it are through with what is ahead of it first. */
function forecastInLine(
  queue: Queue,
  task: Task,
  ahead: readonly Task[],
  now: Instant,
): Forecast | null {
  const slots = slotsFor(queue, task, now);
  if (slots.length === 0) return null;
  const listed = ahead.length <= LIST_SCHEDULE_LIMIT;
  const wait = listed ? waitInTurn(slots, ahead) : waitInMass(slots, ahead);
  const backoffMs = Math.max(0, (task.notBefore ?? now) - now);
  const planned = task.plannedOn === null ? undefined : queue.instances.get(task.plannedOn);
  return composed(spanOf(wait, backoffMs), task.prediction.serviceTime, planned?.speed ?? 1, now);
}

/** Of a task that an instance has: it runs, or waits there behind what came before it. */
function forecastAtWork({ instances }: Sight, task: Task, now: Instant): Forecast | null {
  const attempt = liveAttempt(task);
  const instance = attempt && instances.get(attempt.instanceId);
  if (!instance || task.state === 'stopping') return null;
  // It lasts until somebody ends it, which nobody predicts.
  if (task.kind === 'placement') return null;
  if (attempt.runningSince !== null) return forecastRunning({ attempt, task }, instance, now);
  const ends = instance.backlog.slotEnds(instance.pace, now, attempt);
  const start = spanOf(earliest(ends), 0);
  return composed(start, task.prediction.serviceTime, instance.speed, now);
}

function forecastRunning({ attempt, task }: Held, { speed }: Instance, now: Instant): Forecast {
  const began = attempt.runningSince ?? now;
  const elapsed = elapsedWork(attempt, speed, now);
  const { serviceTime } = task.prediction;
  // Through already: only its result is still to be fetched.
  const left = (level: number): number =>
    attempt.vacated ? 0 : serviceTime.remainingQuantile(elapsed, level) / speed;
  return {
    start: { p50: began, p90: began },
    end: expected({ p50: left(0.5), p90: left(0.9) }, now),
  };
}

/** A duration from now, by two of its quantiles in ms. */
interface Span {
  readonly p50: number;
  readonly p90: number;
}

/** One slot: when it is through with what it has, in ms from now, and how fast it works. */
interface Slot extends Moments {
  readonly speed: number;
}

/** The slots that may take the task: of the instance it is bound to, else of its queue. */
function slotsFor(queue: Queue, task: Task, now: Instant): Slot[] {
  if (queue.settings.paused) return [];
  const bound = queue.boundTo(task);
  const slots: Slot[] = [];
  for (const instance of bound ? [bound] : queue.instances.values()) {
    const why = instance.infeasible(task.demand, now);
    // A rest is short, and its end is known.
    if (why === undefined || why === 'resting') slots.push(...slotsOf(instance, now));
  }
  return slots;
}

function slotsOf({ backlog, pace, circuit }: Instance, now: Instant): Slot[] {
  const restMs = circuit.restsUntil - now;
  return backlog.slotEnds(pace, now).map(({ mean, variance }) => ({
    mean: Math.max(mean, restMs),
    variance,
    speed: pace.speed,
  }));
}

/** Each task goes to the slot that is free first; the answer is when the next one is. */
function waitInTurn(slots: Slot[], ahead: readonly Task[]): Moments {
  for (const { prediction } of ahead) {
    const first = indexOfEarliest(slots);
    const slot = slots[first];
    if (!slot) break;
    const { mean, variance } = prediction.serviceTime;
    const { speed } = slot;
    slots[first] = {
      mean: slot.mean + mean / speed,
      variance: slot.variance + variance / (speed * speed),
      speed,
    };
  }
  return earliest(slots);
}

/**
 * Many tasks, as one mass that is poured over the slots: those that are free first take of it until
 * all that take of it end at the same time, which is the answer.
 */
function waitInMass(slots: readonly Slot[], ahead: readonly Task[]): Moments {
  const mass = sumMoments(ahead.map(({ prediction }) => prediction.serviceTime));
  const inTurn = [...slots].sort((a, b) => a.mean - b.mean);
  let speed = 0;
  let work = mass.mean;
  let variance = mass.variance;
  let level = 0;
  for (const slot of inTurn) {
    if (speed > 0 && level <= slot.mean) break;
    speed += slot.speed;
    work += slot.speed * slot.mean;
    variance += slot.speed * slot.speed * slot.variance;
    level = work / speed;
  }
  return { mean: level, variance: variance / (speed * speed) };
}

const NOTHING_AHEAD: Moments = { mean: 0, variance: 0 };

function earliest(ends: readonly Moments[]): Moments {
  return ends[indexOfEarliest(ends)] ?? NOTHING_AHEAD;
}

/** The 0.9 quantile of the standard normal distribution. */
const NORMAL_P90 = 1.2815515655446004;

/** A wait, taken as normal, that ends no sooner than a backoff of that many ms. */
function spanOf({ mean, variance }: Moments, backoffMs: number): Span {
  const p90 = mean + NORMAL_P90 * Math.sqrt(variance);
  return { p50: Math.max(mean, backoffMs), p90: Math.max(p90, backoffMs) };
}

/**
 * A start, and the run that follows it. The wait and the run are independent, so the distances from
 * the median to p90 add up as deviations do: exact for normal ones, and where one is certain.
 */
function composed(start: Span, serviceTime: Distribution, speed: number, now: Instant): Forecast {
  const run: Span = {
    p50: serviceTime.quantile(0.5) / speed,
    p90: serviceTime.quantile(0.9) / speed,
  };
  const p50 = start.p50 + run.p50;
  const p90 = p50 + Math.hypot(start.p90 - start.p50, run.p90 - run.p50);
  return { start: expected(start, now), end: expected({ p50, p90 }, now) };
}

function expected({ p50, p90 }: Span, now: Instant): Expected {
  return { p50: after(now, p50), p90: after(now, p90) };
}
