import type { Moments } from './distribution';

/** How often a schedule is played through: a prime, so that `a × play + b` takes every value once. */
export const PLAYS = 31;
/** A primitive root of it: its powers make a good lattice (Korobov, 1959). */
const GENERATOR = 12;
const SHIFT = 11;
/** Two more plays, in which all work is shorter, and longer, by about one deviation. */
const ALL_SHORT = { play: PLAYS, level: 0.15866 };
const ALL_LONG = { play: PLAYS + 1, level: 0.84134 };
/** How many plays there are, those two included. */
export const ALL_PLAYS = PLAYS + 2;

/** Work of uncertain length, in ms at speed 1. */
export interface Work extends Moments {
  /** The length that a share `level` (0 to 1) of the cases stays below. */
  quantile(level: number): number;
}

/** Work of which only the sum is known: that many pieces. */
export interface Mass extends Moments {
  readonly count: number;
}

/** When something happens, in ms from now. */
export interface UncertainTime extends Moments {
  /** Its deviation if all predictions were wrong in the same direction, in ms. */
  readonly common: number;
}

/** How much of a piece of work counts in a play, 0 to 1; of what is dealt out, all or nothing. */
export type Share = (play: number) => number;

/** Slots that belong together: they are alike, and some work is theirs alone. */
export interface SlotGroup {
  /** One at least. */
  readonly slots: number;
  /** Work per ms. */
  readonly speed: number;
}

/**
 * When slots are through with a list of work of which each piece goes to the slot that is free
 * first. Who that is depends on how long the pieces before it take, so the first slot is through
 * sooner than any single one is expected to be. The list is therefore played through a fixed number
 * of times, each piece with another part of its distribution in each play, together the points of a
 * shifted lattice: nearly independent, without chance, and exact where lengths are certain.
 */
export class ListSchedule {
  /** Where the slots of each group begin, and behind the last where they end. */
  private readonly begins: readonly number[];
  /** By slot. */
  private readonly speeds: Float64Array;
  /** By play and slot, in ms from now. */
  private readonly ends: Float64Array;
  private pieces = 0;
  /** The plain sum of the work, which is all there is to know of one slot; null once it is not. */
  private sum: UncertainTime | null;

  constructor(groups: readonly SlotGroup[]) {
    const begins = [0];
    const speeds = groups.flatMap(({ slots, speed }) => {
      begins.push((begins.at(-1) ?? 0) + slots);
      return new Array<number>(slots).fill(speed);
    });
    this.begins = begins;
    this.speeds = Float64Array.from(speeds);
    this.ends = new Float64Array(ALL_PLAYS * speeds.length);
    this.sum = speeds.length === 1 ? { mean: 0, variance: 0, common: 0 } : null;
  }

  /** The next piece goes to the slot of that group that is free first. */
  give(group: number, work: Work): void {
    this.place(work, this.slotsOf(group));
  }

  /** The next piece goes to the slot that is free first; with `share`, in some plays only. */
  deal(work: Work, share?: Share): void {
    this.place(work, this.slotsOf(), share);
  }

  /** Adds much work in small pieces, which all slots share. */
  pour(mass: Mass, share?: Share): void {
    const speed = this.speeds.reduce((total, one) => total + one, 0);
    // As if the pieces were alike: then their deviations are equal.
    const common = Math.sqrt(mass.count * mass.variance);
    const lengths = lengthsOf(evenly(mass), this.pieces++);
    lengths[ALL_SHORT.play] = Math.max(0, mass.mean - common);
    lengths[ALL_LONG.play] = mass.mean + common;
    for (let play = 0; play < ALL_PLAYS; play++) {
      const part = ((lengths[play] ?? 0) * (share?.(play) ?? 1)) / speed;
      const row = play * this.speeds.length;
      for (let slot = 0; slot < this.speeds.length; slot++) {
        this.ends[row + slot] = (this.ends[row + slot] ?? 0) + part;
      }
    }
    this.count(mass, common, share);
  }

