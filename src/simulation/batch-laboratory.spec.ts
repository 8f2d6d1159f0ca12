import { SeededRandom } from '../ops/seeded-random';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { batchJobsOf } from './batch-jobs';
import {
  BATCH_PREDICTORS,
  BATCH_STRATEGIES,
  BatchLaboratory,
  LimitPredictor,
  OwnerPredictor,
} from './batch-laboratory';
import { CLUSTER_PRESETS, hostsOf } from './clusters';
import type { Policy } from './simulate';
import type { SimulatedPredictor } from './simulation';
import type { BatchRow } from './traces/batch-trace';
import type { SimulatedTask } from './workload';

const CLUSTER = hostsOf([
  { name: 'wide', count: 1, cores: 8, memoryGb: 64, labels: ['ssd'] },
  { name: 'thin', count: 2, cores: 2, memoryGb: 16, labels: [] },
]);

function rowOf(overrides: Partial<BatchRow> = {}): BatchRow {
  return {
    ...{ submitSeconds: 1_000, user: 'ann', queue: 'q', nodes: 1, cpusPerNode: 1, memoryMb: 0 },
    ...{ limitSeconds: 600, runSeconds: 60, labels: [] },
    ...overrides,
  };
}

/** Jobs of some busy days: most are narrow, and much shorter than the limit that they all have. */
function busyDays(count: number): readonly BatchRow[] {
  const random = new SeededRandom(5);
  return Array.from({ length: count }, (_, n) =>
    rowOf({
      ...{ submitSeconds: 750 * n, user: `u${n % 7}`, cpusPerNode: n % 9 === 0 ? 8 : 1 + (n % 2) },
      ...{ limitSeconds: 36_000, runSeconds: Math.round(60 * 2 ** (9 * random.next())) },
    }),
  );
}

describe('batchJobsOf', () => {
  it('makes of each row a job in the order of arrival, shaken by five minutes at most', () => {
    const rows = [0, 10_000, 10_010, 99_000].map((submitSeconds) => rowOf({ submitSeconds }));
    const { tasks } = batchJobsOf(rows, CLUSTER, 1);
    const arrivals = tasks.map(({ arrivalMs }) => arrivalMs);
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    expect([arrivals[0], tasks.map(({ index }) => index)]).toEqual([0, [0, 1, 2, 3]]);
    expect(Math.abs((arrivals[3] ?? 0) - 99_000_000)).toBeLessThanOrEqual(600_000);
    expect(batchJobsOf(rows, CLUSTER, 2).tasks).not.toEqual(tasks);
    expect(batchJobsOf(rows, CLUSTER, 1).tasks).toEqual(tasks);
  });

  it('asks for labels that some host has, and for memory in GiB', () => {
    const row = rowOf({ labels: ['ssd#excl', 'ssd', 'brno'], memoryMb: 2_048, limitSeconds: null });
    expect(batchJobsOf([row], CLUSTER, 1).tasks[0]?.job).toMatchObject({
      ...{ owner: 'ann', labels: ['ssd'], limitMs: Infinity },
      demand: { slots: 1, cpu: 1, memoryGb: 2 },
    });
  });

  it('leaves out what fits on no host, and says how many that are', () => {
    const rows = [
      rowOf({ cpusPerNode: 9 }),
      rowOf({ cpusPerNode: 2, memoryMb: 65 * 1_024 }),
      rowOf({ cpusPerNode: 8 }),
    ];
    const { tasks, unsatisfiable } = batchJobsOf(rows, CLUSTER, 1);
    expect([tasks.length, unsatisfiable]).toEqual([1, 2]);
  });
});

describe('BatchLaboratory', () => {
  const { tasks } = batchJobsOf(busyDays(600), CLUSTER, 1);
  const laboratory = new BatchLaboratory(tasks, CLUSTER, 1);
  const policy = (strategy: string, orderG: number, predictor: string): Policy => {
    const [make, predict] = [BATCH_STRATEGIES.get(strategy), BATCH_PREDICTORS.get(predictor)];
    if (!make || !predict) throw new Error('both are known');
    return { strategy: make, orderG, predictor: predict };
  };

  it('finds the reference equal to itself', () => {
    const { ratio, utilisationGain } = laboratory.compare(policy('best_fit', 0, 'limit'));
    expect(ratio).toEqual({ waitMean: 1, boundedSlowdown: 1, widest5: 1 });
    expect(utilisationGain).toBe(0);
  });

  it('runs every job to its end, and tells how busy the cores were', () => {
    const told: number[] = [];
    const run = laboratory.compare(policy('least_loaded', 2, 'owner'), (ended) => told.push(ended));
    const work = tasks.reduce((sum, one) => sum + one.serviceMs * (one.job?.demand.cpu ?? 0), 0);
    expect(run.tasks).toBe(600);
    expect(run.utilisation * run.makespan * 12).toBeCloseTo(work / 1_000, 3);
    expect(run.load).toBeGreaterThan(0.5);
  });

  it('waits less with estimates that are true', () => {
    const { ratio } = laboratory.compare(policy('best_fit', 2, 'oracle'));
    expect(ratio.waitMean).toBeLessThan(1);
    expect(ratio.boundedSlowdown).toBeLessThan(1);
  });

  it('knows the clusters of the logs', () => {
    const cores = [...CLUSTER_PRESETS].map(([name, hosts]) => {
      const sum = hosts.reduce((total, { host }) => total + (host?.capacity.cpu ?? 0), 0);
      return [name, hosts.length, sum];
    });
    expect(cores).toEqual([
      ['metacentrum', 68, 2_176],
      ['kth', 1, 100],
    ]);
    expect([...BATCH_STRATEGIES.keys()]).toContain(new EarliestStrategy().name);
  });
});

describe('predictors of batch jobs', () => {
  const [job] = batchJobsOf([rowOf()], CLUSTER, 1).tasks;
  const meanOf = (predictor: SimulatedPredictor, task: SimulatedTask): number =>
    predictor.predict(task).mean;

  it('believe the limit, or a day where there is none', () => {
    const endless = batchJobsOf([rowOf({ limitSeconds: null })], CLUSTER, 1).tasks;
    if (!job || !endless[0]) throw new Error('two jobs');
    const limits = new LimitPredictor();
    expect([meanOf(limits, job), meanOf(limits, endless[0])]).toEqual([600_000, 86_400_000]);
  });

  it('learn from the jobs of the owner', () => {
    if (!job) throw new Error('one job');
    const owners = new OwnerPredictor();
    expect(meanOf(owners, job)).toBe(600_000);
    owners.learn(job);
    expect(meanOf(owners, job)).toBeCloseTo(Math.sqrt(600_000 * 60_000), 6);
  });
});
