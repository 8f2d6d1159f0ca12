import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres.error';
import { inspectProcess } from './process-facts';

// Longer than the longest crash recovery that the start of the server waits for.
const LONGEST_WAIT_MS = 330_000;

/**
 * Runs `work` while no other process runs its own under the same directory. A process that died
 * holds nothing: each writes a file named after its pid and start time, and files of the dead are
 * ignored.
 *
 * Why no single lock file: to remove a stale one is a race that two processes can both win. Here
 * each creates a file of its own and then looks for others. Of two that come at once at least one
 * sees the other and withdraws; nobody ever has to take a name over.
 *
 * @throws {EmbeddedPostgresError} when another process holds it for more than 330 s.
 */
export async function withStartLock<T>(
  directory: string,
  log: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  // Not with its parents: a data directory that was removed under us must not come back as a shell.
  await mkdir(directory, { mode: 0o700 }).catch(ignoreExisting);
  const own = path.join(directory, `${await ownIdentity()}_${randomUUID()}`);
  await acquire(directory, own, log);
  try {
    return await work();
  } finally {
    await rm(own, { force: true });
  }
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}

async function acquire(directory: string, own: string, log: (line: string) => void): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  let told = false;
  for (;;) {
    let holder = await otherHolder(directory, own);
    if (holder === undefined) {
      await writeFile(own, '', { flag: 'wx', mode: 0o600 });
      holder = await otherHolder(directory, own);
      if (holder === undefined) return;
      await rm(own);
    }
    if (performance.now() > deadline) throw heldTooLong(directory, holder);
    if (!told) log(`waiting for process ${holder}, which starts or stops this PostgreSQL just now`);
    told = true;
    // Random, so that two that withdrew from each other do not meet again.
    await sleep(10 + Math.random() * 40);
  }
}

function heldTooLong(directory: string, holder: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `Process ${holder} has been starting or stopping the embedded PostgreSQL for ` +
      `${LONGEST_WAIT_MS / 1000} s; end it and remove ${directory}, or set DATABASE_URL.`,
  );
}

/** Pid of a living process that has a file here, other than `own`. Files of the dead are removed. */
async function otherHolder(directory: string, own: string): Promise<number | undefined> {
  for (const name of await readdir(directory)) {
    if (name === path.basename(own)) continue;
    const [identity = '', pid = ''] = [name.split('_')[0], name.split('-')[0]];
    if ((await identityOf(Number(pid))) === identity) return Number(pid);
    await rm(path.join(directory, name), { force: true });
  }
  return undefined;
}

/** Pid, start time and boot: together never given to two processes. Undefined for a dead pid. */
async function identityOf(pid: number): Promise<string | undefined> {
  const facts = await inspectProcess(pid);
  if (facts === undefined) return undefined;
  return `${pid}-${facts.startedAt.replace(/\W/g, '-')}-${await bootId()}`;
}

async function ownIdentity(): Promise<string> {
  const identity = await identityOf(process.pid);
  if (identity !== undefined) return identity;
  throw new EmbeddedPostgresError(
    'Cannot read the start time of the own process (is /proc mounted?); set DATABASE_URL.',
  );
}

async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).slice(0, 8);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return 'boot'; // Only Linux has it; elsewhere the start time is a full date.
  }
}
