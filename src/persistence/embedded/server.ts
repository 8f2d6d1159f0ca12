import { randomUUID } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries';
import { EmbeddedPostgresError } from './embedded-postgres.error';
import { freePort } from './free-port';
import { HOST, SUPERUSER } from './layout';
import { lastPort, readPostmasterFile } from './postmaster-file';
import { runProgram } from './run-program';
import { createPassword, openLog, type Site, writeSecret } from './site';

// Long enough for the recovery of a large database after a crash.
const LONGEST_START_S = 300;
const LONGEST_STOP_S = 120;
// How long the children of a killed server may take to notice that it is gone.
const LONGEST_CHILDREN_MS = 15_000;

/** `-c` options that every embedded server gets; the caller's come after and win. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  // No socket file: its path has a length limit that deep data directories exceed.
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The log grows without a reader: no routine lines, no statements and no keys with users' data.
  log_checkpoints: 'off',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/** What a start can be told. */
export interface StartSettings {
  /** `-c` options of the server, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The port to take, and no other; absent: the last one if it is free, else any. */
  readonly port: number | undefined;
}

/**
 * Creates the cluster and a new password for it. It is made under another name and renamed, so that
 * an interrupted attempt leaves nothing half made; its remains are removed by the next.
 *
 * @throws {EmbeddedPostgresError} with the last lines of `initdb` when it fails.
 */
export async function createCluster(
  site: Site,
  { initdb }: Binaries,
  { durable }: { durable: boolean },
): Promise<void> {
  const { layout, account } = site;
  await removeRemains(layout.cluster);
  // A new name each time: an `initdb` whose parent was killed may still be writing to the old one.
  const partial = `${layout.cluster}.tmp-${randomUUID()}`;
  const passwordFile = `${partial}.password`;
  await mkdir(partial, { mode: 0o700 });
  await writeSecret(passwordFile, await createPassword(site));
  if (account !== undefined) {
    await chown(partial, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  // The builtin locale sorts alike on every machine.
  const options = ['-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--data-checksums'];
  options.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  if (!durable) options.push('--no-sync');
  const where = ['-D', partial, '-U', SUPERUSER, '--pwfile', passwordFile];
  const { status, output } = await runProgram(initdb, [...where, ...options], { account });
  await rm(passwordFile);
  if (status !== 0) throw failed('create', site, lastLines(output));
  await rename(partial, layout.cluster);
  await syncDirectory(layout.home);
}

async function removeRemains(cluster: string): Promise<void> {
  const [home, prefix] = [path.dirname(cluster), `${path.basename(cluster)}.tmp`];
  for (const name of await readdir(home)) {
    if (name.startsWith(prefix)) await rm(path.join(home, name), { recursive: true, force: true });
  }
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return; // Directories cannot be opened there.
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Starts the server and waits until it takes connections. Resolves with its port. A port that
 * somebody takes in the meantime is replaced once; children that a killed server left behind are
 * waited for.
 *
 * @throws {EmbeddedPostgresError} with the last lines of the log when it does not start.
 */
export async function startServer(
  site: Site,
  { pgCtl }: Binaries,
  wanted: StartSettings,
): Promise<number> {
  const deadline = performance.now() + LONGEST_CHILDREN_MS;
  let port = wanted.port ?? (await freePort(await lastPort(site.layout.cluster)));
  let mayChangePort = wanted.port === undefined;
  for (;;) {
    const lines = await tryStart(site, pgCtl, port, wanted.settings);
    if (lines === undefined) return port;
    const text = lines.join('\n');
    if (mayChangePort && text.includes('could not create any TCP/IP sockets')) {
      mayChangePort = false;
      port = await freePort();
    } else if (isHeldByChildren(text) && performance.now() < deadline) {
      await sleep(100);
    } else {
      throw failed('start', site, lines);
    }
  }
}

function isHeldByChildren(log: string): boolean {
  return log.includes('pre-existing shared memory block');
}

/** Undefined when the server runs, else what it wrote to its log. */
async function tryStart(
  site: Site,
  pgCtl: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<string[] | undefined> {
  const log = await openLog(site);
  try {
    const { size: before } = await log.stat();
    // The log is handed over as an open file, and the directory through the environment: nothing of
    // their paths passes through the shell that pg_ctl uses. No pipe of ours stays open.
    const { status } = await runProgram(
      pgCtl,
      ['start', '-s', '-w', '-t', String(LONGEST_START_S), '-o', optionsOf(port, settings)],
      { account: site.account, env: { PGDATA: site.layout.cluster }, outputTo: log.fd },
    );
    if (status === 0) return undefined;
    const written = (await readFile(site.layout.log)).subarray(before).toString();
    return lastLines(written);
  } finally {
    await log.close();
  }
}

/**
 * The option string of pg_ctl, which a shell reads.
 *
 * @throws {EmbeddedPostgresError} for a name or value that a shell could take for more than text.
 */
export function optionsOf(port: number, settings: Readonly<Record<string, string>>): string {
  const options = Object.entries({ ...SETTINGS, ...settings }).map(([name, value]) => {
    if (/^[a-z_.]+$/.test(name) && /^[\w .,:/+*@=-]*$/.test(value)) return `-c "${name}=${value}"`;
    throw new EmbeddedPostgresError(
      `The PostgreSQL setting ${name}=${JSON.stringify(value)} cannot be passed to the embedded ` +
        'server; use letters, digits and . , : / + * @ = - only, or set DATABASE_URL.',
    );
  });
  return [`-p ${port}`, ...options].join(' ');
}

/**
 * Stops the running server and waits for its end: `fast` breaks connections and writes everything
 * out, `immediate` is a crash on purpose.
 *
 * @throws {EmbeddedPostgresError} when it is still there after 120 s.
 */
export async function stopServer(
  site: Site,
  { pgCtl }: Binaries,
  mode: 'fast' | 'immediate',
): Promise<void> {
  const { status, output } = await runProgram(
    pgCtl,
    ['stop', '-s', '-w', '-m', mode, '-t', String(LONGEST_STOP_S)],
    { account: site.account, env: { PGDATA: site.layout.cluster } },
  );
  // It may have ended by itself just before: what counts is that it is gone.
  if (status === 0 || (await readPostmasterFile(site.layout.cluster)) === undefined) return;
  throw failed('stop', site, lastLines(output));
}

function lastLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const noise = /^$|^pg_ctl: could not start server|^Examine the log output|^stopped waiting/;
  return lines.filter((line) => !noise.test(line)).slice(-8);
}

function failed(verb: string, { layout }: Site, lines: string[]): EmbeddedPostgresError {
  const said = lines.length === 0 ? 'it said nothing' : lines.join('\n  ');
  return new EmbeddedPostgresError(
    `Cannot ${verb} the embedded PostgreSQL in ${layout.cluster}; mend the cause below (full log: ` +
      `${layout.log}), or set DATABASE_URL.\n  ${said}`,
  );
}
