import { fits, ONE_SLOT, type Resources } from '../core/resources';
import { SeededRandom } from '../ops/seeded-random';
import type { SimulatedInstance } from './fleets';
import type { BatchRow } from './traces/batch-trace';
import type { SimulatedTask } from './workload';

/** Submissions are shaken by up to so much, so that a figure is not that of one lucky order. */
const SHAKE_MS = 5 * 60_000;
const MIB_PER_GIB = 1024;

/** The jobs of a trace on a cluster. */
export interface BatchJobs {
  /** In the order of arrival. */
  readonly tasks: readonly SimulatedTask[];
  /** Jobs that no host could hold. */
  readonly unsatisfiable: number;
}

/**
 * The jobs of a trace as they come to that cluster, each submission shaken by up to five minutes.
 * Labels that no host has are not asked for: the log knows more of its cluster than we do.
 */
export function batchJobsOf(
  rows: readonly BatchRow[],
  cluster: readonly SimulatedInstance[],
  seed: number,
): BatchJobs {
  const hosts = cluster.flatMap(({ host }) => host ?? []);
  const known = new Set(hosts.flatMap(({ labels }) => labels));
  const random = new SeededRandom(seed);
  const jobs = rows.map((row) => {
    const labels = [...new Set(row.labels.map(plainLabel))].filter((label) => known.has(label));
    const arrivalMs = row.submitSeconds * 1_000 + SHAKE_MS * (2 * random.next() - 1);
    return { row, labels, arrivalMs, demand: demandOf(row) };
  });
  const satisfiable = jobs.filter(({ labels, demand }) =>
    hosts.some(
      (host) => fits(demand, host.capacity) && labels.every((label) => host.labels.includes(label)),
    ),
  );
  const begin = satisfiable.reduce((least, { arrivalMs }) => Math.min(least, arrivalMs), Infinity);
  const tasks = satisfiable
    .sort((a, b) => a.arrivalMs - b.arrivalMs)
    .map(({ row, labels, arrivalMs, demand }, index) => ({
      index,
      arrivalMs: arrivalMs - begin,
      model: row.queue,
      metadata: {},
      serviceMs: row.runSeconds * 1_000,
      job: {
        owner: row.user,
        demand,
        labels,
        limitMs: row.limitSeconds === null ? Infinity : row.limitSeconds * 1_000,
      },
    }));
  return { tasks, unsatisfiable: jobs.length - tasks.length };
}

function demandOf({ cpusPerNode, memoryMb }: BatchRow): Resources {
  return { ...ONE_SLOT, cpu: cpusPerNode, memoryGb: memoryMb / MIB_PER_GIB };
}

/** `zewura#excl` is the label `zewura`, and a wish that is not ours to grant. */
function plainLabel(label: string): string {
  return label.split('#', 1)[0] ?? label;
}
