import type { Random } from '../core/ports';
import { after, type Instant } from '../core/units';

/** Part of the interval by which a probe may come early, so that instances are not asked in step. */
const EARLY = 0.2;

/** An instance that was asked how it is. */
export interface Asked {
  readonly at: Instant;
  /** Nobody had asked it before, in this term. */
  readonly first: boolean;
}

/**
 * When an instance is asked again: an interval later or up to a fifth sooner, but not after it. By then the
 * connection would be closed, and a new one costs more than the question. Instances that are known from the
 * start are asked at once, all together: their second probe spreads them over an interval.
 */
export function nextProbe({ at, first }: Asked, intervalMs: number, random: Random): Instant {
  const share = 1 - EARLY + (first ? 1 : EARLY) * random.next();
  return after(at, intervalMs * share);
}
