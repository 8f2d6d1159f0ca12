import { SingleBar } from 'cli-progress';
import { batchJobsOf, type BatchJobs } from '../simulation/batch-jobs';
import {
  BATCH_PREDICTORS,
  BATCH_STRATEGIES,
  BatchLaboratory,
  type BatchComparison,
} from '../simulation/batch-laboratory';
import { CLUSTER_PRESETS } from '../simulation/clusters';
import type { SimulatedInstance } from '../simulation/fleets';
import type { Policy } from '../simulation/simulate';
import type { BatchRow } from '../simulation/traces/batch-trace';
import { stretchedToLoad } from '../simulation/workload';
import { CommandFailure, EXIT } from './exit';
import {
  durationText,
  print,
  recordText,
  tableText,
  type Column,
  type OutputFormat,
} from './output';
import { BAR } from './simulation-bar';

/** What was asked for, as far as it holds for batch jobs. */
export interface BatchFlags {
  readonly trace: string;
  readonly limit: number;
  readonly fleet?: string;
  readonly strategy: readonly string[];
  readonly order: readonly number[];
  readonly load?: readonly number[];
  readonly predictor?: readonly string[];
  readonly seed: readonly number[];
  readonly output?: OutputFormat;
}

/** One policy on the jobs of one seed, as it is printed. */
interface BatchRun extends BatchComparison {
  readonly strategy: string;
  readonly order: number;
  readonly fleet: string;
  readonly predictor: string;
  readonly seed: number;
}

/** Runs strategies over a trace of batch jobs, and prints what they come to beside the reference. */
export async function simulateBatch(flags: BatchFlags): Promise<void> {
  const { readBatchTrace } = await import('../simulation/traces/batch-trace.js');
  const cluster = await clusterOf(flags.fleet);
  const policies = policiesOf(flags);
  const { jobs, leftOut } = await readBatchTrace(flags.trace, flags.limit);
  const trials = trialsOf(flags, jobs, cluster);
  const bar = new SingleBar({ format: BAR, clearOnComplete: true, noTTYOutput: false });
  bar.start(trials.length * policies.length * jobs.length, 0);
  const runs: BatchRun[] = [];
  try {
    for (const { tasks, seed } of trials) {
      const laboratory = new BatchLaboratory(tasks, cluster, seed);
      for (const { names, policy } of policies) {
        const begun = runs.length * jobs.length;
        const comparison = laboratory.compare(policy, (ended) => bar.update(begun + ended));
        runs.push({ ...names, fleet: flags.fleet ?? '', seed, ...comparison });
        // Lets Ctrl-C be heard between two runs.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  } finally {
    bar.stop();
  }
  const left = { left_out: leftOut, unsatisfiable: trials[0]?.unsatisfiable ?? 0 };
  const text = (): string => recordText(leftText(left)) + tableText(runs, COLUMNS, '');
  print({ json: { trace: flags.trace, ...left, runs }, text }, flags.output);
}

/** The jobs of one seed, as they come under one load. */
interface Trial extends BatchJobs {
  readonly seed: number;
}

function trialsOf(
  { load: loads = [], seed: seeds }: BatchFlags,
  rows: readonly BatchRow[],
  cluster: readonly SimulatedInstance[],
): readonly Trial[] {
  const recorded = seeds.map((seed) => ({ seed, ...batchJobsOf(rows, cluster, seed) }));
  if (loads.length === 0) return recorded;
  return loads.flatMap((load) =>
    recorded.map((one) => ({ ...one, tasks: stretchedToLoad(one.tasks, cluster, load) })),
  );
}

/** @throws {CommandFailure} usage {YamlFileError} */
async function clusterOf(nameOrFile: string | undefined): Promise<readonly SimulatedInstance[]> {
  if (nameOrFile === undefined) {
    const names = [...CLUSTER_PRESETS.keys()].join(', ');
    throw new CommandFailure(
      EXIT.usage,
      `--batch needs a --fleet: ${names}, or a YAML file of hosts`,
    );
  }
  const preset = CLUSTER_PRESETS.get(nameOrFile);
  if (preset !== undefined) return preset;
  const { readClusterFile } = await import('../simulation/fleet-file.js');
  return readClusterFile(nameOrFile);
}

interface NamedPolicy {
  readonly names: Pick<BatchRun, 'strategy' | 'order' | 'predictor'>;
  readonly policy: Policy;
}

/**
 * Every strategy in every order with every predictor.
 * @throws {CommandFailure} usage, for what does not go with jobs
 */
function policiesOf(flags: BatchFlags): readonly NamedPolicy[] {
  const { strategy: strategies, order: orders, predictor: predictors = ['owner'] } = flags;
  return strategies.flatMap((strategy) =>
    orders.flatMap((orderG) =>
      predictors.map((predictor) => ({
        names: { strategy, order: orderG, predictor },
        policy: {
          strategy: among(BATCH_STRATEGIES, strategy, 'strategy'),
          orderG,
          predictor: among(BATCH_PREDICTORS, predictor, 'predictor'),
        },
      })),
    ),
  );
}

/** @throws {CommandFailure} usage */
function among<T>(known: ReadonlyMap<string, T>, name: string, what: string): T {
  const value = known.get(name);
  if (value !== undefined) return value;
  const names = [...known.keys()].join(', ');
  throw new CommandFailure(
    EXIT.usage,
    `the ${what} ${name} is not for batch jobs; valid: ${names}`,
  );
}

interface LeftOut {
  readonly left_out: number;
  readonly unsatisfiable: number;
}

function leftText({ left_out: leftOut, unsatisfiable }: LeftOut): readonly [string, string][] {
  return [
    ['left out, over several hosts', String(leftOut)],
    ['left out, too large for every host', String(unsatisfiable)],
  ];
}

const COLUMNS: readonly Column<BatchRun>[] = [
  { head: 'STRATEGY', value: ({ strategy }) => strategy },
  { head: 'ORDER', align: 'right', value: ({ order }) => String(order) },
  { head: 'LOAD', align: 'right', value: ({ load }) => load.toFixed(2) },
  { head: 'PREDICTOR', value: ({ predictor }) => predictor },
  { head: 'SEED', align: 'right', value: ({ seed }) => String(seed) },
  seconds('WAIT MEAN', ({ wait }) => wait.mean),
  seconds('P99', ({ wait }) => wait.p99),
  {
    head: 'BOUNDED SLOWDOWN',
    align: 'right',
    value: ({ boundedSlowdown: { mean } }) => mean?.toFixed(1) ?? '–',
  },
  seconds('WIDEST 5 %', ({ widest5 }) => widest5.waitMean),
  {
    head: 'BUSY',
    align: 'right',
    value: ({ utilisation }) => `${(100 * utilisation).toFixed(1)} %`,
  },
  ratio('× MEAN', ({ ratio }) => ratio.waitMean),
  ratio('× SLOWDOWN', ({ ratio }) => ratio.boundedSlowdown),
  ratio('× WIDEST', ({ ratio }) => ratio.widest5),
  {
    head: 'BUSY +',
    align: 'right',
    value: ({ utilisationGain }) => (100 * utilisationGain).toFixed(1),
  },
];

function seconds(head: string, pick: (run: BatchRun) => number | null): Column<BatchRun> {
  const value = (run: BatchRun): string => durationText((pick(run) ?? 0) * 1000);
  return { head, align: 'right', value };
}

function ratio(head: string, pick: (run: BatchRun) => number | null): Column<BatchRun> {
  return { head, align: 'right', value: (run) => pick(run)?.toFixed(3) ?? '–' };
}
