import type { Random } from '../core/ports';
import { after, type Instant } from '../core/units';

/** Parts of the interval after which a probe is due. */
const SOONEST = 0.6;
const LATEST = 0.95;

/**
 * When an instance that is asked now is asked again: within the interval, since by the end of it the
 * connection may be closed, and a new one costs more than the question. How much sooner is left to chance,
 * so that instances that were asked together, as at a start, do not stay in step.
 */
export function nextProbe(now: Instant, intervalMs: number, random: Random): Instant {
  return after(now, intervalMs * (SOONEST + (LATEST - SOONEST) * random.next()));
}