  /** What the group has is through that much later, and nothing is before `notBeforeMs`. */
  delay(group: number, laterMs: number, notBeforeMs: number): void {
    const { from, to } = this.slotsOf(group);
    for (let play = 0; play < ALL_PLAYS; play++) {
      const row = play * this.speeds.length;
      for (let slot = from; slot < to; slot++) {
        const end = (this.ends[row + slot] ?? 0) + laterMs;
        this.ends[row + slot] = Math.max(notBeforeMs, end);
      }
    }
    if (notBeforeMs > 0) this.sum = null;
    else if (this.sum) this.sum = { ...this.sum, mean: this.sum.mean + laterMs };
  }

  /** When the first slot is through, by play: of that group, or of all. */
  firstEnds(group?: number): Float64Array {
    const range = this.slotsOf(group);
    return Float64Array.from({ length: ALL_PLAYS }, (_, play) => {
      const row = play * this.speeds.length;
      return this.ends[row + this.firstFree(row, range)] ?? 0;
    });
  }

  /** When the first slot is through: of that group, or of all. */
  earliest(group?: number): UncertainTime {
    if (this.sum) return this.sum;
    const times = this.firstEnds(group);
    const common = ((times[ALL_LONG.play] ?? 0) - (times[ALL_SHORT.play] ?? 0)) / 2;
    const plays = times.subarray(0, PLAYS);
    const mean = plays.reduce((sum, time) => sum + time, 0) / PLAYS;
    const variance = plays.reduce((sum, time) => sum + (time - mean) ** 2, 0) / PLAYS;
    return { mean, variance, common: Math.max(0, common) };
  }

  private place(work: Work, range: SlotRange, share?: Share): void {
    const lengths = lengthsOf(work, this.pieces++);
    for (let play = 0; play < ALL_PLAYS; play++) {
      if (share && share(play) <= 0) continue;
      const row = play * this.speeds.length;
      const slot = this.firstFree(row, range);
      const took = (lengths[play] ?? 0) / (this.speeds[slot] ?? 1);
      this.ends[row + slot] = (this.ends[row + slot] ?? 0) + took;
    }
    this.count(work, Math.sqrt(work.variance), share);
  }

  private count({ mean, variance }: Moments, common: number, share: Share | undefined): void {
    if (!this.sum) return;
    const speed = this.speeds[0] ?? 1;
    const sum = {
      mean: this.sum.mean + mean / speed,
      variance: this.sum.variance + variance / speed ** 2,
      common: this.sum.common + common / speed,
    };
    this.sum = share ? null : sum;
  }

  private slotsOf(group?: number): SlotRange {
    if (group === undefined) return { from: 0, to: this.speeds.length };
    return { from: this.begins[group] ?? 0, to: this.begins[group + 1] ?? 0 };
  }

  /** The slot that is free first in the play of that row; the first of those that are at the same time. */
  private firstFree(row: number, { from, to }: SlotRange): number {
    let first = from;
    let least = Number.POSITIVE_INFINITY;
    for (let slot = from; slot < to; slot++) {
      const end = this.ends[row + slot] ?? 0;
      if (end >= least) continue;
      least = end;
      first = slot;
    }
    return first;
  }
}

interface SlotRange {
  readonly from: number;
  readonly to: number;
}

/** The length of a piece in each play; their mean is that of the work. */
function lengthsOf(work: Work, piece: number): Float64Array {
  const lengths = new Float64Array(ALL_PLAYS);
  const multiplier = POWERS[piece % POWERS.length] ?? 1;
  let sum = 0;
  for (let play = 0; play < PLAYS; play++) {
    const part = (multiplier * play + SHIFT * piece) % PLAYS;
    const length = work.quantile((part + 0.5) / PLAYS);
    lengths[play] = length;
    sum += length;
  }
  lengths[ALL_SHORT.play] = work.quantile(ALL_SHORT.level);
  lengths[ALL_LONG.play] = work.quantile(ALL_LONG.level);
  // The middle of the last part stands for the tail beyond it too: put right by the mean.
  const scale = sum > 0 ? (work.mean * PLAYS) / sum : 1;
  for (let play = 0; play < ALL_PLAYS; play++) lengths[play] = (lengths[play] ?? 0) * scale;
  return lengths;
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
