import { echoing } from '../echoing';
import type { Figure, Row } from '../figure';
import { HEARTBEAT_S, PlayedWorkers, scheduling } from '../heartbeats';
import { interleaved, median, medianRatio, type Subject } from '../rounds';
import type { Costed, Surroundings } from '../surroundings';

/** No placement of a run is let go for the next one. */
const UNLIMITED = { FORESAIL_LIVE_PLACEMENTS: '10000000' };
const SIZES = [10, 500, 5_000, 10_000];
/** Of the raw echo: what the peer in Go does with 500 workers. */
const LEAST_RATIO = 0.19;
const LEAST_FLATNESS = 0.9;
const MOST_IDLE_P50_MS = 2;
const IDLE_WORKERS = 500;

/**
 * P3: placements for workers that take their tasks elsewhere, durable like everything else, from 10 to
 * 10 000 workers. The workers heartbeat meanwhile, from the same machine and at its cost.
 */
export const schedule: Figure = async ({ surroundings, extent: { seconds, rounds, scale } }) => {
  const sizes = SIZES.map((size) => Math.max(SIZES[0] ?? 1, Math.round(size * scale)));
  const fleets = new Map<number, PlayedWorkers>();
  const subjects: Record<string, Subject<Costed>> = {
    raw: await echoing(surroundings, 'echo', seconds),
  };
  for (const size of new Set(sizes)) {
    const served = await surroundings.serve({ name: `schedule-${size}`, env: UNLIMITED });
    const workers = await PlayedWorkers.start(surroundings, served, size);
    fleets.set(size, workers);
    subjects[size] = await placing(surroundings, workers, seconds);
  }
  const { raw = [], ...seen } = await interleaved(rounds, subjects);
  const idle = fleets.get(IDLE_WORKERS) ?? [...fleets.values()][0];
  return [
    ...Object.entries(seen).map(([size, ours]) => sizeRow(Number(size), ours, raw)),
    flatnessRow(Object.values(seen)),
    ...(idle === undefined ? [] : [await idleRow(surroundings, idle, seconds)]),
  ];
};

/** Placements on one fleet, round by round. */
async function placing(
  surroundings: Surroundings,
  workers: PlayedWorkers,
  seconds: number,
): Promise<Subject<Costed>> {
  const round = async (n: number | string): Promise<Costed> => {
    await workers.sayOnce();
    return workers.during(surroundings, { ...scheduling(`place-${n}`), seconds });
  };
  await round('warm');
  return { round };
}

function sizeRow(size: number, ours: readonly Costed[], raw: readonly Costed[]): Row {
  const ratio = medianRatio(ours, raw, rate);
  const heartbeats = (size / HEARTBEAT_S).toFixed(0);
  return {
    id: 'P3',
    what: `POST /api/v1/schedule, ${size} workers (and ${heartbeats} heartbeats/s)`,
    value: median(ours, rate),
    unit: '/s',
    limit: median(raw, rate),
    of: 'raw echo',
    ratio,
    goal: `≥ ${LEAST_RATIO} × the raw echo`,
    reached: ratio >= LEAST_RATIO,
  };
}

function flatnessRow(sizes: readonly (readonly Costed[])[]): Row {
  const rates = sizes.map((rounds) => median(rounds, rate));
  const flatness = Math.min(...rates) / Math.max(...rates);
  return {
    id: 'P3',
    what: 'the slowest size over the fastest',
    value: flatness,
    unit: '',
    goal: `≥ ${LEAST_FLATNESS}`,
    reached: flatness >= LEAST_FLATNESS,
  };
}

/** One connection, and nobody else asks. */
async function idleRow(
  surroundings: Surroundings,
  workers: PlayedWorkers,
  seconds: number,
): Promise<Row> {
  await workers.sayOnce();
  const load = { ...scheduling('idle'), seconds, connections: 1 };
  const { p50Ms } = await workers.during(surroundings, load);
  return {
    id: 'P3',
    what: 'POST /api/v1/schedule, one connection: p50',
    value: p50Ms,
    unit: 'ms',
    goal: `≤ ${MOST_IDLE_P50_MS} ms`,
    reached: p50Ms <= MOST_IDLE_P50_MS,
  };
}

function rate({ perSecond }: Costed): number {
  return perSecond;
}
