import { readdir, readFile } from 'node:fs/promises';

/**
 * How many processes of this machine carry that dispatch id, the supervisor included.
 * @param state only those in this state, as in `T` for one that was stopped
 */
export async function marked(dispatchId: string, state?: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => isMarked(pid, dispatchId, state)));
  return found.filter(Boolean).length;
}

async function isMarked(pid: string, dispatchId: string, state?: string): Promise<boolean> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    if (!environment.includes(`TASK_DISPATCH_ID=${dispatchId}`)) return false;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const is = stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
    return state === undefined ? is !== 'Z' : is === state;
  } catch {
    return false; // It is gone.
  }
}

/** Dispatch ids that any process of this machine carries, out of these. */
export async function markedAmong(dispatchIds: ReadonlySet<string>): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')),
  );
  const carried = environments.map((text) => /TASK_DISPATCH_ID=([0-9a-f-]{36})/.exec(text)?.[1]);
  return carried.filter((id) => id !== undefined && dispatchIds.has(id)) as string[];
}
