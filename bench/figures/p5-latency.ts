import { commitsPerTask } from '../database';
import type { Figure } from '../figure';
import { herdOf, submitting, tallyOf } from '../herd';
import { interleaved, median, type Subject } from '../rounds';
import { spreadOf } from '../../src/simulation/spread';
import type { Served, Surroundings } from '../surroundings';

const WORKERS = 8;
const PER_SECOND = 500;
const MOST_P50_MS = 3;
const MOST_P99_MS = 15;
const MOST_COMMITS = 2;

/** From the client's sending to the arrival at the worker. */
export interface Delay {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** P5: how soon a worker of an idle fleet has a task, at an even pace. The submission is committed first. */
export const latency: Figure = async ({ surroundings, extent }) => {
  const served = await surroundings.serve({ name: 'latency' });
  const subject = await arriving(surroundings, served, extent.seconds);
  const { ours } = await interleaved(extent.rounds, { ours: subject });
  const p50 = median(ours, ({ p50Ms }) => p50Ms);
  const p99 = median(ours, ({ p99Ms }) => p99Ms);
  const writes = await commitsPerTask(served.databaseUrl);
  const what = `submit → the worker has it, ${PER_SECOND}/s, idle fleet`;
  return [
    {
      id: 'P5',
      what: `${what}: p50`,
      value: p50,
      unit: 'ms',
      goal: `≤ ${MOST_P50_MS} ms`,
      reached: p50 <= MOST_P50_MS,
    },
    {
      id: 'P5',
      what: `${what}: p99`,
      value: p99,
      unit: 'ms',
      goal: `≤ ${MOST_P99_MS} ms`,
      reached: p99 <= MOST_P99_MS,
    },
    {
      id: 'P1b',
      what: 'commits of the journal per task that finds a slot free (the load of P5)',
      value: writes,
      unit: '',
      goal: `≤ ${MOST_COMMITS}`,
      reached: writes <= MOST_COMMITS,
    },
  ];
};

/** Tasks that find the fleet idle, round by round. */
export async function arriving(
  surroundings: Surroundings,
  served: Served,
  seconds: number,
): Promise<Subject<Delay>> {
  const herd = await herdOf(surroundings, served, { workers: WORKERS, ends: true });
  const { child, url } = served.service;
  const round = async (n: number | string): Promise<Delay> => {
    await tallyOf(herd);
    const load = { ...submitting(`delay-${n}`), perSecond: PER_SECOND, seconds };
    await surroundings.drive(child.pid, url, load);
    const { p50, p99 } = spreadOf((await tallyOf(herd)).delaysMs);
    return { p50Ms: p50 ?? NaN, p99Ms: p99 ?? NaN };
  };
  await round('warm');
  return { round };
}
