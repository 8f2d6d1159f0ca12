/** What is known of how fast an instance works on its model, as it is kept over restarts. */
export interface SpeedRecord {
  /** What the instance says of itself: work per ms. */
  readonly declared: number;
  /** Logarithm of how much faster it proved to be than that, beside the others of its queue. */
  readonly surplus: number;
  /** Completed tasks that this rests on. */
  readonly outcomes: number;
}

/** An instance of which nothing was seen yet. */
export const UNSEEN: SpeedRecord = { declared: 1, surplus: 0, outcomes: 0 };

/** Completed tasks that count as much as the belief that an instance is as fast as it says. */
const PRIOR = 10;
/** Completed tasks that an estimate rests on at most: older ones fade. */
const WINDOW = 200;
/** The same for what is common to a queue: predictions may change at once for all of them. */
const COMMON_WINDOW = 50;
/** One task counts as at most this far off (a factor of 7): outliers teach little. */
const MOST_SURPRISE = 2;
/** Shorter times count as this: what nobody can measure says nothing. */
const SHORTEST_MS = 1;
/** Logarithm of the greatest factor: nothing is that much faster, or slower, than it says. */
const MOST_SURPLUS = Math.log(16);

/** How fast one instance works on its model. Only the `SpeedScale` of its queue changes it. */
export class Speed implements SpeedRecord {
  declared: number;
  surplus: number;
  outcomes: number;

  constructor(record: SpeedRecord = UNSEEN) {
    this.declared = record.declared;
    this.surplus = record.surplus;
    this.outcomes = record.outcomes;
  }

  /** As it is now. */
  get record(): SpeedRecord {
    return { declared: this.declared, surplus: this.surplus, outcomes: this.outcomes };
  }

  /** Forgets what was learned: the instance is another one now, or works on another model. */
  restart(declared: number): void {
    this.declared = declared;
    this.surplus = 0;
    this.outcomes = 0;
  }
}

/**
 * Learns how fast the instances of one queue are from the tasks that they complete. A task that
 * runs shorter than predicted says something of the prediction and something of its instance:
 *
 *     ln(predicted median / running time / declared speed) = common + surplus + noise
 *
 * `common`, the error of the predictions, is one running mean for the queue; what is left is the
 * instance's own. The factors exp(surplus - mean surplus) of a queue have geometric mean 1
 * (SCHEDULING, section 1.4), so that predictor and factors do not learn the same thing.
 */
export class SpeedScale {
  private common = 0;
  private outcomes = 0;
  private members = 0;
  /** Of the members' surpluses: kept up by the differences that were really made. */
  private sum = 0;

  join({ surplus }: Speed): void {
    this.members++;
    this.sum += surplus;
  }

  leave({ surplus }: Speed): void {
    this.members--;
    this.sum = this.members === 0 ? 0 : this.sum - surplus;
  }

  /** A member declares this of itself; another word than before ends what was learned. */
  declare(speed: Speed, declared: number): void {
    if (declared === speed.declared) return;
    this.sum -= speed.surplus;
    speed.restart(declared);
  }

  /**
   * A member has completed a task.
   * @param predictedMs the predicted median at speed 1
   * @param executionMs how long it ran
   */
  learn(speed: Speed, predictedMs: number, executionMs: number): void {
    const gain = logOf(predictedMs) - logOf(executionMs) - Math.log(speed.declared);
    this.outcomes++;
    const all = Math.min(COMMON_WINDOW, this.outcomes);
    const surprise = gain - speed.surplus - this.common;
    // The first one says what predictions are worth here, whatever that is.
    this.common += this.outcomes === 1 ? surprise : clip(surprise, MOST_SURPRISE) / all;
    speed.outcomes++;
    const own = Math.min(WINDOW, PRIOR + speed.outcomes);
    const step = clip(gain - this.common - speed.surplus, MOST_SURPRISE) / own;
    speed.surplus += step;
    this.sum += step;
  }

  /** Work per ms of a member. */
  of({ declared, surplus }: SpeedRecord): number {
    const mean = this.members === 0 ? 0 : this.sum / this.members;
    return declared * Math.exp(clip(surplus - mean, MOST_SURPLUS));
  }
}

function logOf(ms: number): number {
  return Math.log(Math.max(SHORTEST_MS, ms));
}

function clip(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
