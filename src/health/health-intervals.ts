/** Times of probes and polls, in ms (RELIABILITY_MODEL, section 6). */
export interface HealthIntervals {
  readonly statusPollMs: number;
  readonly suspectMs: number;
  readonly lostMs: number;
  /** How long an enqueue with a lost answer stays open. */
  readonly ambiguityMs: number;
  readonly resultPollFirstMs: number;
  readonly resultPollMostMs: number;
  /** After a bare notify: how long a result that is not there is waited for. */
  readonly resultPatienceMs: number;
}

/** Token of the intervals. */
export const HEALTH_INTERVALS = Symbol('HealthIntervals');
