import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { prepareBinaries } from './binaries';
import { countOtherUsers, ensureDatabase } from './connection';
import { EmbeddedPostgresError } from './embedded-postgres.error';
import { createCluster, startServer, type StartSettings, stopServer } from './server';
import { type RunningServer, settle, type Settled } from './settle';
import { clusterExists, type Site } from './site';

/** What stopping came to: `in-use` is left running because another Foresail process needs it. */
export type Stopped = 'stopped' | 'in-use' | 'not-running';

/** A server that runs now, with an open connection to it, and how it came about. */
export interface Launched extends RunningServer {
  /** True when it was running already. */
  readonly adopted: boolean;
}

// A connection that was just closed is listed by the server for some milliseconds more.
const LONGEST_FAREWELL_MS = 500;

/**
 * Makes the server of the site run: adopts the one that does, starts the one that does not, creates
 * the cluster that is missing. To be called under the start lock.
 *
 * @throws {EmbeddedPostgresError} when that is not possible.
 */
export async function launch(site: Site, wanted: StartSettings): Promise<Launched> {
  const exists = await clusterExists(site);
  const found: Settled = exists ? await settle(site) : { state: 'stopped' };
  const server = found.state === 'running' ? found : await startAnew(site, exists, wanted);
  try {
    await ensureDatabase(server.client);
    return { ...server, adopted: server === found };
  } catch (error) {
    await close(server.client);
    throw error;
  }
}

async function startAnew(
  site: Site,
  exists: boolean,
  wanted: StartSettings,
): Promise<RunningServer> {
  const binaries = await prepareBinaries(site.layout.home, site.account, site.log);
  if (!exists) {
    site.log(`creating a PostgreSQL data directory at ${site.layout.cluster}`);
    await createCluster(site, binaries, { durable: wanted.settings['fsync'] !== 'off' });
  }
  await startServer(site, binaries, wanted);
  const started = await settle(site);
  if (started.state === 'running') return started;
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${site.layout.cluster} ended right after its start; ` +
      `see ${site.layout.log}, or set DATABASE_URL.`,
  );
}

/**
 * Stops the server of the site, if it runs. With `unlessUsed`, it is left running while another
 * Foresail process is connected. To be called under the start lock, so that nobody comes between
 * the look and the stop.
 */
export async function shutDown(
  site: Site,
  options: { unlessUsed: boolean; mode: 'fast' | 'immediate' },
): Promise<Stopped> {
  if (!(await clusterExists(site))) return 'not-running';
  const found = await settle(site);
  if (found.state !== 'running') return 'not-running';
  const used = options.unlessUsed && (await isUsed(found.client));
  await close(found.client);
  if (used) return 'in-use';
  const binaries = await prepareBinaries(site.layout.home, site.account, site.log);
  await stopServer(site, binaries, options.mode);
  return 'stopped';
}

async function isUsed(client: Client): Promise<boolean> {
  const deadline = performance.now() + LONGEST_FAREWELL_MS;
  while ((await countOtherUsers(client)) > 0) {
    if (performance.now() > deadline) return true;
    await sleep(20);
  }
  return false;
}

/** Ends a connection, whatever state it is in. */
export async function close(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}
