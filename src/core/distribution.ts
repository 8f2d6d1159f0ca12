import type { Random } from './ports';

/** First two moments of a duration, in ms and ms². */
export interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/** What is believed about a duration: its moments, and a way to draw from it. All in ms. */
export interface Estimate extends Moments {
  readonly deviation: number;
  /** One random draw, never negative. */
  sample(random: Random): number;
}

/** An estimate that is known in full, so that it can be asked about its parts. */
export interface Distribution extends Estimate {
  /** The value that a share `level` (0 to 1) of the outcomes stays below. */
  quantile(level: number): number;
  /** Moments of what is left after `elapsed` ms, given that it is not over yet. */
  remaining(elapsed: number): Moments;
  /** The value that a share `level` (0 to 1) of what is left after `elapsed` ms stays below. */
  remainingQuantile(elapsed: number, level: number): number;
  /** One random draw of what is left after `elapsed` ms. */
  sampleRemaining(elapsed: number, random: Random): number;
}

/** Share of an overrun that is expected to come on top, once all quantiles are exceeded. */
const OVERRUN_GROWTH = 0.1;

/** Numbers of one point: its value and level, and two moments of what lies beyond it. */
const POINT_SIZE = 4;

/**
 * A distribution known by some of its quantiles, at any levels: piecewise linear between them. The
 * mass below the first level spreads on with the first slope (not below 0); beyond the last level
 * the tail is exponential and starts with the density of the last segment.
 */
export class QuantileDistribution implements Distribution {
  readonly mean: number;
  readonly variance: number;
  private readonly lowest: number;
  private readonly tailScale: number;
  /**
   * Made once somebody asks what remains: the tasks of a long line do not run yet. Hidden, since two
   * distributions are the same whether they were asked or not.
   */
  #points: Float64Array | undefined;

  /**
   * @param levels ascending, each in 0–1; share the array between distributions, it is kept
   * @param values the quantiles in ms, as many as levels, ascending, not negative
   */
  constructor(
    private readonly levels: readonly number[],
    private readonly values: readonly number[],
  ) {
    this.lowest = lowestValue(levels, values);
    this.tailScale = tailScaleOf(levels, values);
    const { first, second } = this.excess();
    this.mean = this.lowest + first;
    this.variance = Math.max(0, second - first * first);
  }

  /** A duration that is known exactly. */
  static point(value: number): QuantileDistribution {
    return new QuantileDistribution(MEDIAN_ONLY, [value]);
  }

  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  /** The levels and values that it was made from. */
  get quantiles(): Quantiles {
    return { levels: this.levels, values: this.values };
  }

  quantile(level: number): number {
    const last = this.levels.length - 1;
    let lower = 0;
    let from = this.lowest;
    for (let i = 0; i <= last; i++) {
      const upper = at(this.levels, i);
      const to = at(this.values, i);
      if (level <= upper) return from + (to - from) * ratio(level - lower, upper - lower);
      lower = upper;
      from = to;
    }
    return this.inTail(level);
  }

  sample(random: Random): number {
    return this.valueAtLevel(random.next());
  }

  remaining(elapsed: number): Moments {
    const longest = at(this.values, this.values.length - 1);
    if (elapsed >= longest) {
      const mean = this.tailScale + OVERRUN_GROWTH * (elapsed - longest);
      return { mean, variance: mean * mean };
    }
    if (elapsed < this.lowest) return { mean: this.mean - elapsed, variance: this.variance };
    const points = this.knownPoints();
    const next = indexAbove(points, elapsed);
    const width = partBetween(points, next, elapsed);
    const left = (points[next] ?? 0) - elapsed;
    const mass = 1 - (points[next + 1] ?? 0) + width;
    const beyond = points[next + 2] ?? 0;
    const mean = (beyond + left * (mass - width / 2)) / mass;
    const second = (points[next + 3] ?? 0) + left * (2 * beyond + left * (mass - (2 * width) / 3));
    return { mean, variance: Math.max(0, second / mass - mean * mean) };
  }

  remainingQuantile(elapsed: number, level: number): number {
    const longest = at(this.values, this.values.length - 1);
    if (elapsed >= longest) {
      return -this.remaining(elapsed).mean * Math.log(Math.max(1 - level, Number.MIN_VALUE));
    }
    const points = this.knownPoints();
    const next = indexAbove(points, elapsed);
    const passed = Math.max(0, (points[next + 1] ?? 0) - partBetween(points, next, elapsed));
    return Math.max(0, this.valueAtLevel(passed + (1 - passed) * level, next) - elapsed);
  }

  /** The quantile at a level that is not below the point before `next`. */
  private valueAtLevel(level: number, next = POINT_SIZE): number {
    const points = this.knownPoints();
    while (next < points.length && (points[next + 1] ?? 0) < level) next += POINT_SIZE;
    return next < points.length ? valueBetween(points, next, level) : this.inTail(level);
  }

  sampleRemaining(elapsed: number, random: Random): number {
    return this.remainingQuantile(elapsed, random.next());
  }

  /** The lowest value, then the given ones. */
  private valueAt(point: number): number {
    return point === 0 ? this.lowest : at(this.values, point - 1);
  }

  private levelAt(point: number): number {
    return point === 0 ? 0 : at(this.levels, point - 1);
  }

