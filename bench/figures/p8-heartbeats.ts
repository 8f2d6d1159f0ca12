import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../figure';
import { HEARTBEAT_S, PlayedWorkers } from '../heartbeats';
import { submitting } from '../herd';
import { cpuMs } from '../process-cost';
import { interleaved, median, medianRatio, type Subject } from '../rounds';
import type { Surroundings } from '../surroundings';

const WORKERS = 500;
const PER_SECOND = WORKERS / HEARTBEAT_S;
const CONNECTIONS = 8;
/** Rounds of the other loads are shorter: such a pace costs so little that a tick of the clock shows. */
const SHARE_OF_SECONDS = 1.5;
/** No worker is suspect for its silence between rounds. */
const PATIENT = { FORESAIL_SUSPECT_MS: '3600000', FORESAIL_LOST_MS: '7200000' };
/**
 * So often everybody is asked at full speed before it counts: a scheduler that has run for an hour has its
 * code compiled, and one that has only just started computes more.
 */
const WARM_ROUNDS = 40;
const MOST_SHARE = 2;

/**
 * P8: what it costs to be told every three seconds that 500 workers are there, in turn with what a raw
 * echo computes at the same pace.
 */
export const heartbeats: Figure = async ({ surroundings, extent }) => {
  const seconds = extent.seconds * SHARE_OF_SECONDS;
  const warmRounds = Math.ceil(WARM_ROUNDS * extent.scale);
  const echo = await echoing(surroundings, seconds, warmRounds);
  const served = await surroundings.serve({ name: 'heartbeats', env: PATIENT });
  const workers = await PlayedWorkers.start(surroundings, served, WORKERS);
  for (let n = 0; n < warmRounds; n += 1) await workers.sayOnce();
  const { pid } = served.service.child;
  const seen = await interleaved(extent.rounds, {
    echo,
    rest: { round: () => shareOf(pid, () => sleep(seconds * 1_000)) },
    beating: { round: () => shareOf(pid, () => workers.sayFor(seconds)) },
  });
  const share = (percent: number): number => percent;
  const rest = median(seen.rest, share);
  const cost = seen.beating.map((percent) => Math.max(0, percent - rest));
  const value = median(cost, share);
  return [
    {
      id: 'P8',
      what: `${WORKERS} workers heartbeat every ${HEARTBEAT_S} s (at rest: ${rest.toFixed(1)} %)`,
      value,
      unit: '% of a core',
      limit: median(seen.echo, share),
      of: 'raw echo',
      ratio: medianRatio(cost, seen.echo, share),
      goal: `≤ ${MOST_SHARE} %`,
      reached: value <= MOST_SHARE,
    },
  ];
};

/** The echo at that pace. At rest it computes nothing. */
async function echoing(
  surroundings: Surroundings,
  seconds: number,
  warmRounds: number,
): Promise<Subject<number>> {
  const { child, ports } = await surroundings.start('echo');
  const origin = `http://127.0.0.1:${ports[0]}`;
  const load = { ...submitting('echo'), connections: CONNECTIONS };
  await surroundings.drive(child.pid, origin, { ...load, requests: warmRounds * WORKERS });
  const paced = { ...load, seconds, perSecond: PER_SECOND };
  const round = (): Promise<number> =>
    shareOf(child.pid, () => surroundings.drive(child.pid, origin, paced));
  return { round };
}

/** What a process computes meanwhile, in percent of a core. */
async function shareOf(
  pid: number | undefined,
  meanwhile: () => Promise<unknown>,
): Promise<number> {
  const [before, began] = [cpuMs(pid), performance.now()];
  await meanwhile();
  return (100 * (cpuMs(pid) - before)) / (performance.now() - began);
}
