import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../core/ports';
import { backoffMs } from '../worker/backoff';
import { isTransient, RefusedError, UnreachableError } from './api-client';

/** What a `Patience` lives on. */
export interface PatienceOptions {
  /** How long nothing may succeed before it ends, ms. */
  readonly limitMs: number;
  /** Spreads the pauses, so that many calls do not come back in step. */
  readonly random: Random;
  /** Ends every pause. */
  readonly signal?: AbortSignal;
}

/**
 * Repeats calls to a service that may be away for a while: it is restarting, or full. All calls of
 * one patience share it: one success, of whichever call, and it is whole again.
 */
export class Patience {
  /** When the first call failed after the last success, on the monotonic clock. */
  private failingSince: number | null = null;

  constructor(private readonly options: PatienceOptions) {}

  /**
   * The call's answer. Calls that meet nobody, a 5xx or a 429 are repeated, after a pause that
   * grows to 5 s and is never shorter than the service asks for.
   *
   * @throws {UnreachableError | RefusedError} the last failure, when the patience is over; any
   *   other failure of the call at once
   */
  async persist<T>(call: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await call();
        this.failingSince = null;
        return answer;
      } catch (error) {
        if (!isTransient(error)) throw error;
        await this.pauseAfter(error, failures);
      }
    }
  }

  private async pauseAfter(
    error: UnreachableError | RefusedError,
    failures: number,
  ): Promise<void> {
    const { limitMs, random, signal } = this.options;
    const now = performance.now();
    this.failingSince ??= now;
    const left = this.failingSince + limitMs - now;
    if (left <= 0) throw exhausted(error, limitMs);
    const asked = error instanceof RefusedError ? error.retryAfterMs : 0;
    const pauseMs = Math.min(left, backoffMs(failures, random, asked));
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** The same failure, its message telling how long it was tried. */
function exhausted(error: UnreachableError | RefusedError, limitMs: number): Error {
  const reason = `nothing has succeeded for ${Math.round(limitMs / 1000)} s; the last answer: `;
  error.message = reason + error.message;
  return error;
}
