import { sampleNormal, type Distribution, type Estimate, type Moments } from './distribution';
import type { Random } from './ports';
import { NOTHING, give, isOneSlot, type Resources } from './resources';
import { SumTree } from './sum-tree';
import type { Attempt, Task } from './task';
import { instant, type Instant } from './units';
import { WaitDigest } from './wait-digest';

/** An attempt that occupies the instance, with its task. */
export interface Held {
  readonly attempt: Attempt;
  readonly task: Task;
}

/** How the instance works off what it has. */
export interface Pace {
  readonly slots: number;
  /** Work done per ms, 1 is the reference that predictions are made for. */
  readonly speed: number;
}

/** Above this many waiting tasks they are no longer scheduled one by one, but as one mass. */
export const LIST_SCHEDULE_LIMIT = 64;
/** Above this many tasks a wait is drawn from one normal distribution, not task by task. */
const SAMPLE_LIMIT = 8;

/**
 * The work bound to one instance, and the wait it predicts. At every moment it is the sum over live
 * tasks: the prediction of each one that waits, and what remains of each one that runs. Foreign
 * work, which the instance reports and which is not ours, is kept apart.
 */
export class Backlog {
  private foreign = { ms: 0, at: instant(0) };
  private readonly heldByDispatch = new Map<string, Held>();
  /** Those of them that take anything else than one slot. */
  private readonly claims = new Map<string, Held>();
  /** Tasks that wait for this instance, with the handle of their work. */
  private readonly planned = new Map<Task, number>();
  private readonly plannedWork = new SumTree();
  private readonly waits = new WaitDigest();
  /** False: something has changed since the digest was taken. */
  private isDigested = true;

  /** Attempts that occupy the instance, oldest first. */
  get held(): Iterable<Held> {
    return this.heldByDispatch.values();
  }

  get heldCount(): number {
    return this.heldByDispatch.size;
  }

  /** Tasks that wait for this instance, in the order of joining. */
  plannedTasks(): IterableIterator<Task> {
    return this.planned.keys();
  }

  get plannedCount(): number {
    return this.planned.size;
  }

  /** Sum over the tasks that wait for this instance. */
  get plannedMoments(): Moments {
    return this.plannedWork.total;
  }

  /** What live and abandoned attempts here take: computed, never counted up and down. */
  get used(): Resources {
    let used: Resources = { ...NOTHING, slots: this.heldByDispatch.size - this.claims.size };
    for (const { task } of this.claims.values()) used = give(used, task.demand);
    return used;
  }

  /** Work that is not ours, in ms of waiting: as reported, less what was worked off since. */
  foreignMs(now: Instant): number {
    return Math.max(0, this.foreign.ms - Math.max(0, now - this.foreign.at));
  }

  /** Takes note of foreign work as it is now. */
  observeForeign(ms: number, now: Instant): void {
    this.foreign = { ms, at: now };
    this.isDigested = false;
  }

  /** Our own work at the instance: what remains of the attempts there, in ms of waiting. */
  ownMs({ slots, speed }: Pace, now: Instant): number {
    return this.heldWork(speed, now).mean / (Math.max(1, slots) * speed);
  }

  /** What remains of the attempts there, as work: time at speed 1. */
  private heldWork(speed: number, now: Instant): Moments {
    let mean = 0;
    let variance = 0;
    for (const held of this.heldByDispatch.values()) {
      const left = workLeft(held, speed, now);
      mean += left.mean;
      variance += left.variance;
    }
    return { mean, variance };
  }

  hold(held: Held): void {
    this.heldByDispatch.set(held.attempt.dispatchId, held);
    if (!isOneSlot(held.task.demand)) this.claims.set(held.attempt.dispatchId, held);
    this.isDigested = false;
  }

  /** @returns false when that attempt was not held here */
  letGo(attempt: Attempt): boolean {
    const wasHeld = this.heldByDispatch.delete(attempt.dispatchId);
    this.claims.delete(attempt.dispatchId);
    this.isDigested = false;
    return wasHeld;
  }

  plan(task: Task): void {
    this.planned.set(task, this.plannedWork.add(task.prediction.serviceTime));
    this.isDigested = false;
  }

