import type { Figure } from '../figure';
import { herdOf, taskOf } from '../herd';
import { post, type Call } from '../load';
import { median } from '../rounds';
import type { Costed } from '../surroundings';

const BATCH = 200;
/** More would only wait: the journal has one lane. */
const CONNECTIONS = 4;
const LEAST_PER_SECOND = 25_000;

/** P2: accepting tasks by the batch. Nothing is free, and the answer comes after the commit. */
export const batches: Figure = async ({ surroundings, limits, extent }) => {
  const served = await surroundings.serve({ name: 'batches' });
  await herdOf(surroundings, served, { workers: 1 });
  const { child, url } = served.service;
  const seen: Costed[] = [];
  const round = (n: number): Promise<Costed> =>
    surroundings.drive(child.pid, url, {
      calls: [batchOf(`batch-${n}`)],
      connections: CONNECTIONS,
      seconds: extent.seconds,
    });
  await round(0);
  for (let n = 1; n <= extent.rounds; n += 1) seen.push(await round(n));
  const tasks = median(seen, ({ perSecond }) => perSecond) * BATCH;
  const what = `POST /queue/submit_batch of ${BATCH}, ${CONNECTIONS} connections`;
  return [
    {
      id: 'P2',
      what: `${what}: tasks`,
      value: tasks,
      unit: '/s',
      limit: limits.rowsInBatches,
      of: 'bare rows',
      ratio: tasks / limits.rowsInBatches,
      goal: `≥ ${LEAST_PER_SECOND}/s`,
      reached: tasks >= LEAST_PER_SECOND,
    },
    {
      id: 'P2',
      what: `${what}: CPU of the scheduler per task`,
      value: median(seen, ({ cpuMicros }) => cpuMicros) / BATCH,
      unit: 'µs',
    },
  ];
};

/** Each task has the number of its batch and its own place in it. */
function batchOf(prefix: string): Call {
  const tasks = Array.from({ length: BATCH }, (_, n) => taskOf(`${prefix}-${n}`));
  return post('/queue/submit_batch', { model_name: 'model-0', tasks });
}
