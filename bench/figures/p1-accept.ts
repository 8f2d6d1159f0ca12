import { echoing } from '../echoing';
import type { Figure, Row } from '../figure';
import { herdOf, submitting } from '../herd';
import { interleaved, median, medianRatio, type Subject } from '../rounds';
import type { Costed, Served, Surroundings } from '../surroundings';

/** Accepted tasks per second, over those that the framework's own echo answers. */
const LEAST_RATIO = 1;
const MOST_P99_MS = 25;

/**
 * P1: accepting alone. One worker is there and full, so that every task stays in line; the answer comes
 * after the commit. Beside it the bare server, and the framework as it comes, which store nothing.
 */
export const accept: Figure = async ({ surroundings, extent }) => {
  const served = await surroundings.serve({ name: 'accept' });
  const seen = await interleaved(extent.rounds, {
    raw: await echoing(surroundings, 'echo', extent.seconds),
    nest: await echoing(surroundings, 'nest-echo', extent.seconds),
    ours: await accepting(surroundings, served, extent.seconds),
  });
  return rowsOf(seen);
};

/** Submissions that find no free slot, round by round. */
export async function accepting(
  surroundings: Surroundings,
  served: Served,
  seconds: number,
): Promise<Subject<Costed>> {
  await herdOf(surroundings, served, { workers: 1 });
  const { child, url } = served.service;
  const round = (n: number | string): Promise<Costed> =>
    surroundings.drive(child.pid, url, { ...submitting(`accept-${n}`), seconds });
  await round('warm');
  return { round };
}

type Seen = Readonly<Record<'raw' | 'nest' | 'ours', readonly Costed[]>>;

function rowsOf({ raw, nest, ours }: Seen): readonly Row[] {
  const rate = ({ perSecond }: Costed): number => perSecond;
  const cost = ({ cpuMicros }: Costed): number => cpuMicros;
  const ratio = medianRatio(ours, nest, rate);
  const p99 = median(ours, ({ p99Ms }) => p99Ms);
  const what = 'POST /queue/submit, nothing free, 32 connections';
  return [
    {
      id: 'P1',
      what,
      value: median(ours, rate),
      unit: '/s',
      limit: median(nest, rate),
      of: 'Nest echo',
      ratio,
      goal: `≥ ${LEAST_RATIO.toFixed(1)} × the Nest echo`,
      reached: ratio >= LEAST_RATIO,
    },
    {
      id: 'P1',
      what: `${what}: over the raw echo`,
      value: median(ours, rate),
      unit: '/s',
      limit: median(raw, rate),
      of: 'raw echo',
      ratio: medianRatio(ours, raw, rate),
    },
    { id: 'P1', what: `${what}: p50`, value: median(ours, ({ p50Ms }) => p50Ms), unit: 'ms' },
    {
      id: 'P1',
      what: `${what}: p99`,
      value: p99,
      unit: 'ms',
      limit: median(nest, ({ p99Ms }) => p99Ms),
      of: 'Nest echo',
      goal: `≤ ${MOST_P99_MS} ms`,
      reached: p99 <= MOST_P99_MS,
    },
    {
      id: 'P1',
      what: `${what}: CPU of the scheduler per request`,
      value: median(ours, cost),
      unit: 'µs',
      limit: median(nest, cost),
      of: 'Nest echo',
      ratio: medianRatio(ours, nest, cost),
    },
  ];
}
