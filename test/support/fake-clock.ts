import type { Clock } from '../../src/core/ports';
import { instant, type Instant } from '../../src/core/units';

/** A clock that stands still until it is moved. Wall and monotonic time run together. */
export class FakeClock implements Clock {
  /** @param ms Unix ms at the beginning */
  constructor(private ms = 1_700_000_000_000) {}

  now(): Instant {
    return instant(this.ms);
  }

  wallMs(): number {
    return this.ms;
  }

  /** Lets that many ms pass. */
  advance(ms: number): void {
    this.ms += ms;
  }
}

/** Counts how often the time was asked for. */
export class WatchedClock extends FakeClock {
  reads = 0;

  override now(): Instant {
    this.reads += 1;
    return super.now();
  }
}
