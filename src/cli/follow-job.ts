import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom } from '../ops/system';
import { RefusedError, type ApiClient } from './api-client';
import { fetchJob, fetchLog, type Job } from './job-record';
import { LogTail } from './log-tail';
import { printable } from './output';
import { Patience } from './patience';

/** How long the scheduler may be away while a job is followed, ms: the job goes on meanwhile. */
export const FOLLOW_PATIENCE_MS = 600_000;
/** Lines that one look gets at most. */
const LINES = 1_000;
/** Pauses between two looks: short while something comes, else growing by half, ms. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const NOT_FOUND = 404;

/** How a job is followed. */
export interface FollowOptions {
  /** Told of each change of the status or the host. */
  readonly changed: (job: Job) => void;
  /** Ends the following; the job goes on. */
  readonly signal: AbortSignal;
}

/**
 * Prints the log of a job while it grows, until the job has ended, through restarts of the
 * scheduler.
 * @returns the job as it ended; null when the following was ended first
 * @throws {CommandFailure} when the scheduler stays away, or does not know the job
 */
export async function followJob(
  client: ApiClient,
  id: string,
  { changed, signal }: FollowOptions,
): Promise<Job | null> {
  const patience = new Patience({ limitMs: FOLLOW_PATIENCE_MS, random: systemRandom, signal });
  const screen = new LogPrinter();
  let told = '';
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)) {
      // The job before its log: when it had ended by then, the log is whole.
      const job = await patience.persist(() => fetchJob(client, id));
      const now = `${job.status} ${job.host}`;
      if (now !== told) changed(job);
      told = now;
      if (screen.show(await patience.persist(() => logOf(client, id)))) pause = FIRST_PAUSE_MS;
      if (job.hasEnded) return job;
      await sleep(pause, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    screen.close();
  }
}

/** Its last lines; none while there is no log yet. */
async function logOf(client: ApiClient, id: string): Promise<readonly string[]> {
  try {
    return await fetchLog(client, id, LINES);
  } catch (error) {
    if (error instanceof RefusedError && error.status === NOT_FOUND) return [];
    throw error;
  }
}

/** Prints what is new of a log. */
class LogPrinter {
  private readonly tail = new LogTail(LINES);
  private endsLine = true;

  /** @returns whether there was anything new */
  show(lines: readonly string[]): boolean {
    const text = this.tail.next(lines);
    if (text === '') return false;
    process.stdout.write(process.stdout.isTTY ? printable(text) : text);
    this.endsLine = false;
    return true;
  }

  /** Ends the last line. */
  close(): void {
    if (!this.endsLine) process.stdout.write('\n');
  }
}
