import { readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from './embedded-postgres.error';
import { inspectProcess, type ProcessFacts } from './process-facts';

/** What a running server, or one that was killed, says about itself in `postmaster.pid`. */
export interface PostmasterFile {
  readonly pid: number;
  /** Undefined while the server has not written it yet. */
  readonly port: number | undefined;
}

// Above the largest pid of every system we run on, so it is nobody's.
const NOBODYS_PID = 2_147_483_646;

/** Reads `postmaster.pid` of a cluster; undefined when there is none: never started, or stopped. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  try {
    return parsePostmasterFile(await readFile(pathIn(cluster), 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Parses the text of `postmaster.pid`: the pid is line 1, the port line 4. */
export function parsePostmasterFile(text: string): PostmasterFile {
  const lines = text.split('\n');
  // A server in single-user mode writes its pid with a minus sign.
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  const port = Number.parseInt(lines[3] ?? '', 10);
  return {
    pid: Number.isNaN(pid) ? NOBODYS_PID : pid,
    port: Number.isNaN(port) ? undefined : port,
  };
}

/**
 * The port that the last server of this cluster was started with, from `postmaster.opts`, which
 * outlives it; undefined when there was none.
 */
export async function lastPort(cluster: string): Promise<number | undefined> {
  const options = await readFile(path.join(cluster, 'postmaster.opts'), 'utf8').catch(() => '');
  const port = /"-p" "(\d+)"/.exec(options)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Whether that process is the server of this cluster, or may be as far as the system tells. */
export async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  const facts = await inspectProcess(pid);
  return facts !== undefined && looksLikeServer(facts, await realpath(cluster));
}

/** A server works inside its data directory; where that is hidden, its program's name decides. */
export function looksLikeServer(facts: ProcessFacts, cluster: string): boolean {
  if (facts.cwd !== undefined) return facts.cwd === cluster;
  return facts.command === '' || facts.command.startsWith('postgres');
}

/**
 * Makes a `postmaster.pid` that a killed server left behind harmless, when its pid now belongs to
 * another process and PostgreSQL would therefore refuse to start. The pid is replaced, the file is
 * not removed: its other lines name the memory of the dead server, by which PostgreSQL sees whether
 * children of it are still writing.
 */
export async function disownPostmasterFile(cluster: string): Promise<void> {
  const file = pathIn(cluster);
  const [, ...rest] = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, [String(NOBODYS_PID), ...rest].join('\n'));
}

function pathIn(cluster: string): string {
  return path.join(cluster, 'postmaster.pid');
}
