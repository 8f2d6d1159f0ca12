import type { Random } from '../core/ports';

/** First and longest upper bound of the pause between two tries, ms. */
const FIRST_MS = 200;
const LONGEST_MS = 5000;

/**
 * How long to pause before try number `failures + 1`, ms: uniform between 0 and a bound that
 * doubles from 0.2 s to 5 s ("full jitter": many workers that lost the same scheduler do not come
 * back in step), but not less than what the other side asked for.
 */
export function backoffMs(failures: number, random: Random, atLeastMs = 0): number {
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.max(atLeastMs, random.next() * bound);
}
