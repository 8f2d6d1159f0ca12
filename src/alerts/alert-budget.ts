import type { AlertKind } from '../config/alert-settings';
import type { Clock } from '../core/ports';
import type { Instant } from '../core/units';

const MINUTE_MS = 60_000;
/** Of all kinds together, as a multiple of what one kind may have. */
const ALL_KINDS = 2;

/**
 * How many alerts may be raised: so many a minute of each kind, and twice as many of all kinds
 * together. What was not used up is kept for a minute.
 */
export class AlertBudget {
  private readonly kinds = new Map<AlertKind, Bucket>();
  private readonly all: Bucket;

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {
    this.all = new Bucket(perMinute * ALL_KINDS, clock.now());
  }

  /** True when one more of this kind may be raised; it is counted then. */
  take(kind: AlertKind): boolean {
    const now = this.clock.now();
    const bucket = this.of(kind);
    if (bucket.at(now) < 1 || this.all.at(now) < 1) return false;
    bucket.tokens -= 1;
    this.all.tokens -= 1;
    return true;
  }

  /** True when none of this kind was raised for a minute or so. */
  isWhole(kind: AlertKind): boolean {
    return this.of(kind).at(this.clock.now()) === this.perMinute;
  }

  private of(kind: AlertKind): Bucket {
    const known = this.kinds.get(kind);
    if (known) return known;
    const bucket = new Bucket(this.perMinute, this.clock.now());
    this.kinds.set(kind, bucket);
    return bucket;
  }
}

/** Fills up to its size within a minute. */
class Bucket {
  tokens: number;

  constructor(
    private readonly size: number,
    private filledAt: Instant,
  ) {
    this.tokens = size;
  }

  /** Tokens at that time. */
  at(now: Instant): number {
    const more = ((now - this.filledAt) / MINUTE_MS) * this.size;
    this.tokens = Math.min(this.size, this.tokens + more);
    this.filledAt = now;
    return this.tokens;
  }
}
