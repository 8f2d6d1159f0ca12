import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EVALUATED, evaluate, type Evaluation } from '../src/simulation/evaluate';
import { FLEET_PRESETS } from '../src/simulation/fleets';
import { SIMULATED_STRATEGIES } from '../src/simulation/policies';
import { PREDICTOR_PRESETS } from '../src/simulation/predictors';
import { Laboratory, tasksOf, type Comparison, type Policy } from '../src/simulation/simulate';
import { toldWaitsOf, type ToldWaits } from '../src/simulation/told-waits';
import { readTrace, type TraceRow } from '../src/simulation/traces/llm-trace';
import { readOutcomes } from '../src/simulation/traces/outcome-trace';
import { markdownTable } from './markdown';
import {
  GOALS,
  LOADS,
  POLICIES,
  PREDICTION_FOUND,
  PREDICTION_GOALS,
  type Goal,
} from './scheduling-goals';

/**
 * `npm run bench:scheduling -- --data FOLDER [--seeds 1,2,3]`: how well the core places and predicts
 * on recorded workloads, beside the figures to reach, as Markdown. The folder holds
 * llm_azure2023.csv, serving_gentd26.csv and, if they are to be looked at too, batch_*.csv.
 */
const BATCH_FILES = ['batch_metacentrum2013.csv', 'batch_kth_sp2.csv'];
/** At every so many arrivals it is noted what would be told. */
const TELL_EVERY = 10;
/** What the waits that were told are looked at for. */
const TOLD_OF = [
  { strategy: 'shortest_queue', orderG: 0 },
  { strategy: 'weighted', orderG: 0 },
  { strategy: 'round_robin', orderG: 0 },
  { strategy: 'earliest', orderG: 0 },
  { strategy: 'earliest', orderG: 2 },
];

/** One way to place tasks on one fleet. */
type Case = Pick<Goal, 'fleet' | 'load' | 'strategy' | 'orderG'>;

/** Means over the seeds. */
type Means = Readonly<Record<Exclude<Goal['figure'], 'ofOriginal'> | 'waitSeconds', number>>;

/** Runs each case once, with every seed. */
class Bench {
  private readonly laboratories = new Map<string, Laboratory>();
  private readonly known = new Map<string, Means>();

  constructor(
    private readonly rows: readonly TraceRow[],
    private readonly seeds: readonly number[],
  ) {}

  means(of: Case): Means {
    const key = JSON.stringify([of.fleet, of.load, of.strategy, of.orderG]);
    const means = this.known.get(key) ?? this.measured(of);
    this.known.set(key, means);
    return means;
  }

  /** Of the policy’s mean wait, as a share of the original’s. */
  figure({ figure, ...of }: Goal): number {
    if (figure !== 'ofOriginal') return this.means(of)[figure];
    const original = this.means({ ...of, strategy: 'original' });
    return this.means(of).waitSeconds / original.waitSeconds;
  }

  told(of: Case, predictor: string): ToldWaits {
    const policy = policyOf(of, predictor);
    return toldWaitsOf(
      this.seeds.flatMap((seed) =>
        this.laboratory(of, seed).play(policy, { tellEvery: TELL_EVERY }),
      ),
    );
  }

  private measured(of: Case): Means {
    tell(`${of.fleet}, load ${of.load}, ${of.strategy}, g = ${of.orderG}`);
    const policy = policyOf(of, 'input');
    const runs = this.seeds.map((seed) => this.laboratory(of, seed).compare(policy));
    const mean = (pick: (run: Comparison) => number | null): number =>
      runs.reduce((sum, run) => sum + (pick(run) ?? NaN), 0) / runs.length;
    return {
      waitMean: mean(({ ratio }) => ratio.waitMean),
      waitP99: mean(({ ratio }) => ratio.waitP99),
      responseMean: mean(({ ratio }) => ratio.responseMean),
      responseP99: mean(({ ratio }) => ratio.responseP99),
      waitSeconds: mean(({ wait }) => wait.mean),
    };
  }

  private laboratory({ fleet, load }: Case, seed: number): Laboratory {
    const key = `${fleet}/${load}/${seed}`;
    const conditions = { fleet: known(FLEET_PRESETS, fleet), load, seed };
    const made = this.laboratories.get(key) ?? new Laboratory(tasksOf(this.rows, seed), conditions);
    this.laboratories.set(key, made);
    return made;
  }
}

function policyOf({ strategy, orderG }: Case, predictor: string): Policy {
  return {
    strategy: known(SIMULATED_STRATEGIES, strategy),
    orderG,
    predictor: known(PREDICTOR_PRESETS, predictor),
  };
}

/** Mean and p99 of the wait by load, the figures of the design in brackets. */
function policyTable(bench: Bench): string {
  const rows = POLICIES.map(({ label, strategy, orderG, found }) => {
    const cells = LOADS.map((load, n) => {
      const { waitMean, waitP99 } = bench.means({ fleet: 'equal8', load, strategy, orderG });
      const known = found?.[n];
      const beside = known ? ` (${known.map((figure) => figure.toFixed(2)).join(' / ')})` : '';
      return `${waitMean.toFixed(2)} / ${waitP99.toFixed(2)}${beside}`;
    });
    return [label, ...cells];
  });
  return markdownTable(['policy, equal8', ...LOADS.map((load) => `load ${load}`)], rows);
}

