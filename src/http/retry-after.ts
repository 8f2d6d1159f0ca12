import type { ErrorCode, SchedulerError } from '../core/errors';

/** Refusals that pass by themselves, and after how many seconds, unless the error knows better. */
const SECONDS: ReadonlyMap<ErrorCode, number> = new Map([
  ['queue_full', 1],
  ['store_unavailable', 1],
  ['not_leading', 1],
]);

/** Whole seconds, at least 1, after which a repeat makes sense; undefined where it never does. */
export function retryAfterSeconds({ code, details }: SchedulerError): number | undefined {
  const seconds = details.retryAfterSeconds ?? SECONDS.get(code);
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds));
}