  unplan(task: Task): void {
    const handle = this.planned.get(task);
    if (handle === undefined) return;
    this.planned.delete(task);
    this.plannedWork.remove(handle);
    this.isDigested = false;
  }

  /** Lets the oldest attempts begin to run while slots are free: the instance's queue is a FIFO. */
  advance(slots: number, now: Instant): void {
    let place = 0;
    for (const { attempt } of this.held) {
      if (place++ >= slots) break;
      attempt.runningSince ??= now;
    }
    this.isDigested = false;
  }

  /** When a plan would find the instance free, with its work spread evenly over the slots. */
  drainsAt(pace: Pace, now: Instant): Instant {
    const planned = this.plannedWork.total.mean / (Math.max(1, pace.slots) * pace.speed);
    return instant(now + this.foreignMs(now) + this.ownMs(pace, now) + planned);
  }

  /** The wait of a task that is submitted now: when the first slot is through with what is ahead. */
  wait(pace: Pace, now: Instant): Estimate {
    return new Wait(this, pace, now);
  }

  /** Moments of the wait: a list schedule over the slots (SCHEDULING, section 1.5). */
  waitMoments(pace: Pace, now: Instant): Moments {
    // One slot needs no schedule: all that is ahead follows one upon the other.
    if (pace.slots === 1) {
      const { digest } = this;
      if (digest.knowsMoments) return digest.moments(pace.speed, now);
      return this.waitInSequence(pace.speed, now);
    }
    const ahead: Moments[] = [];
    for (const held of this.held) ahead.push(remainingOf(held, pace.speed, now));
    const listed = this.planned.size <= LIST_SCHEDULE_LIMIT;
    if (listed) for (const task of this.plannedTasks()) ahead.push(scaled(task, pace.speed));
    const first = earliestEnd(ahead, pace.slots);
    const rest = listed ? ZERO : spread(this.plannedWork.total, pace);
    return {
      mean: first.mean + rest.mean + this.foreignMs(now),
      variance: first.variance + rest.variance,
    };
  }

  private waitInSequence(speed: number, now: Instant): Moments {
    const held = this.heldWork(speed, now);
    const planned = this.plannedCount === 0 ? ZERO : this.plannedWork.total;
    return {
      mean: (held.mean + planned.mean) / speed + this.foreignMs(now),
      variance: (held.variance + planned.variance) / (speed * speed),
    };
  }

  /**
   * When each slot is through with the attempts here, in ms from now: the instance's queue is a
   * FIFO, and each attempt goes to the slot that is free first.
   * @param before only with the attempts that are ahead of this one
   */
  slotEnds(pace: Pace, now: Instant, before?: Attempt): Moments[] {
    const ahead: Moments[] = [];
    for (const held of this.held) {
      if (held.attempt === before) break;
      ahead.push(remainingOf(held, pace.speed, now));
    }
    const foreign = this.foreignMs(now);
    const ends = dealOut(ahead, pace.slots);
    return ends.map(({ mean, variance }) => ({ mean: mean + foreign, variance }));
  }

  /** Mean wait in ms of a task that is given to the instance now, before all that wait for it. */
  turnMs(pace: Pace, now: Instant): number {
    const ends = this.slotEnds(pace, now);
    return (ends[indexOfEarliest(ends)] ?? ZERO).mean;
  }

  /** One draw of the wait: task by task while they are few, else from a normal distribution. */
  sampleWait(pace: Pace, now: Instant, random: Random): number {
    const { slots, speed } = pace;
    if (slots === 1) {
      const { digest } = this;
      if (digest.knowsTasks) return digest.sample(speed, now, random);
    }
    if (this.heldCount + this.plannedCount > SAMPLE_LIMIT) {
      return sampleNormal(this.waitMoments(pace, now), random);
    }
    const ends = new Array<number>(Math.max(1, slots)).fill(0);
    for (const { attempt, task } of this.held) {
      const elapsed = elapsedWork(attempt, speed, now);
      addToEarliest(ends, task.prediction.serviceTime.sampleRemaining(elapsed, random) / speed);
    }
    for (const task of this.plannedTasks()) {
      addToEarliest(ends, task.prediction.serviceTime.sample(random) / speed);
    }
    return leastOf(ends) + this.foreignMs(now);
  }

