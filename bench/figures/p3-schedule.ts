import { echoing } from '../echoing';
import type { Figure, Row } from '../figure';
import { HEARTBEAT_S, PlayedWorkers, scheduling } from '../heartbeats';
import type { Load } from '../load';
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
 * 10 000 workers. The workers heartbeat meanwhile, from the same machine and at its cost; and, to tell
 * that cost from the one of their number, they are silent for a round.
 */
export const schedule: Figure = async ({ surroundings, extent: { seconds, rounds, scale } }) => {
  const sizes = [...new Set(SIZES.map((size) => Math.max(10, Math.round(size * scale))))];
  const fleets = new Map<number, PlayedWorkers>();
  const subjects: Record<string, Subject<Costed>> = {
    raw: await echoing(surroundings, 'echo', seconds),
  };
  for (const size of sizes) {
    const served = await surroundings.serve({ name: `schedule-${size}`, env: UNLIMITED });
    const workers = await PlayedWorkers.start(surroundings, served, size);
    fleets.set(size, workers);
    subjects[size] = await placing(workers, 'place', (calls) =>
      workers.during(surroundings, { ...calls, seconds }),
    );
    subjects[silentOf(size)] = await placing(workers, 'silent', (calls) =>
      workers.silently(surroundings, { ...calls, seconds }),
    );
  }
  const seen = await interleaved(rounds, subjects);
  const beating = sizes.map((size) => seen[size] ?? []);
  const silent = sizes.map((size) => seen[silentOf(size)] ?? []);
  const idle = fleets.get(IDLE_WORKERS) ?? [...fleets.values()][0];
  return [
    ...sizes.map((size, n) => sizeRow(size, beating[n] ?? [], seen['raw'] ?? [])),
    flatnessRow('the slowest size over the fastest', beating),
    ...sizes.flatMap((size, n) => silentRows(size, silent[n] ?? [])),
    flatnessRow('the slowest over the fastest of these', silent),
    {
      id: 'P3',
      what: 'the same by CPU, of which other programs take nothing',
      value: flatness(silent, perCpuSecond),
      unit: '',
    },
    ...(idle === undefined ? [] : [await idleRow(surroundings, idle, seconds)]),
  ];
};

function silentOf(size: number): string {
  return `silent-${size}`;
}

/** Placements on one fleet, round by round. A round is shorter than the time to become suspect. */
async function placing(
  workers: PlayedWorkers,
  prefix: string,
  drive: (calls: Pick<Load, 'calls'>) => Promise<Costed>,
): Promise<Subject<Costed>> {
  const round = async (n: number | string): Promise<Costed> => {
    await workers.sayOnce();
    return drive(scheduling(`${prefix}-${n}`));
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

function silentRows(size: number, ours: readonly Costed[]): readonly Row[] {
  const what = `POST /api/v1/schedule, ${size} workers, silent meanwhile`;
  const cpu = median(ours, ({ cpuMicros }) => cpuMicros);
  return [
    { id: 'P3', what, value: median(ours, rate), unit: '/s' },
    { id: 'P3', what: `${what}: CPU of the scheduler per request`, value: cpu, unit: 'µs' },
  ];
}

function flatnessRow(what: string, sizes: readonly (readonly Costed[])[]): Row {
  const value = flatness(sizes);
  return {
    id: 'P3',
    what,
    value,
    unit: '',
    goal: `≥ ${LEAST_FLATNESS}`,
    reached: value >= LEAST_FLATNESS,
  };
}

/** The slowest size over the fastest. */
function flatness(sizes: readonly (readonly Costed[])[], speed = rate): number {
  const rates = sizes.map((rounds) => median(rounds, speed));
  return Math.min(...rates) / Math.max(...rates);
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

function perCpuSecond({ cpuMicros }: Costed): number {
  return 1_000_000 / cpuMicros;
}

function rate({ perSecond }: Costed): number {
  return perSecond;
}
