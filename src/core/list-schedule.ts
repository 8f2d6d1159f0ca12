import type { Moments } from './distribution';

/** How often a schedule is played through: a prime, so that `a × play + b` takes every value once. */
export const PLAYS = 31;
/** A primitive root of it: its powers make a good lattice (Korobov, 1959). */
const GENERATOR = 12;
const SHIFT = 11;
/** Two more plays, in which all work is shorter, and longer, by about one deviation. */
const ALL_SHORT = { play: PLAYS, level: 0.15866 };
const ALL_LONG = { play: PLAYS + 1, level: 0.84134 };

/** Work of uncertain length, in ms at speed 1. */
export interface Work extends Moments {
  /** The length that a share `level` (0 to 1) of the cases stays below. */
  quantile(level: number): number;
}

/** Work of which only a sum is known: that many pieces. */
export interface Mass extends Moments {
  readonly count: number;
}

/** When something happens, in ms from now. */
export interface UncertainTime extends Moments {
  /** Its deviation if all predictions were wrong in the same direction, in ms. */
  readonly common: number;
}

/** What of the work counts in a play, 0 to 1. The two plays beyond the others are of all short and all long. */
export type Share = (play: number) => number;

const WHOLE: Share = () => 1;

/**
 * When slots are through with a list of work of which each piece goes to the slot that is free
 * first. Who that is depends on how long the pieces before it take, so the first slot is through
 * sooner than any single one is expected to be. The list is therefore played through a fixed number
 * of times, each piece with another part of its distribution in each play, together the points of a
 * shifted lattice: nearly independent, without chance, and exact where lengths are certain.
 */
export class ListSchedule {
  /** By slot and play, in ms from now. */
  private readonly ends: Float64Array[];
  private readonly speeds: number[];
  /** The plain sum of the work, which is all there is to know of one slot; null once it is not. */
  private sum: (Moments & { readonly common: number }) | null = {
    mean: 0,
    variance: 0,
    common: 0,
  };

  /** @param pieces how many pieces others have that it will be joined with: no two are alike */
  constructor(
    slots: number,
    speed: number,
    private pieces = 0,
  ) {
    this.ends = Array.from({ length: slots }, () => new Float64Array(PLAYS + 2));
    this.speeds = this.ends.map(() => speed);
  }

  /** One schedule over the slots of several: what is added to it, they get. */
  static joined(schedules: readonly ListSchedule[]): ListSchedule {
    const [only, ...others] = schedules;
    if (only && others.length === 0) return only;
    const all = new ListSchedule(0, 1, schedules.at(-1)?.size);
    all.sum = null;
    for (const schedule of schedules) {
      schedule.sum = null;
      all.ends.push(...schedule.ends);
      all.speeds.push(...schedule.speeds);
    }
    return all;
  }

  /** How many pieces there are, those of the others included. */
  get size(): number {
    return this.pieces;
  }

  /** The next piece goes to the slot that is free first; with `share`, only in some plays. */
  add(work: Work, share: Share = WHOLE): void {
    const lengths = lengthsOf(work, this.pieces++);
    for (const [play, length] of lengths.entries()) {
      if (share(play) > 0) this.giveFirst(play, length);
    }
    this.count(work, Math.sqrt(work.variance), share);
  }

  /** Adds much work in small pieces, which all slots share. */
  pour(mass: Mass, share: Share = WHOLE): void {
    const speed = this.speeds.reduce((total, one) => total + one, 0);
    // As if the pieces were alike: then their deviations are equal.
    const common = Math.sqrt(mass.count * mass.variance);
    const lengths = lengthsOf(evenly(mass), this.pieces++);
    lengths[ALL_SHORT.play] = Math.max(0, mass.mean - common);
    lengths[ALL_LONG.play] = mass.mean + common;
    for (const [play, length] of lengths.entries()) {
      for (const ends of this.ends) {
        ends[play] = (ends[play] ?? 0) + (length * share(play)) / speed;
      }
    }
    this.count(mass, common, share);
  }

  /** All that is there is through that much later, and nothing is before `notBeforeMs`. */
  delay(laterMs: number, notBeforeMs: number): void {
    for (const ends of this.ends) {
      for (const [play, end] of ends.entries()) ends[play] = Math.max(notBeforeMs, end + laterMs);
    }
    if (notBeforeMs > 0) this.sum = null;
    else if (this.sum) this.sum = { ...this.sum, mean: this.sum.mean + laterMs };
  }

  /** When the first slot is through, by play. */
  firstEnds(): Float64Array {
    return Float64Array.from({ length: PLAYS + 2 }, (_, play) => {
      return this.ends[this.firstFree(play)]?.[play] ?? 0;
    });
  }

  /** When the first slot is through. */
  earliest(): UncertainTime {
    if (this.sum && this.ends.length === 1) return this.sum;
    const times = this.firstEnds();
    const common = ((times[ALL_LONG.play] ?? 0) - (times[ALL_SHORT.play] ?? 0)) / 2;
    const plays = times.subarray(0, PLAYS);
    const mean = plays.reduce((sum, time) => sum + time, 0) / PLAYS;
    const variance = plays.reduce((sum, time) => sum + (time - mean) ** 2, 0) / PLAYS;
    return { mean, variance, common: Math.max(0, common) };
  }

  private count({ mean, variance }: Moments, deviation: number, share: Share): void {
    const speed = this.speeds[0] ?? 1;
    if (!this.sum) return;
    this.sum =
      share === WHOLE
        ? {
            mean: this.sum.mean + mean / speed,
            variance: this.sum.variance + variance / speed ** 2,
            common: this.sum.common + deviation / speed,
          }
        : null;
  }

  private giveFirst(play: number, length: number): void {
    const slot = this.firstFree(play);
    const ends = this.ends[slot];
    if (ends) ends[play] = (ends[play] ?? 0) + length / (this.speeds[slot] ?? 1);
  }

  /** The slot that is free first in that play; the first of those that are at the same time. */
  private firstFree(play: number): number {
    let first = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.ends.length; slot++) {
      const end = this.ends[slot]?.[play] ?? 0;
      if (end >= least) continue;
      least = end;
      first = slot;
    }
    return first;
  }
}

/** The length of a piece in each play; their mean is that of the work. */
function lengthsOf(work: Work, piece: number): Float64Array {
  const lengths = new Float64Array(PLAYS + 2);
  const multiplier = POWERS[piece % POWERS.length] ?? 1;
  let sum = 0;
  for (let play = 0; play < PLAYS; play++) {
    const part = (multiplier * play + SHIFT * piece) % PLAYS;
    const length = work.quantile((part + 0.5) / PLAYS);
    lengths[play] = length;
    sum += length;
  }
  // The middle of the last part stands for the tail beyond it too: put right by the mean.
  const scale = sum > 0 ? (work.mean * PLAYS) / sum : 1;
  lengths[ALL_SHORT.play] = work.quantile(ALL_SHORT.level);
  lengths[ALL_LONG.play] = work.quantile(ALL_LONG.level);
  return lengths.map((length) => length * scale);
}

/** As if it were spread evenly: with these moments, but for what would be below 0. */
function evenly({ mean, variance }: Moments): Work {
  const width = Math.sqrt(12 * variance);
  return { mean, variance, quantile: (level) => Math.max(0, mean + width * (level - 0.5)) };
}

/** The powers of the generator, as long as they differ. */
const POWERS: readonly number[] = powersOf(GENERATOR);

function powersOf(generator: number): readonly number[] {
  const powers = [1];
  for (let next = generator; next !== 1; next = (next * generator) % PLAYS) powers.push(next);
  return powers;
}
