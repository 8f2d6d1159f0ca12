import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from './embedded-postgres.error';

/** What tells a living process from another one that got the same pid later. */
export interface ProcessFacts {
  /** Name of its program, without directory. Empty where the system does not tell. */
  readonly command: string;
  /** When it started, opaque: equal for the same process, different for another one. */
  readonly startedAt: string;
  /** Its working directory; undefined where we may not know. */
  readonly cwd: string | undefined;
}

/**
 * Facts about a living process; undefined when there is none with that pid, or only a zombie, which
 * `kill(pid, 0)` still takes for alive.
 */
export async function inspectProcess(pid: number): Promise<ProcessFacts | undefined> {
  if (process.platform === 'linux') return inspectOnLinux(pid);
  if (process.platform === 'win32') return inspectOnWindows(pid);
  try {
    const columns = ['-o', 'stat=', '-o', 'lstart=', '-o', 'comm='];
    const { stdout } = await promisify(execFile)('ps', [...columns, '-p', String(pid)]);
    return parsePs(stdout);
  } catch {
    return undefined; // `ps` ends with status 1 when there is no such process.
  }
}

async function inspectOnLinux(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const facts = parseProcStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    if (facts === undefined) return undefined;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    return { ...facts, cwd };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function inspectOnWindows(pid: number): ProcessFacts | undefined {
  try {
    process.kill(pid, 0);
    return { command: '', startedAt: '', cwd: undefined };
  } catch {
    return undefined;
  }
}

/** Reads `/proc/<pid>/stat`. The program's name may contain spaces and brackets. */
export function parseProcStat(text: string): Omit<ProcessFacts, 'cwd'> | undefined {
  const end = text.lastIndexOf(')');
  const command = text.slice(text.indexOf('(') + 1, end);
  const fields = text.slice(end + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === undefined || startTicks === undefined || 'ZX'.includes(state)) return undefined;
  return { command, startedAt: startTicks };
}

/** Reads one line of `ps -o stat= -o lstart= -o comm=`. */
export function parsePs(text: string): ProcessFacts | undefined {
  const [state, ...rest] = text.trim().split(/\s+/);
  if (state === undefined || state === '' || state.startsWith('Z')) return undefined;
  return {
    command: path.basename(rest.slice(5).join(' ')),
    startedAt: rest.slice(0, 5).join('-'),
    cwd: undefined,
  };
}
