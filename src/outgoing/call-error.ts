/**
 * - `unreachable`: no connection, or it was lost before the answer was complete.
 * - `timeout`: the call took longer than it may.
 * - `bad_answer`: not HTTP, not JSON, or not what the contract says.
 * - `http_status`: a status other than 2xx.
 * - `too_large`: the answer is larger than it may be.
 */
export type CallErrorCode = 'unreachable' | 'timeout' | 'bad_answer' | 'http_status' | 'too_large';

/** What went wrong in a call, and what is known about it. */
export interface CallFailure {
  readonly code: CallErrorCode;
  /** `host:port`. */
  readonly address: string;
  /** Method and path, as in `GET /status`. */
  readonly call: string;
  readonly reason: string;
  /** False when the request certainly never reached the other side. */
  readonly sent: boolean;
  /** HTTP status of the answer, null when there was none. */
  readonly status: number | null;
  /** For how long the other side asks to be left alone; null when it does not say. */
  readonly retryAfterMs: number | null;
}

/** A call to another service that did not work out. The message names the service and the call. */
export abstract class CallError extends Error {
  readonly code: CallErrorCode;
  readonly address: string;
  readonly call: string;
  readonly reason: string;
  readonly sent: boolean;
  readonly status: number | null;
  readonly retryAfterMs: number | null;

  /** @param peer what the other side is, as in `task instance` */
  constructor(peer: string, failure: CallFailure, options?: { cause?: unknown }) {
    super(`${peer} ${failure.address}, ${failure.call}: ${failure.reason}`, options);
    this.code = failure.code;
    this.address = failure.address;
    this.call = failure.call;
    this.reason = failure.reason;
    this.sent = failure.sent;
    this.status = failure.status;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** The kind of error that calls to one kind of service fail with. */
export type CallErrorClass = new (failure: CallFailure, options?: { cause?: unknown }) => CallError;

/** True for a `CallError` of that code, and of that status when one is given. */
export function isFailure(
  error: unknown,
  code: CallErrorCode,
  status?: number,
): error is CallError {
  if (!(error instanceof CallError) || error.code !== code) return false;
  return status === undefined || error.status === status;
}
