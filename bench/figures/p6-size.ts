import type { Figure, Row } from '../figure';
import { MODELS, tried } from '../size-trial';

const INSTANCES = 500;
const TASKS = 100_000;
const MOST_MIB = 250;
const MOST_FIRST_MS = 6_000;
const MOST_WARM_MS = 2_000;
const MOST_TAKEOVER_MS = 3_000;

/** P6: memory, start and takeover of a large fleet with a long line before it. */
export const size: Figure = async ({ surroundings, extent: { scale } }) => {
  const instances = Math.max(MODELS, Math.ceil(INSTANCES * scale));
  const tasks = Math.ceil(TASKS * scale);
  const seen = await tried(surroundings, { instances, tasks, calls: false });
  const what = `${instances} instances, ${tasks} waiting tasks`;
  return [
    bound(`${what}: resident memory, filled at full speed`, seen.fullMib, 'MiB', MOST_MIB),
    bound(`${what}: resident memory after a takeover`, seen.takenOverMib, 'MiB', MOST_MIB),
    bound(`${what}: the same half a minute later`, seen.settledMib, 'MiB', MOST_MIB),
    bound('start to ready, the very first', seen.first.ms, 'ms', MOST_FIRST_MS),
    bound('start to ready, warm', seen.warm.ms, 'ms', MOST_WARM_MS),
    bound(`takeover of ${tasks} tasks`, seen.takeoverMs, 'ms', MOST_TAKEOVER_MS),
    {
      id: 'P6',
      what: 'of it, making the term from the rows',
      value: seen.takeoverTermMs,
      unit: 'ms',
    },
  ];
};

function bound(what: string, value: number, unit: string, most: number): Row {
  return { id: 'P6', what, value, unit, goal: `≤ ${most} ${unit}`, reached: value <= most };
}
