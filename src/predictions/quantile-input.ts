import { QuantileDistribution } from '../core/distribution';

/** Longest service time that is believed: a year, in ms. */
const LONGEST_MS = 365 * 24 * 3_600_000;
/** More levels than this add nothing but work. */
const MOST_LEVELS = 99;

/** A list of numbers that became a distribution, or the first thing that is wrong with it. */
export type QuantileReading =
  { readonly distribution: QuantileDistribution } | { readonly fault: string };

/**
 * Reads `quantiles` (levels in 0–1, strictly ascending) and `quantile_predictions` (ms, ascending,
 * not negative), which must be equally many.
 */
export function readQuantiles(levels: unknown, values: unknown): QuantileReading {
  if (!isNumberList(levels)) return { fault: 'quantiles must be a list of numbers' };
  if (!isNumberList(values)) return { fault: 'quantile_predictions must be a list of numbers' };
  if (levels.length === 0 || levels.length > MOST_LEVELS) {
    return { fault: `quantiles must hold 1 to ${MOST_LEVELS} levels, not ${levels.length}` };
  }
  if (levels.length !== values.length) {
    return { fault: `${levels.length} quantiles but ${values.length} quantile_predictions` };
  }
  if (levels.some((level, i) => level < 0 || level > 1 || level <= (levels[i - 1] ?? -1))) {
    return { fault: 'quantiles must ascend strictly between 0 and 1' };
  }
  if (values.some((value, i) => value < (values[i - 1] ?? 0) || value > LONGEST_MS)) {
    return { fault: `quantile_predictions must ascend between 0 and ${LONGEST_MS} ms` };
  }
  return { distribution: new QuantileDistribution(shared(levels), values) };
}

/** Reads one expected duration in ms; undefined when it is none. */
export function readDuration(value: unknown): QuantileDistribution | undefined {
  if (typeof value !== 'number' || !(value >= 0) || value > LONGEST_MS) return undefined;
  return QuantileDistribution.point(value);
}

const knownLevels = new Map<string, readonly number[]>();
const MOST_KNOWN = 64;

/** The same levels come again and again: tasks share one array of them. */
function shared(levels: readonly number[]): readonly number[] {
  const key = levels.join();
  const known = knownLevels.get(key);
  if (known) return known;
  const kept = Object.freeze([...levels]);
  if (knownLevels.size < MOST_KNOWN) knownLevels.set(key, kept);
  return kept;
}

function isNumberList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}
