import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../figure';
import { HEARTBEAT_S, PlayedWorkers } from '../heartbeats';
import { cpuMs } from '../process-cost';

const WORKERS = 500;
const BEATING_S = 30;
const IDLE_S = 10;
const MOST_SHARE = 2;

/** P8: what it costs to be told every three seconds that 500 workers are there. */
export const heartbeats: Figure = async ({ surroundings, extent: { scale } }) => {
  const served = await surroundings.serve({ name: 'heartbeats' });
  const { pid } = served.service.child;
  const share = async (seconds: number, meanwhile: Promise<void>): Promise<number> => {
    const [before, began] = [cpuMs(pid), performance.now()];
    await meanwhile;
    return (100 * (cpuMs(pid) - before)) / Math.max(performance.now() - began, seconds * 1_000);
  };
  const lasting = (seconds: number): number => Math.max(1, seconds * scale);
  const workers = await PlayedWorkers.start(surroundings, served, WORKERS);
  const beatingS = lasting(BEATING_S);
  const beating = await share(beatingS, workers.sayFor(beatingS));
  const idleS = lasting(IDLE_S);
  const idle = await share(idleS, sleep(idleS * 1_000));
  const value = Math.max(0, beating - idle);
  return [
    {
      id: 'P8',
      what: `${WORKERS} workers heartbeat every ${HEARTBEAT_S} s (at rest: ${idle.toFixed(1)} %)`,
      value,
      unit: '% of a core',
      goal: `≤ ${MOST_SHARE} %`,
      reached: value <= MOST_SHARE,
    },
  ];
};
