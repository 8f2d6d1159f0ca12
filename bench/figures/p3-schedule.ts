import { medianOf } from '../../src/simulation/spread';
import { echoing } from '../echoing';
import type { Figure, Row } from '../figure';
import { HEARTBEAT_S, PlayedWorkers, scheduling } from '../heartbeats';
import { interleaved, median, medianRatio, type Subject } from '../rounds';
import type { Costed, Surroundings } from '../surroundings';

/** No placement of a run is let go for the next one, and no worker for its silence between rounds. */
const UNLIMITED = {
  FORESAIL_LIVE_PLACEMENTS: '10000000',
  FORESAIL_SUSPECT_MS: '3600000',
  FORESAIL_LOST_MS: '7200000',
};
const SIZES = [10, 500, 5_000, 10_000];
/** Fleets whose own heartbeats are a load beside the placements: these are measured with them, too. */
const LARGE = 5_000;
/** What the player sends per second, whatever the size: as many as 500 workers do. */
const PLAYED_PER_S = 500 / HEARTBEAT_S;
/** Sizes differ by less than two rounds do: there are more of them, and shorter ones. */
const ROUNDS_OF_ONE = 6;
const WARM_ROUNDS = 3;
const SHARE_OF_SECONDS = 0.25;
/** Of the raw echo: what the peer in Go does with 500 workers. */
const LEAST_RATIO = 0.19;
const LEAST_FLATNESS = 0.9;
const MOST_IDLE_P50_MS = 2;
const IDLE_WORKERS = 500;

/**
 * P3: placements for workers that take their tasks elsewhere, durable like everything else, from 10 to
 * 10 000 workers. A player heartbeats meanwhile, at the same pace for every size, so that the sizes
 * differ in nothing else. Afterwards large fleets are measured once more with all of their own
 * heartbeats, which come from the same cores.
 */
export const schedule: Figure = async ({ surroundings, extent }) => {
  const rounds = extent.rounds * ROUNDS_OF_ONE;
  const seconds = extent.seconds * SHARE_OF_SECONDS;
  const sizes = [...new Set(SIZES.map((size) => Math.max(10, Math.round(size * extent.scale))))];
  const large = sizes.filter((size) => size >= LARGE * extent.scale);
  const trial: Trial = {
    surroundings,
    seconds,
    raw: await echoing(surroundings, 'echo', seconds),
    fleets: new Map(),
  };
  for (const size of sizes) {
    const served = await surroundings.serve({ name: `schedule-${size}`, env: UNLIMITED });
    trial.fleets.set(size, await PlayedWorkers.start(surroundings, served, size));
  }
  const played = { sizes, heartbeatsOf: () => PLAYED_PER_S };
  await placed(trial, { ...played, name: 'warm', rounds: WARM_ROUNDS });
  const alike = await placed(trial, { ...played, name: 'alike', rounds });
  const own = { sizes: large, heartbeatsOf: (size: number) => size / HEARTBEAT_S };
  const whole = await placed(trial, { ...own, name: 'whole', rounds });
  const ours = sizes.map((size) => alike[size] ?? []);
  const idle = trial.fleets.get(IDLE_WORKERS) ?? [...trial.fleets.values()][0];
  return [
    ...sizes.flatMap((size, n) => sizeRows(size, ours[n] ?? [], alike['raw'] ?? [])),
    flatnessRow(ours),
    {
      id: 'P3',
      what: 'the same by CPU of the scheduler',
      value: flatness(ours, perCpuSecond),
      unit: '',
    },
    ...large.map((size) => wholeFleetRow(size, whole[size] ?? [], whole['raw'] ?? [])),
    ...(idle === undefined ? [] : [await idleRow(surroundings, idle, extent.seconds)]),
  ];
};

/** The fleets, each with a service of its own. */
interface Trial {
  readonly surroundings: Surroundings;
  readonly seconds: number;
  readonly raw: Subject<Costed>;
  readonly fleets: Map<number, PlayedWorkers>;
}

interface Series {
  /** Of its tasks' ids. */
  readonly name: string;
  readonly rounds: number;
  readonly sizes: readonly number[];
  /** Per second. */
  readonly heartbeatsOf: (size: number) => number;
}

/** Placements on fleets of these sizes, beside the raw echo. */
function placed(
  { surroundings, seconds, raw, fleets }: Trial,
  { name, rounds, sizes, heartbeatsOf }: Series,
): Promise<Readonly<Record<string, readonly Costed[]>>> {
  const subjects: Record<string, Subject<Costed>> = { raw };
  const load = (n: number) => ({ ...scheduling(`${name}-${n}`), seconds });
  for (const size of sizes) {
    const workers = fleets.get(size);
    if (workers === undefined) continue;
    const round = (n: number): Promise<Costed> =>
      workers.during(surroundings, load(n), heartbeatsOf(size));
    subjects[size] = { round };
  }
  return interleaved(rounds, subjects);
}

function sizeRows(size: number, ours: readonly Costed[], raw: readonly Costed[]): readonly Row[] {
  const what = `POST /api/v1/schedule, ${size} workers`;
  const row = overRaw(what, ours, raw);
  const reached = (row.ratio ?? NaN) >= LEAST_RATIO;
  const cpu = median(ours, ({ cpuMicros }) => cpuMicros);
  return [
    { ...row, goal: `≥ ${LEAST_RATIO} × the raw echo`, reached },
    { id: 'P3', what: `${what}: CPU of the scheduler per request`, value: cpu, unit: 'µs' },
  ];
}

function wholeFleetRow(size: number, ours: readonly Costed[], raw: readonly Costed[]): Row {
  const perSecond = (size / HEARTBEAT_S).toFixed(0);
  const what = `POST /api/v1/schedule, ${size} workers, all of them heartbeat (${perSecond}/s)`;
  return overRaw(what, ours, raw);
}

function overRaw(what: string, ours: readonly Costed[], raw: readonly Costed[]): Row {
  return {
    id: 'P3',
    what,
    value: median(ours, rate),
    unit: '/s',
    limit: median(raw, rate),
    of: 'raw echo',
    ratio: medianRatio(ours, raw, rate),
  };
}

function flatnessRow(sizes: readonly (readonly Costed[])[]): Row {
  const value = flatness(sizes);
  return {
    id: 'P3',
    what: 'the slowest size over the fastest',
    value,
    unit: '',
    goal: `≥ ${LEAST_FLATNESS}`,
    reached: value >= LEAST_FLATNESS,
  };
}

/**
 * The slowest size over the fastest, each by the median of its share of what all sizes do in a round: what
 * the machine does meanwhile meets all of them.
 */
function flatness(sizes: readonly (readonly Costed[])[], speed = rate): number {
  const total = (n: number): number =>
    sizes.reduce((sum, rounds) => sum + (rounds[n] === undefined ? NaN : speed(rounds[n])), 0);
  const shares = sizes.map(
    (rounds) => medianOf(rounds.map((round, n) => speed(round) / total(n))) ?? NaN,
  );
  return Math.min(...shares) / Math.max(...shares);
}

/** One connection, and nobody else asks. */
async function idleRow(
  surroundings: Surroundings,
  workers: PlayedWorkers,
  seconds: number,
): Promise<Row> {
  const load = { ...scheduling('idle'), seconds, connections: 1 };
  const { p50Ms } = await workers.during(surroundings, load, PLAYED_PER_S);
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
