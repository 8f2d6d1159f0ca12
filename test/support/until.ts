import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until a condition holds, looking every 10 ms.
 *
 * @param what the event waited for, in the words of the failure
 * @throws {Error} when it does not hold within the deadline (default 20 s)
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen in ${deadlineMs} ms`);
    await sleep(10);
  }
}
