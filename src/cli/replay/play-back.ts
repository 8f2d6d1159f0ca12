import { setMaxListeners } from 'node:events';
import { SyncedLines } from '../../ops/synced-lines';
import { systemRandom } from '../../ops/system';
import type { ApiClient } from '../api-client';
import { Patience } from '../patience';
import { startProgress } from './progress';
import { runReplay, type ReplayOutcome } from './run-replay';
import { lookAt } from './timeline';
import type { ReplayTask } from './workload';

/** How tasks are played back. */
export interface PlayBackOptions {
  /** Opens a client with so many connections. */
  readonly open: (connections: number) => Promise<ApiClient>;
  /** Submissions at the same time. */
  readonly concurrency: number;
  /** Longest time without success, ms. */
  readonly patienceMs: number;
  /** File that gets a line per accepted and per ended task. */
  readonly ledger?: string;
  /** Ends it early, for the reason given. */
  readonly abort: AbortController;
}

/** Connections that ask for the ends of tasks. */
const QUESTIONS_AT_ONCE = 8;

/** Opens everything that a replay works with, shows its progress, and closes it whatever happens. */
export async function playBack(
  tasks: readonly ReplayTask[],
  { open, concurrency, patienceMs, ledger: path, abort }: PlayBackOptions,
): Promise<ReplayOutcome> {
  const { signal } = abort;
  const ledger = path === undefined ? null : await SyncedLines.open(path);
  const submitting = await open(concurrency);
  const asking = await open(QUESTIONS_AT_ONCE);
  const progress = await startProgress(tasks.length);
  // One per submission under way; the default limit is there to find leaks.
  setMaxListeners(0, signal);
  const closeClients = async (): Promise<void> => {
    await Promise.all([submitting.close(), asking.close()]);
  };
  // Else the end would wait for the answers to calls that nobody is interested in any more.
  signal.addEventListener('abort', () => void closeClients());
  try {
    const patience = new Patience({ limitMs: patienceMs, random: systemRandom, signal });
    const look = lookAt(asking, patience);
    const parts = { submitting, patience, concurrency, look, ledger, abort, progress };
    return await runReplay(tasks, parts);
  } finally {
    progress.stop();
    await Promise.all([closeClients(), ledger?.close()]);
  }
}
