import type { ApiClient } from './api-client';

/** What an interrupted process exits with, as shells have it: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/**
 * Does something that Ctrl-C and SIGTERM end by a signal instead of the process.
 * @param client closed then: nobody waits for its answers any more
 */
export async function interruptible<T>(
  client: ApiClient,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const interrupt = (): void => {
    abort.abort();
    void client.close();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await work(abort.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
