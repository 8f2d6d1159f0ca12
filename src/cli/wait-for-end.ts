import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../core/ports';
import type { ApiClient } from './api-client';
import { CommandFailure, EXIT } from './exit';
import { Fields } from './fields';
import { Patience } from './patience';
import { fetchTask, type TaskRecord } from './task-record';

/** How long to wait, and how. */
export interface Timing {
  /** Default: without end. */
  readonly timeoutMs?: number;
  readonly random: Random;
}

/** How long the service may be away while we wait, ms: it restarts within seconds. */
const PATIENCE_MS = 60_000;
/** Pauses between two questions: they grow by half from the first to the longest, ms. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Waits until a task has ended, through restarts of the service.
 *
 * @throws {CommandFailure} failed, when it has not ended in time; it goes on all the same
 * @throws {RefusedError} 404 when there is no such task
 */
export async function waitForEnd(
  client: ApiClient,
  id: string,
  { timeoutMs = Infinity, random }: Timing,
): Promise<TaskRecord> {
  const patience = new Patience({ limitMs: Math.min(PATIENCE_MS, timeoutMs), random });
  const deadline = performance.now() + timeoutMs;
  const path = `/task/query?task_id=${encodeURIComponent(id)}`;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)) {
    const answer = await patience.persist(() => client.get(path));
    const status = new Fields(answer, 'the answer to GET /task/query').text('task_status');
    if (status === 'completed') return patience.persist(() => fetchTask(client, id));
    const left = deadline - performance.now();
    if (left <= 0) throw late(id, timeoutMs, status);
    await sleep(Math.min(pause, left));
  }
}

function late(id: string, timeoutMs: number, status: string): CommandFailure {
  const message = `the task ${id} has not ended within ${timeoutMs / 1000} s, it is ${status}`;
  return new CommandFailure(EXIT.failed, `${message}; it goes on: foresail task ${id} --wait`);
}
