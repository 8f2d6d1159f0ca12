import type { Distribution, Moments } from './distribution';
import type { Random } from './ports';
import { instant, type Instant } from './units';

/** What the wait at an instance is made of. */
export interface Ahead {
  /** Work that is not ours: ms of waiting, as observed at that instant. */
  readonly foreign: { readonly ms: number; readonly at: Instant };
  /** The attempts there, as far as they are of interest: more than one is too many. */
  readonly held: readonly {
    readonly serviceTime: Distribution;
    /** Null: it does not run yet. */
    readonly since: Instant | null;
  }[];
  /** Sum over the tasks that wait. */
  readonly planned: Moments;
  /** Each of them, in their order; undefined when they are too many to be named. */
  readonly few: readonly Distribution[] | undefined;
}

/** Places of the numbers. */
const FOREIGN_MS = 0;
const FOREIGN_AT = 1;
const MEAN = 2;
const VARIANCE = 3;
const SINCE = 4;
const SIZE = 5;

/**
 * The wait at an instance that has one slot, and at most one attempt there: all that it is made of,
 * side by side in memory. A decision looks at a thousand instances, and to go through their attempts
 * and tasks would take it longer than to compute. Taken anew from its sources once they have changed,
 * so that it holds nothing of its own.
 */
export class WaitDigest {
  private readonly numbers = new Float64Array(SIZE);
  private isSimple = true;
  private few: readonly Distribution[] | undefined = [];
  private only: Distribution | undefined;

  /** Takes note of what is ahead now. */
  take({ foreign, held, planned, few }: Ahead): void {
    const { numbers } = this;
    const [only] = held;
    this.isSimple = held.length < 2;
    numbers[FOREIGN_MS] = foreign.ms;
    numbers[FOREIGN_AT] = foreign.at;
    numbers[MEAN] = planned.mean;
    numbers[VARIANCE] = planned.variance;
    numbers[SINCE] = only?.since ?? Number.NaN;
    this.few = few;
    this.only = only?.serviceTime;
  }

  /** True when `moments` may be asked, of an instance with one slot. */
  get knowsMoments(): boolean {
    return this.isSimple;
  }

  /** True when `sample` may be asked, of an instance with one slot. */
  get knowsTasks(): boolean {
    return this.isSimple && this.few !== undefined;
  }

  /** Moments of the wait, in ms. */
  moments(speed: number, now: Instant): Moments {
    let mean = this.number(MEAN);
    let variance = this.number(VARIANCE);
    if (this.only) {
      const since = this.number(SINCE);
      const left = Number.isNaN(since)
        ? this.only
        : this.only.remaining(elapsed(since, speed, now));
      mean += left.mean;
      variance += left.variance;
    }
    return { mean: mean / speed + this.foreignMs(now), variance: variance / (speed * speed) };
  }

  /** One draw of the wait, task by task, in ms. */
  sample(speed: number, now: Instant, random: Random): number {
    let work = 0;
    if (this.only) {
      const since = this.number(SINCE);
      const passed = Number.isNaN(since) ? 0 : elapsed(since, speed, now);
      work += this.only.sampleRemaining(passed, random);
    }
    for (const one of this.few ?? []) work += one.sample(random);
    return work / speed + this.foreignMs(now);
  }

  /** Work that is not ours, less what was worked off since. */
  private foreignMs(now: Instant): number {
    return Math.max(0, this.number(FOREIGN_MS) - Math.max(0, now - this.number(FOREIGN_AT)));
  }

  private number(place: number): number {
    return this.numbers[place] ?? 0;
  }
}

/** Work (time at speed 1) done since then. */
function elapsed(since: number, speed: number, now: Instant): number {
  return Math.max(0, now - instant(since)) * speed;
}
