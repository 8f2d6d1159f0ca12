/**
 * - `unreachable`: no connection, or it was lost before the answer was complete.
 * - `timeout`: the call took longer than it may.
 * - `bad_answer`: not HTTP, not JSON, or not what the contract says.
 * - `http_status`: a status other than 2xx.
 * - `too_large`: the answer is larger than it may be.
 */
export type TaskInstanceErrorCode =
  'unreachable' | 'timeout' | 'bad_answer' | 'http_status' | 'too_large';

/** What went wrong in a call, and what is known about it. */
export interface TaskInstanceFailure {
  readonly code: TaskInstanceErrorCode;
  /** `host:port`. */
  readonly address: string;
  /** Method and path, as in `GET /status`. */
  readonly call: string;
  readonly reason: string;
  /** False when the request certainly never reached the worker. */
  readonly sent: boolean;
  /** HTTP status of the answer, null when there was none. */
  readonly status: number | null;
  /** For how long the worker asks to be left alone; null when it does not say. */
  readonly retryAfterMs: number | null;
}

/** A call to a task instance that did not work out. The message names the instance and the call. */
export class TaskInstanceError extends Error {
  readonly code: TaskInstanceErrorCode;
  readonly address: string;
  readonly call: string;
  readonly reason: string;
  readonly sent: boolean;
  readonly status: number | null;
  readonly retryAfterMs: number | null;

  constructor(failure: TaskInstanceFailure, options?: { cause?: unknown }) {
    super(`task instance ${failure.address}, ${failure.call}: ${failure.reason}`, options);
    this.name = 'TaskInstanceError';
    this.code = failure.code;
    this.address = failure.address;
    this.call = failure.call;
    this.reason = failure.reason;
    this.sent = failure.sent;
    this.status = failure.status;
    this.retryAfterMs = failure.retryAfterMs;
  }
}
