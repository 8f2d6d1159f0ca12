import { systemIds, systemRandom } from '../ops/system';
import type { ApiClient } from './api-client';
import type { Fields } from './fields';
import { dataOf } from './job-record';
import { Patience } from './patience';

/** How long the scheduler may be away when jobs are handed over, ms. */
const PATIENCE_MS = 10_000;

/**
 * Hands jobs over. The same key goes with every repeat, so that a lost answer makes no job twice.
 * @param path `/scheduler/jobs` or `/scheduler/jobs/batch`
 * @param body JSON text
 * @returns what is in the envelope
 * @throws {CommandFailure} when they are refused, or nobody answers
 */
export async function submitJobs(client: ApiClient, path: string, body: string): Promise<Fields> {
  const key = systemIds.next();
  const patience = new Patience({ limitMs: PATIENCE_MS, random: systemRandom });
  const answer = await patience.persist(() => client.post(path, body, { 'idempotency-key': key }));
  return dataOf(answer, `POST ${path}`);
}