/** @returns the table, and how many figures are missed */
function goalTable(bench: Bench): { readonly table: string; readonly missed: number } {
  let missed = 0;
  const rows = GOALS.map((goal) => {
    const { fleet, load, strategy, orderG, figure, most } = goal;
    const value = bench.figure(goal);
    if (value > most) missed++;
    const what = `${fleet}, ${load}, \`${strategy}\`, g = ${orderG}: ${IN_WORDS[figure]}`;
    return [what, `≤ ${most}`, value.toFixed(3), verdict(value <= most)];
  });
  return { table: markdownTable(['figure', 'to reach', 'measured', ''], rows), missed };
}

const IN_WORDS: Readonly<Record<Goal['figure'], string>> = {
  waitMean: 'mean wait',
  waitP99: 'p99 of the wait',
  responseMean: 'mean response',
  responseP99: 'p99 of the response',
  ofOriginal: 'mean wait over the original’s',
};

/** How honest the waits are that `/queue/info` would have told. */
function toldTable(bench: Bench): string {
  const fleets = ['equal8', 'equal8x4', 'mixed8'];
  const rows = fleets.flatMap((fleet) =>
    TOLD_OF.map(({ strategy, orderG }) => {
      const cells = LOADS.flatMap((load) => {
        tell(`waits told: ${fleet}, load ${load}, ${strategy}, g = ${orderG}`);
        const { within, toldOverActual } = bench.told({ fleet, load, strategy, orderG }, 'learned');
        return [share(within), toldOverActual.toFixed(2)];
      });
      return [`${fleet}, \`${strategy}\`, g = ${orderG}`, ...cells];
    }),
  );
  const head = LOADS.flatMap((load) => [`within, load ${load}`, 'told over actual']);
  return markdownTable(['policy', ...head], rows);
}

async function predictionTable(file: string): Promise<string> {
  const rows = await readOutcomes(file);
  const figures = [...EVALUATED].map(([name, make]) => {
    tell(`predictor ${name} on ${file}`);
    return evaluate(name, make(), rows);
  });
  const isServing = file.endsWith(SERVING);
  const cells = figures.map(({ name, pinball, mape, coverage80, microseconds }) => {
    const found = isServing ? PREDICTION_FOUND.get(name) : undefined;
    const beside = (text: string, then?: string): string =>
      found && then !== undefined ? `${text} (${then})` : text;
    return [
      name,
      beside(pinball.toFixed(pinball < 100 ? 2 : 0), found?.[0].toFixed(2)),
      beside(share(mape), found && share(found[1])),
      beside(share(coverage80), found && share(found[2])),
      beside(microseconds.toFixed(0), found?.[3].toFixed(0)),
    ];
  });
  const table = markdownTable(['predictor', 'pinball s', 'MAPE', '80 % holds', 'µs'], cells);
  const learned = figures.find(({ name }) => name === 'learned');
  const goals = isServing && learned ? `\n${predictionGoals(learned)}` : '';
  return `${rows.length} rows, the first 500 not scored.\n\n${table}${goals}`;
}

function predictionGoals({ pinball, mape, coverage80, microseconds }: Evaluation): string {
  const most = PREDICTION_GOALS;
  const [least, greatest] = most.coverage80;
  const isCovered = coverage80 >= least && coverage80 <= greatest;
  const rows = [
    ['pinball', `≤ ${most.pinball} s`, `${pinball.toFixed(3)} s`, verdict(pinball <= most.pinball)],
    ['MAPE of the median', `≤ ${share(most.mape)}`, share(mape), verdict(mape <= most.mape)],
    ['coverage', `${share(least)} to ${share(greatest)}`, share(coverage80), verdict(isCovered)],
    [
      'one prediction and one outcome',
      `≤ ${most.microseconds} µs`,
      `${microseconds.toFixed(0)} µs`,
      verdict(microseconds <= most.microseconds),
    ],
  ];
  return markdownTable(['`learned`', 'to reach', 'measured', ''], rows);
}

const SERVING = 'serving_gentd26.csv';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, seeds: { type: 'string', default: '1,2,3' } },
  });
  const { data, seeds } = values;
  if (data === undefined) {
    throw new Error('name the folder with the traces: npm run bench:scheduling -- --data FOLDER');
  }
  const rows = await readTrace(join(data, 'llm_azure2023.csv'), Infinity);
  const bench = new Bench(rows, seeds.split(',').map(Number));
  print('## Placement\n');
  print(
    `Ratios to clairvoyant least-work-left, mean / p99 of the wait, ${rows.length} tasks of llm_azure2023.csv, predictor \`input\`, means of the seeds ${seeds}; in brackets what the design found.\n`,
  );
  print(policyTable(bench));
  const { table, missed } = goalTable(bench);
  print(`### To reach\n\n${table}`);
  print(missed === 0 ? 'All are reached.\n' : `${missed} of ${GOALS.length} are missed.\n`);
  print('## Waits that were told\n');
  print(
    'Of the tasks that waited or were told to: share whose wait lay within ±1.28 deviations of what was told at their arrival of the instance that they ran on (80 % is honest), and all waits told over all waits that came. Predictor `learned`.\n',
  );
  print(toldTable(bench));
  for (const name of [SERVING, ...BATCH_FILES]) {
    print(`## Prediction: ${name}\n\n${await predictionTable(join(data, name))}`);
  }
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined)
    throw new Error(`there is no ${name} among ${[...map.keys()].join(', ')}`);
  return value;
}

function verdict(reached: boolean): string {
  return reached ? 'reached' : '**missed**';
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
