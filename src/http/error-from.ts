import { HttpException } from '@nestjs/common';
import { ErrorCode, isSchedulerError, SchedulerError } from '../core/errors';

/** What the framework's own refusals are in our words; other 4xx are the caller's fault too. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'unknown_route'],
  [405, 'method_not_allowed'],
  [413, 'body_too_large'],
  [415, 'unsupported_content'],
  [503, 'store_unavailable'],
]);

/**
 * Anything that was thrown while a request was answered, as a `SchedulerError`. What is not ours
 * and not a refusal of the framework becomes `internal`: nothing of it is shown, the request id
 * leads to the log.
 */
export function errorFrom(thrown: unknown, requestId: string): SchedulerError {
  if (isSchedulerError(thrown)) return thrown;
  const status = statusOf(thrown);
  const code = CODES.get(status) ?? (status >= 400 && status < 500 ? 'invalid_input' : undefined);
  if (code === undefined || !(thrown instanceof Error)) {
    const message = `the request failed inside; the log of request ${requestId} says why`;
    return new SchedulerError('internal', message, {}, { cause: thrown });
  }
  const message = thrown instanceof HttpException ? thrown.message : 'the request is not valid';
  return new SchedulerError(code, message, {}, { cause: thrown });
}

/** The status that Nest's or Express's own errors carry; 0 for every other error. */
function statusOf(thrown: unknown): number {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (!(thrown instanceof Error) || !('status' in thrown)) return 0;
  return typeof thrown.status === 'number' ? thrown.status : 0;
}