  /** The quantile at a level beyond the last one. */
  private inTail(level: number): number {
    const last = this.levelAt(this.levels.length);
    const from = this.valueAt(this.levels.length);
    if (last >= 1 || this.tailScale === 0) return from;
    return from - this.tailScale * Math.log(Math.max((1 - level) / (1 - last), Number.MIN_VALUE));
  }

  /** Of each point: its value, its level, and two moments of what lies beyond it. */
  private knownPoints(): Float64Array {
    if (this.#points) return this.#points;
    this.#points = new Float64Array(POINT_SIZE * (this.levels.length + 1));
    this.excess(this.#points);
    return this.#points;
  }

  /**
   * Two moments of what lies beyond the lowest value, summed up over its mass from the tail
   * downwards. All terms are positive, so nothing cancels.
   * @param points where to note what lies beyond each point on the way
   */
  private excess(points?: Float64Array): { readonly first: number; readonly second: number } {
    let point = this.levels.length;
    let mass = 1 - this.levelAt(point);
    let first = mass * this.tailScale;
    let second = 2 * first * this.tailScale;
    for (; ; point--) {
      points?.set([this.valueAt(point), this.levelAt(point), first, second], POINT_SIZE * point);
      if (point === 0) return { first, second };
      const length = this.valueAt(point) - this.valueAt(point - 1);
      const width = this.levelAt(point) - this.levelAt(point - 1);
      second += length * (2 * first + length * (mass + width / 3));
      first += length * (mass + width / 2);
      mass += width;
    }
  }
}

/** Where the first point above the value stands, which is below the last one. */
function indexAbove(points: Float64Array, value: number): number {
  let next = POINT_SIZE;
  while ((points[next] ?? Number.POSITIVE_INFINITY) <= value) next += POINT_SIZE;
  return next;
}

/** The mass between the value and the point above it. */
function partBetween(points: Float64Array, next: number, value: number): number {
  const before = next - POINT_SIZE;
  const to = points[next] ?? 0;
  const share = (to - value) / (to - (points[before] ?? 0));
  return share * ((points[next + 1] ?? 0) - (points[before + 1] ?? 0));
}

/** The value at a level between the point and the one before. */
function valueBetween(points: Float64Array, next: number, level: number): number {
  const before = next - POINT_SIZE;
  const from = points[before] ?? 0;
  const lower = points[before + 1] ?? 0;
  const share = ratio(level - lower, (points[next + 1] ?? 0) - lower);
  return from + ((points[next] ?? 0) - from) * share;
}

const MEDIAN_ONLY: readonly number[] = Object.freeze([0.5]);

/** Levels at which a distribution is described that is not known by quantiles. */
const SAMPLED_LEVELS: readonly number[] = Object.freeze([0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]);

/** Some quantiles of a duration: levels in 0–1 and as many values in ms, both ascending. */
export interface Quantiles {
  readonly levels: readonly number[];
  readonly values: readonly number[];
}

/** The quantiles that describe a distribution: those it was made from, else some of its own. */
export function quantilesOf(distribution: Distribution): Quantiles {
  if (distribution instanceof QuantileDistribution) return distribution.quantiles;
  const values = SAMPLED_LEVELS.map((level) => distribution.quantile(level));
  return { levels: SAMPLED_LEVELS, values };
}

/** A range of durations in ms, both ends included. */
export interface DurationRange {
  readonly lowMs: number;
  readonly highMs: number;
}

/**
 * The middle of a distribution that holds a share of the outcomes: for a confidence of 0.8 from the
 * 0.1 to the 0.9 quantile, interpolated where these levels are not given.
 * @throws {RangeError} when the confidence is not between 0 and 1
 */
export function rangeOf(distribution: Distribution, confidence: number): DurationRange {
  if (!(confidence >= 0 && confidence <= 1)) {
    throw new RangeError(`a confidence is a number from 0 to 1, not ${confidence}`);
  }
  const outside = (1 - confidence) / 2;
  return { lowMs: distribution.quantile(outside), highMs: distribution.quantile(1 - outside) };
}

/** Sum of independent moments. */
export function sumMoments(parts: Iterable<Moments>): Moments {
  let mean = 0;
  let variance = 0;
  for (const part of parts) {
    mean += part.mean;
    variance += part.variance;
  }
  return { mean, variance };
}

/** A draw from the normal distribution of these moments, cut off at 0 (Box–Muller). */
export function sampleNormal({ mean, variance }: Moments, random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  const draw = radius * Math.cos(2 * Math.PI * random.next());
  return Math.max(0, mean + Math.sqrt(variance) * draw);
}

/** Where the mass below the first quantile begins: its slope carried on, but not below 0. */
function lowestValue(levels: readonly number[], values: readonly number[]): number {
  const first = at(values, 0);
  if (levels.length < 2) return first;
  const slope = (at(values, 1) - first) / (at(levels, 1) - at(levels, 0));
  return Math.max(0, first - slope * at(levels, 0));
}

/** Mean excess of the exponential tail, so that its density begins as the last segment ends. */
function tailScaleOf(levels: readonly number[], values: readonly number[]): number {
  const last = levels.length - 1;
  if (last < 1) return 0;
  const slope =
    (at(values, last) - at(values, last - 1)) / (at(levels, last) - at(levels, last - 1));
  return (1 - at(levels, last)) * slope;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function at(list: readonly number[], index: number): number {
  const value = list[index];
  if (value === undefined) throw new RangeError(`no quantile ${index} in ${list.length}`);
  return value;
}
