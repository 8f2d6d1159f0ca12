import type { Held } from './backlog';
import type { Backoff } from './course';
import { after, instant, type Instant } from './units';

/** Why an instance that answers gets no new work. */
export type Withheld = 'resting' | 'circuit_open' | 'quarantined';

/** When a circuit opens, and for how long (RELIABILITY_MODEL, section 6). */
export interface CircuitLimits {
  /** Starts in a row that must go wrong before it opens. */
  readonly faults: number;
  /** Pause of an open circuit: doubles with every trial that fails. */
  readonly pause: Backoff;
  /** The same for an instance that failed tasks which others complete. */
  readonly quarantine: Backoff;
}

/** Pause after a fault that does not open the circuit, in ms. */
const FAULT_REST_MS = 1_000;

/**
 * Whether new work goes to an instance, by what became of the work that went there before. Two
 * things open it: starts that go wrong in a row, and a quarantine. After a pause it is on trial:
 * one attempt at a time is let through, until a start is taken (or, out of quarantine, a task
 * succeeds).
 *
 * ```
 *            faults in a row, quarantine                pause over
 *   closed ─────────────────────────────▶ open ───────────────────────▶ on trial
 *     ▲                                    ▲                              │    │
 *     │                                    └─────── fault, failure ───────┘    │
 *     └──────────────────── start taken, task succeeded ───────────────────────┘
 * ```
 */
export class Circuit {
  /** Nothing goes there before this instant. */
  restsUntil: Instant = instant(0);
  private faultsInRow = 0;
  /** How often it opened since a start was last taken. */
  private openings = 0;
  /** How often it was quarantined since a task last succeeded. */
  private quarantines = 0;

  /** True while new work goes there freely, apart from a rest. */
  get isClosed(): boolean {
    return this.openings === 0 && this.quarantines === 0;
  }

  get isQuarantined(): boolean {
    return this.quarantines > 0;
  }

  /**
   * Why no attempt may be reserved there now; undefined when one may.
   * @param held the attempts that occupy the instance
   */
  withholds(held: Iterable<Held>, now: Instant): Withheld | undefined {
    const reason = this.isQuarantined ? 'quarantined' : 'circuit_open';
    if (this.restsUntil > now) return this.isClosed ? 'resting' : reason;
    return this.isClosed || !this.isTriedBy(held) ? undefined : reason;
  }

  /** Leaves the instance alone until then: it is busy, or does not want this. */
  rest(until: Instant): void {
    if (until > this.restsUntil) this.restsUntil = until;
  }

  /** A start was taken. @returns true when that closed the circuit */
  accepted(): boolean {
    const wasOpen = !this.isClosed;
    this.faultsInRow = 0;
    this.openings = 0;
    return wasOpen && this.isClosed;
  }

  /**
   * A start went wrong. One that was reserved before the circuit opened says nothing new.
   * @returns true when it is open from here on
   */
  faulted(reservedAt: Instant, now: Instant, { faults, pause }: CircuitLimits): boolean {
    if (this.openings > 0 && !this.isTrial(reservedAt)) return false;
    this.faultsInRow++;
    if (this.openings === 0 && this.faultsInRow < faults) {
      this.rest(after(now, FAULT_REST_MS));
      return false;
    }
    this.openings++;
    this.rest(after(now, pauseMs(pause, this.openings)));
    return true;
  }

  /** It fails what others complete. */
  quarantine(now: Instant, { quarantine }: CircuitLimits): void {
    this.quarantines++;
    this.rest(after(now, pauseMs(quarantine, this.quarantines)));
  }

  /** A task succeeded there. @returns true when that ended a quarantine */
  succeeded(): boolean {
    const wasQuarantined = this.isQuarantined;
    this.quarantines = 0;
    return wasQuarantined;
  }

  /** Ends the pause of an open circuit: somebody has seen to the instance, and it is tried now. */
  retry(now: Instant): void {
    if (!this.isClosed && this.restsUntil > now) this.restsUntil = now;
  }

  /** True for an attempt that was let through after the pause. */
  isTrial(reservedAt: Instant): boolean {
    return reservedAt >= this.restsUntil;
  }

  private isTriedBy(held: Iterable<Held>): boolean {
    for (const { attempt } of held) if (this.isTrial(attempt.reservedAt)) return true;
    return false;
  }
}

function pauseMs({ firstMs, mostMs }: Backoff, times: number): number {
  return Math.min(mostMs, firstMs * 2 ** (times - 1));
}