  /** What the wait is made of, as it is now. */
  private get digest(): WaitDigest {
    if (this.isDigested) return this.waits;
    this.isDigested = true;
    const isFew = this.heldCount + this.plannedCount <= SAMPLE_LIMIT;
    this.waits.take({
      foreign: this.foreign,
      held: Array.from(this.held, ({ attempt, task }) => ({
        serviceTime: task.prediction.serviceTime,
        since: attempt.runningSince,
      })),
      planned: this.plannedMoments,
      few: isFew ? Array.from(this.plannedTasks(), serviceTimeOf) : undefined,
    });
    return this.waits;
  }
}

const ZERO: Moments = { mean: 0, variance: 0 };

/** The wait at one instance, computed when it is asked for. */
class Wait implements Estimate {
  private moments: Moments | undefined;

  constructor(
    private readonly backlog: Backlog,
    private readonly pace: Pace,
    private readonly now: Instant,
  ) {}

  get mean(): number {
    return this.computed().mean;
  }

  get variance(): number {
    return this.computed().variance;
  }

  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  sample(random: Random): number {
    return this.backlog.sampleWait(this.pace, this.now, random);
  }

  private computed(): Moments {
    return (this.moments ??= this.backlog.waitMoments(this.pace, this.now));
  }
}

/** Work (time at speed 1) that the attempt has behind it. */
export function elapsedWork(attempt: Attempt, speed: number, now: Instant): number {
  return attempt.runningSince === null ? 0 : Math.max(0, now - attempt.runningSince) * speed;
}

/** What the attempt has before it, as work. */
function workLeft({ attempt, task }: Held, speed: number, now: Instant): Moments {
  const { serviceTime } = task.prediction;
  if (attempt.runningSince === null) return serviceTime;
  return serviceTime.remaining(elapsedWork(attempt, speed, now));
}

function remainingOf(held: Held, speed: number, now: Instant): Moments {
  return scale(workLeft(held, speed, now), speed);
}

function scaled(task: Task, speed: number): Moments {
  return scale(task.prediction.serviceTime, speed);
}

function scale({ mean, variance }: Moments, speed: number): Moments {
  return { mean: mean / speed, variance: variance / (speed * speed) };
}

/** A mass of small tasks over all slots: each slot gets its share. */
function spread(work: Moments, { slots, speed }: Pace): Moments {
  const share = Math.max(1, slots) * speed;
  return { mean: work.mean / share, variance: work.variance / (share * share) };
}

/** Each piece of work goes to the slot that is free first; the answer is when the next one is. */
function earliestEnd(ahead: readonly Moments[], slots: number): Moments {
  if (ahead.length < slots) return ZERO;
  const ends = dealOut(ahead, slots);
  return ends[indexOfEarliest(ends)] ?? ZERO;
}

/** When each slot is through, if each piece of work goes to the slot that is free first. */
function dealOut(ahead: readonly Moments[], slots: number): Moments[] {
  const ends: Moments[] = new Array<Moments>(Math.max(1, slots)).fill(ZERO);
  for (const work of ahead) {
    const first = indexOfEarliest(ends);
    const end = ends[first] ?? ZERO;
    ends[first] = { mean: end.mean + work.mean, variance: end.variance + work.variance };
  }
  return ends;
}

/** A piece of work of known length goes to the slot that is free first. */
function addToEarliest(ends: number[], work: number): void {
  let first = 0;
  for (let i = 1; i < ends.length; i++) if ((ends[i] ?? 0) < (ends[first] ?? 0)) first = i;
  ends[first] = (ends[first] ?? 0) + work;
}

function leastOf(ends: readonly number[]): number {
  let least = ends[0] ?? 0;
  for (let i = 1; i < ends.length; i++) least = Math.min(least, ends[i] ?? least);
  return least;
}

/** The slot that is free first; the first of those that are at the same time. */
export function indexOfEarliest(ends: readonly Moments[]): number {
  let first = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i];
    if (end && end.mean < least) {
      least = end.mean;
      first = i;
    }
  }
  return first;
}

function serviceTimeOf({ prediction }: Task): Distribution {
  return prediction.serviceTime;
}
