import { access, chmod, constants, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { layoutOf } from '../../src/persistence/embedded/layout';
import { isServerOf, readPostmasterFile } from '../../src/persistence/embedded/postmaster-file';
import { inspectProcess } from '../../src/persistence/embedded/process-facts';
import { until } from './until';

const PREFIX = 'foresail-test-';
const MEMORY = '/dev/shm';
const TMPFS = 0x0102_1994;
const ENOUGH_BYTES = 2 * 2 ** 30;

/**
 * A new directory for throw-away data, which every account may enter: as root, PostgreSQL runs as
 * somebody else. Named after this process, so that `sweepScratch` removes it when it is left behind.
 */
export async function scratchDirectory(root = os.tmpdir()): Promise<string> {
  const prefix = `${PREFIX}${process.pid}-${await startOf(process.pid)}-`;
  const directory = await mkdtemp(path.join(root, prefix));
  await chmod(directory, 0o755);
  return directory;
}

/**
 * A file system in memory with at least 2 GiB free, if there is one. A database is 300 files, and
 * cloning one there takes 25 ms instead of up to 250 ms on a disk.
 */
export async function memoryRoot(): Promise<string | undefined> {
  try {
    await access(MEMORY, constants.W_OK);
    const { type, bavail, bsize } = await statfs(MEMORY);
    return type === TMPFS && bavail * bsize >= ENOUGH_BYTES ? MEMORY : undefined;
  } catch {
    return undefined; // Only Linux has it.
  }
}

/** Removes a scratch directory, after killing the servers whose data lies in it. */
export async function removeScratch(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const home of [directory, ...below.map((name) => path.join(directory, name))]) {
    await killServer(layoutOf(home).cluster);
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Removes the scratch directories of test processes that are dead. */
export async function sweepScratch(): Promise<void> {
  for (const root of [os.tmpdir(), MEMORY]) {
    for (const name of await readdir(root).catch(() => [])) {
      if (await isLeftBehind(name)) await sweep(path.join(root, name));
    }
  }
}

async function isLeftBehind(name: string): Promise<boolean> {
  const [, pid, start] = /^foresail-test-(\d+)-([^-]+)-[^-]+$/.exec(name) ?? [];
  return pid !== undefined && (await startOf(Number(pid))) !== start;
}

async function sweep(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.uid === process.getuid?.()) await removeScratch(directory);
}

async function startOf(pid: number): Promise<string | undefined> {
  return (await inspectProcess(pid))?.startedAt.replace(/\W/g, '.');
}

async function killServer(cluster: string): Promise<void> {
  const file = await readPostmasterFile(cluster).catch(() => undefined);
  if (file === undefined || !(await isServerOf(cluster, file.pid))) return;
  process.kill(file.pid, 'SIGQUIT'); // An immediate shutdown: children are ended too.
  await until(async () => !(await isServerOf(cluster, file.pid)), `the end of ${cluster}`);
}
