import type { Attempt, Outcome } from '../core/task';
import type { Instant } from '../core/units';

/** Shorter times are not measured well enough to be held against what a worker says. */
const LEAST_MEASURED_MS = 100;
const SECOND_MS = 1_000;
/** A reported time may exceed what we measured by this much before it is not believed, in ms. */
const CLOCK_SLACK_MS = 1_000;

/**
 * The outcome with its execution time, or without one that cannot be: longer than since the
 * reservation; or, where we have measured it ourselves, a thousandth of what it took, as by a worker
 * that speaks of seconds.
 */
export function believable(
  outcome: Outcome,
  { reservedAt, runningSince }: Attempt,
  isMeasured: boolean,
  now: Instant,
): Outcome {
  const { executionMs } = outcome;
  if (executionMs === null) return outcome;
  const measuredMs = now - (runningSince ?? reservedAt);
  const isTooLong = executionMs > now - reservedAt + CLOCK_SLACK_MS;
  const isTooShort =
    isMeasured && measuredMs >= LEAST_MEASURED_MS && executionMs * SECOND_MS <= measuredMs;
  return executionMs < 0 || isTooLong || isTooShort ? { ...outcome, executionMs: null } : outcome;
}
