import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { connect, identify } from './connection';
import { codeOf, EmbeddedPostgresError, messageOf } from './embedded-postgres.error';
import { disownPostmasterFile, isServerOf, readPostmasterFile } from './postmaster-file';
import { readPassword, type Site } from './site';

/** A server that answers, with an open connection to it. */
export interface RunningServer {
  readonly state: 'running';
  readonly client: Client;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
}

/** What is left of the server: it runs, it was stopped properly, or it was killed. */
export type Settled = RunningServer | { readonly state: 'stopped' } | { readonly state: 'crashed' };

const LONGEST_CONNECT_MS = 2_000;

/** How long an undecided server is waited for, in ms. */
export interface Patience {
  /** One that does not answer. After a kill its pid stays for about a second. */
  readonly silentMs: number;
  /** One that says "starting up" or "shutting down": a recovery may take minutes. */
  readonly busyMs: number;
}

const PATIENCE: Patience = { silentMs: 10_000, busyMs: 300_000 };

/**
 * Finds out what became of the server of an existing cluster, waiting while that is undecided. It
 * runs only if a connection to it works: a pid says little just after a `kill -9`. A pid file that a
 * killed server left, and whose pid another process has now, is made harmless.
 *
 * @throws {EmbeddedPostgresError} when a server holds the directory but does not let us in.
 */
export async function settle(site: Site, patience = PATIENCE): Promise<Settled> {
  const { cluster } = site.layout;
  const began = performance.now();
  for (;;) {
    const file = await readPostmasterFile(cluster);
    if (file === undefined) return { state: 'stopped' };
    const answer = await knock(site, file.port);
    if (!('refused' in answer)) return { ...answer, pid: file.pid };
    if (!(await isServerOf(cluster, file.pid))) {
      // It may have stopped properly while we looked.
      if ((await readPostmasterFile(cluster)) === undefined) return { state: 'stopped' };
      await disownPostmasterFile(cluster);
      return { state: 'crashed' };
    }
    const limitMs = isBusy(answer.refused) ? patience.busyMs : patience.silentMs;
    if (isFinal(answer.refused) || performance.now() - began > limitMs) {
      throw notLetIn(site, file.pid, answer.refused);
    }
    await sleep(20);
  }
}

/**
 * One attempt to connect to the server of a cluster, which is checked to be that cluster's. Resolves
 * with the open connection, or with the reason why there is none.
 *
 * @throws {EmbeddedPostgresError} when the password cannot be read.
 */
export async function knock(
  site: Site,
  port: number | undefined,
): Promise<Omit<RunningServer, 'pid'> | { readonly refused: unknown }> {
  if (port === undefined) return { refused: new Error('it has not named its port yet') };
  const password = await readPassword(site);
  try {
    const client = await connect({ port, password }, LONGEST_CONNECT_MS);
    const { version, ours } = await identify(client, site.layout.cluster);
    if (ours) return { state: 'running', client, port, version };
    await client.end();
    return { refused: new Error(`port ${port} belongs to another PostgreSQL`) };
  } catch (refused) {
    return { refused };
  }
}

/** 57P03: the server lives, and says that it is starting, stopping or recovering. */
function isBusy(error: unknown): boolean {
  return codeOf(error) === '57P03';
}

/** Wrong password or unknown user: waiting will not help. */
function isFinal(error: unknown): boolean {
  return codeOf(error)?.startsWith('28') ?? false;
}

function notLetIn({ layout }: Site, pid: number, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `A PostgreSQL server (pid ${pid}) holds ${layout.cluster}, but cannot be used ` +
      `(${messageOf(cause)}); stop it (kill ${pid}) and start again, or set DATABASE_URL.`,
    { cause },
  );
}
