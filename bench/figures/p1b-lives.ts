import { until } from '../../test/support/until';
import { commitsPerTask, committed } from '../database';
import type { Figure } from '../figure';
import { herdOf, submitting, tallyOf } from '../herd';
import { interleaved, median, type Subject } from '../rounds';
import { cpuMs } from '../process-cost';
import type { Served, Surroundings } from '../surroundings';

const WORKERS = 8;
const TASKS_PER_SECOND = 2_000;
const MOST_COMMITS = 2;
const PATIENCE_MS = 120_000;

/** What a number of whole lives came to. */
export interface Lives {
  readonly perSecond: number;
  /** Transactions that the database committed, per task. */
  readonly commits: number;
  /** µs of processor time of the scheduler, per task. */
  readonly cpuMicros: number;
}

/**
 * P1b: submitted, executed and recorded. Eight simulated workers end what they are sent at once and
 * report it; a life counts when the report is answered, which is after its commit.
 */
export const lives: Figure = async ({ surroundings, extent }) => {
  const served = await surroundings.serve({ name: 'lives' });
  const subject = await living(surroundings, served, extent.seconds);
  const { ours } = await interleaved(extent.rounds, { ours: subject });
  const rate = median(ours, ({ perSecond }) => perSecond);
  const writes = await commitsPerTask(served.databaseUrl);
  const what = `submit, execute, record; ${WORKERS} workers`;
  return [
    {
      id: 'P1b',
      what: `${what}: whole lives`,
      value: rate,
      unit: '/s',
      goal: `≥ ${TASKS_PER_SECOND}/s`,
      reached: rate >= TASKS_PER_SECOND,
    },
    {
      id: 'P1b',
      what: `${what}: commits of the journal per task`,
      value: writes,
      unit: '',
      goal: `≤ ${MOST_COMMITS}`,
      reached: writes <= MOST_COMMITS,
    },
    {
      id: 'P1b',
      what: `${what}: transactions of the database per task`,
      value: median(ours, ({ commits }) => commits),
      unit: '',
    },
    {
      id: 'P1b',
      what: `${what}: CPU of the scheduler per task`,
      value: median(ours, ({ cpuMicros }) => cpuMicros),
      unit: 'µs',
    },
  ];
};

/** Whole lives, round by round: submitted for some seconds, and followed to their ends. */
export async function living(
  surroundings: Surroundings,
  served: Served,
  seconds: number,
): Promise<Subject<Lives>> {
  const herd = await herdOf(surroundings, served, { workers: WORKERS, ends: true });
  const { child, url } = served.service;
  const round = async (n: number | string): Promise<Lives> => {
    const before = await standingOf(served);
    const began = performance.now();
    const load = { ...submitting(`life-${n}`), seconds };
    const { requests } = await surroundings.drive(child.pid, url, load);
    let recorded = 0;
    const isOver = async (): Promise<boolean> => {
      recorded += (await tallyOf(herd)).recorded;
      return recorded >= requests;
    };
    await until(isOver, `the end of ${requests} tasks`, PATIENCE_MS);
    const tookS = (performance.now() - began) / 1_000;
    const after = await standingOf(served);
    return {
      perSecond: requests / tookS,
      commits: (after.commits - before.commits) / requests,
      cpuMicros: ((after.cpuMs - before.cpuMs) * 1_000) / requests,
    };
  };
  await round('warm');
  return { round };
}

interface Standing {
  readonly commits: number;
  readonly cpuMs: number;
}

async function standingOf(served: Served): Promise<Standing> {
  const { service, databaseUrl } = served;
  return {
    commits: await committed(databaseUrl),
    cpuMs: cpuMs(service.child.pid),
  };
}
