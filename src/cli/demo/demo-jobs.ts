import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/config.schema';
import { isRoot } from '../../ops/accounts';
import type { ApiClient } from '../api-client';
import { fetchJobs, LIVE_STATUSES } from '../job-record';

type Commands = Config['commands'];

/** How long the demo waits for jobs that it has stopped, ms: above their grace. */
const STOP_PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 200;
const BECAUSE = JSON.stringify({ reason: 'the demo ends' });

/** Where jobs of a demo work, and what they leave. @param dataDir the demo's own */
export function demoJobsDir(dataDir: string): string {
  return join(dataDir, 'jobs');
}

/**
 * Commands switched on, below the demo's own folder and on this machine alone. Root needs an account
 * for them: without one they stay off, and with one its settings stay as they are.
 */
export function demoCommands(commands: Commands, dataDir: string): Commands {
  const hereOnly = { ...commands, executorPrefixes: [] };
  if (isRoot()) return { ...hereOnly, enabled: commands.jobUser !== undefined };
  return { ...hereOnly, enabled: true, workRoots: [demoJobsDir(dataDir)] };
}

/** Registers this machine as a host. */
export async function registerHere(client: ApiClient): Promise<void> {
  const host = { host_id: hostname(), total_slots: availableParallelism() };
  await client.post('/scheduler/hosts/register', JSON.stringify(host));
}

/** Stops every job and waits until nothing of them is left: they would outlive the scheduler. */
export async function stopJobs(client: ApiClient): Promise<void> {
  const live = { status: LIVE_STATUSES.join(',') };
  const deadline = performance.now() + STOP_PATIENCE_MS;
  for (const { id } of await fetchJobs(client, live)) {
    // It may have ended meanwhile.
    await client.post(`/v1/tasks/${id}/cancel`, BECAUSE).catch(() => undefined);
  }
  while (performance.now() < deadline && (await fetchJobs(client, live)).length > 0) {
    await sleep(LOOK_AGAIN_MS);
  }
}

/** What there is to say of jobs when the demo goes on serving. */
export function jobsText(url: string, { enabled }: Commands): string {
  if (!enabled) {
    return `
Commands are off: as root they need an account to run as (FORESAIL_JOB_USER).
`;
  }
  return `
Commands are switched on for this session, which only this machine can reach; they run here:
  npx foresail run --url ${url} -- hostname
  npx foresail jobs --watch --url ${url}
`;
}
