import { isSchedulerError } from '../../src/core/errors';

/** The code of the `SchedulerError` that the work ends with, or what it ended with instead. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isSchedulerError(error) ? error.code : `no SchedulerError but ${String(error)}`;
}
