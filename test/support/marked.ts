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

/** A process of this machine, and the dispatch id that it carries. */
export interface MarkedProcess {
  readonly pid: number;
  readonly dispatchId: string;
}

/** The processes of this machine that carry one of these dispatch ids. */
export async function markedAmong(
  dispatchIds: ReadonlySet<string>,
): Promise<readonly MarkedProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const [, dispatchId = ''] = /TASK_DISPATCH_ID=([0-9a-f-]{36})/.exec(environment) ?? [];
      return { pid: Number(pid), dispatchId };
    }),
  );
  return found.filter(({ dispatchId }) => dispatchIds.has(dispatchId));
}

/** Ends by force whatever a test has left behind, its supervisors first. */
export async function endMarked(dispatchIds: ReadonlySet<string>): Promise<void> {
  for (const { pid } of await markedAmong(dispatchIds)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
