import type { Clock } from '../core/ports';
import { instant, type Instant } from '../core/units';

/** Time that passes only when the simulation says so; it begins at 0. */
export class SimulatedClock implements Clock {
  private time = instant(0);

  now(): Instant {
    return this.time;
  }

  wallMs(): number {
    return this.time;
  }

  /** @throws {RangeError} when that is in the past: a defect of the simulation */
  advanceTo(time: Instant): void {
    if (time < this.time) throw new RangeError(`${time} ms is before ${this.time} ms`);
    this.time = time;
  }
}
