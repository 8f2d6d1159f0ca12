import type { Figure, Row } from '../figure';
import { herdOf, submitting } from '../herd';
import { fillHistory, HISTORY_PREFIX } from '../history';
import { NUMBER, type Call, type Load } from '../load';
import { interleaved, median, medianRatio, type Subject } from '../rounds';
import type { Costed, Served, Surroundings } from '../surroundings';

const MODELS = 20;
/** Of the history that the long one is compared with: enough to fill every page of a list. */
const SHORT_HISTORY = 10_000;
const READING_CONNECTIONS = 8;
const MOST_QUERY_P99_MS = 10;
const MOST_LIST_P99_MS = 100;
/** What was seen with the short history may be lost by this share. */
const LEAST_RATIO = 0.8;

/** Of a round, and of how many tasks are on record. */
type Calls = (n: number, history: number) => Omit<Load, 'seconds'>;

/** What is asked of both, and how long it may take. */
interface Asked {
  readonly what: string;
  readonly load: Calls;
  readonly mostP99Ms?: number;
}

const ASKED: readonly Asked[] = [
  { what: 'POST /queue/submit', load: (n) => submitting(`past-${n}`) },
  { what: 'GET /task/query', load: (_, tasks) => queries(tasks), mostP99Ms: MOST_QUERY_P99_MS },
  {
    what: 'GET /v1/tasks, finished ones of one queue',
    load: () => lists('state=finished'),
    mostP99Ms: MOST_LIST_P99_MS,
  },
  {
    what: 'GET /v1/tasks, failed ones of one queue',
    load: () => lists('state=failed'),
    mostP99Ms: MOST_LIST_P99_MS,
  },
];

/** P7: the same calls with a long and with a short history behind them, in turn. */
export const history: Figure = async ({ surroundings, extent }) => {
  const { seconds, rounds, history: longest } = extent;
  const short = await recorded(surroundings, 'short', Math.min(longest, SHORT_HISTORY));
  const long = await recorded(surroundings, 'long', longest);
  const rows: Row[] = [];
  for (const asked of ASKED) {
    const seen = await interleaved(rounds, {
      long: asking(surroundings, long, asked, seconds),
      short: asking(surroundings, short, asked, seconds),
    });
    rows.push(...rowsOf(asked, longest, seen));
  }
  return rows;
};

/** A service and how many finished tasks it has on record. */
interface Recorded {
  readonly served: Served;
  readonly tasks: number;
}

async function recorded(
  surroundings: Surroundings,
  name: string,
  tasks: number,
): Promise<Recorded> {
  const served = await surroundings.serve({ name });
  await herdOf(surroundings, served, { workers: 1 });
  await fillHistory(served.databaseUrl, tasks, MODELS);
  return { served, tasks };
}

function asking(
  surroundings: Surroundings,
  { served, tasks }: Recorded,
  { load }: Asked,
  seconds: number,
): Subject<Costed> {
  const { child, url } = served.service;
  const round = (n: number): Promise<Costed> =>
    surroundings.drive(child.pid, url, { ...load(n, tasks), seconds });
  return { round };
}

function queries(among: number): Omit<Load, 'seconds'> {
  const path = `/task/query?task_id=${HISTORY_PREFIX}-${NUMBER}`;
  return { calls: [{ method: 'GET', path }], among, connections: READING_CONNECTIONS };
}

function lists(filter: string): Omit<Load, 'seconds'> {
  const calls = Array.from({ length: MODELS }, (_, n): Call => {
    return { method: 'GET', path: `/v1/tasks?${filter}&queue=model-${n}&limit=50` };
  });
  return { calls, connections: READING_CONNECTIONS };
}

type Seen = Readonly<Record<'long' | 'short', readonly Costed[]>>;

function rowsOf({ what, mostP99Ms }: Asked, tasks: number, { long, short }: Seen): readonly Row[] {
  const p99 = median(long, ({ p99Ms }) => p99Ms);
  const ratio = medianRatio(long, short, rate);
  const named = `${what}, ${tasks} finished tasks`;
  const unchanged: Row = {
    id: 'P7',
    what: named,
    value: median(long, rate),
    unit: '/s',
    limit: median(short, rate),
    of: `${SHORT_HISTORY} finished`,
    ratio,
    goal: `≥ ${LEAST_RATIO} ×`,
    reached: ratio >= LEAST_RATIO,
  };
  const within: Row = { id: 'P7', what: `${named}: p99`, value: p99, unit: 'ms' };
  if (mostP99Ms === undefined) return [unchanged, within];
  return [unchanged, { ...within, goal: `≤ ${mostP99Ms} ms`, reached: p99 <= mostP99Ms }];
}

function rate({ perSecond }: Costed): number {
  return perSecond;
}
