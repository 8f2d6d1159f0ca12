import { SchedulerError } from '../core/errors';
import type { TaskId } from '../core/units';

/** What became of a submission. */
export type SubmitAnswer =
  | { readonly kind: 'committed' }
  /** The client's id belongs to this task already; nothing was written. */
  | { readonly kind: 'duplicate'; readonly id: TaskId };

/** What became of a submission after its caller was told that the outcome is unknown. */
export type LateAnswer =
  | SubmitAnswer
  /** It certainly was not written, and will not be. */
  | { readonly kind: 'not_written'; readonly error: Error };

/** Whole seconds after which a repeat makes sense. */
const RETRY_AFTER_SECONDS = 1;

/** `store_unavailable`, and whether the rows may come to be nevertheless. */
export class StoreUnavailableError extends SchedulerError {
  /**
   * @param outcome `not_written`: certainly not, and it will not be; `unknown`: the rows are kept
   *   and written as soon as PostgreSQL is back, unless they are there already
   * @param settled of an unknown outcome: what became of it in the end. Never rejects
   */
  constructor(
    message: string,
    readonly outcome: 'not_written' | 'unknown',
    readonly settled: Promise<LateAnswer> | null = null,
    options?: { cause?: unknown },
  ) {
    super('store_unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS }, options);
    this.name = 'StoreUnavailableError';
  }
}
