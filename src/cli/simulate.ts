import { writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { BATCH_PREDICTORS } from '../simulation/batch-laboratory';
import { CLUSTER_PRESETS } from '../simulation/clusters';
import { FLEET_PRESETS, type SimulatedInstance } from '../simulation/fleets';
import { waitPlot } from '../simulation/plot';
import { SIMULATED_STRATEGIES } from '../simulation/policies';
import { PREDICTOR_PRESETS } from '../simulation/predictors';
import { Laboratory, type Comparison, type Policy } from '../simulation/simulate';
import { readWorkload, type WorkloadTrace } from '../simulation/traces/workload-trace';
import { numberFrom, wholeFrom } from './arguments';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { BAR } from './simulation-bar';
import { durationText, formatOf, jsonText, outputOption, tableText } from './output';
import type { Column, OutputFormat } from './output';

interface SimulateFlags {
  readonly trace: string;
  readonly batch?: true;
  readonly limit: number;
  readonly fleet?: string;
  readonly strategy: readonly string[];
  readonly order: readonly number[];
  readonly load?: readonly number[];
  readonly predictor?: readonly string[];
  readonly seed: readonly number[];
  readonly plot?: string;
  readonly output?: OutputFormat;
}

type ModelFlags = SimulateFlags & Required<Pick<SimulateFlags, 'fleet' | 'load' | 'predictor'>>;

const DEFAULT = { fleet: 'equal8', load: 0.85, predictor: 'learned' };
const CLUSTERS = [...CLUSTER_PRESETS.keys()];
const BATCH_PREDICTOR_NAMES = [...BATCH_PREDICTORS.keys()];

/** One policy under one set of conditions, as it is printed. */
interface SimulatedRun extends Comparison {
  readonly strategy: string;
  readonly order: number;
  readonly fleet: string;
  readonly load: number;
  readonly predictor: string;
  readonly seed: number;
}

const EXAMPLES = [
  'foresail simulate --trace llm_azure2023.csv --strategy earliest,shortest_queue,round_robin',
  'foresail simulate --trace llm_azure2023.csv --order 0,2,10 --load 0.7,0.85 --seed 1,2,3 -o json',
  'foresail simulate --trace llm_azure2023.csv --fleet fleet.yaml --plot waits.svg',
  'foresail simulate --batch --trace batch_kth_sp2.csv --fleet kth --strategy best_fit,least_loaded',
];

const NOTES = `
The trace is a CSV file of tasks whose times are known, with the columns arrival_s or submit_s, one of
exec_s, run_s and service_s (true time at speed 1 in seconds), perhaps model, and whatever else is
known of a task: "foresail db export --trace" writes your own history so. Or it is one of model
requests, with the columns arrival_s, model, input_tokens and output_tokens; a task then takes 0.03 s +
0.25 ms per input token + 25 ms per output token, times seeded noise of mean 1. Arrivals keep their
order and shape and are stretched to the offered load.

A fleet file is YAML: instances: [{name, speed, slots, count}], each optional. Every instance serves
every task. The ratio is to clairvoyant least-work-left, which sees the true times.

Beside the scheduler's own strategies the simulator knows random, jsq (shortest queue by count),
original (shortest_queue with accounts that drift) and clairvoyant.

With --batch the trace is one of batch jobs: submit_s, user, queue, nodes, cpus_per_node, mem_mb,
req_time_s, run_s, labels. The fleet is a cluster, ${CLUSTERS.join(' or ')}, or a YAML file:
hosts: [{name, cores, memory_gb, labels, count}]. Strategies are those that bind late, predictors
${BATCH_PREDICTOR_NAMES.join(', ')}. Submissions are shaken by up to five minutes, and stretched only
if a load is asked for. Ratios are to best_fit in the order of arrival (EASY backfill by limits). Jobs
that span several hosts, or fit on none, are left out, and it is said how many. Each run has
boundedSlowdown: {mean}, widest5: {waitMean}, ratio: {waitMean, boundedSlowdown, widest5} and
utilisationGain, the utilisation less that of the reference.

With -o json: {trace, runs: [{strategy, order, fleet, load, predictor, seed, tasks, wait: {mean, p50,
p95, p99, max}, response, slowdown: {mean}, makespan, utilisation, ratio: {waitMean, waitP99,
responseMean, responseP99}}]}, times in seconds.
`;

/** `foresail simulate`: what would another strategy have done with this workload? */
export function simulateCommand(): Command {
  const predictors = [...PREDICTOR_PRESETS.keys()];
  return new Command('simulate')
    .description('run strategies over a recorded workload, on the scheduler’s own core')
    .requiredOption('--trace <file>', 'CSV file of the workload')
    .option('--batch', 'the trace is one of batch jobs, and the fleet a cluster of hosts')
    .option(
      '--limit <number>',
      'most rows of the trace (default: all)',
      wholeFrom(1, 1e9),
      Infinity,
    )
    .option(
      '--fleet <name or file>',
      `${[...FLEET_PRESETS.keys()].join(', ')} (default: ${DEFAULT.fleet}); with --batch ${CLUSTERS.join(', ')}; or a YAML file`,
    )
    .option(
      '--strategy <names>',
      `of ${[...SIMULATED_STRATEGIES.keys()].join(', ')}`,
      someOf(SIMULATED_STRATEGIES),
      ['earliest'],
    )
    .option(
      '--order <weights>',
      'weight g of the predicted time in the order of waiting tasks',
      listOf(numberFrom(0, 1000)),
      [2],
    )
    .option(
      '--load <shares>',
      `offered load (default: ${DEFAULT.load}; with --batch as recorded)`,
      listOf(numberFrom(0.01, 10)),
    )
    .option(
      '--predictor <names>',
      `of ${predictors.join(', ')} (default: ${DEFAULT.predictor}); with --batch of ${BATCH_PREDICTOR_NAMES.join(', ')} (default: owner)`,
      listOf((name) => name),
    )
    .option(
      '--seed <numbers>',
      'seeds of service times and draws',
      listOf(wholeFrom(0, 2 ** 32 - 1)),
      [1],
    )
    .option('--plot <file>', 'SVG file that gets the percentiles of the waits')
    .addOption(outputOption())
    .addHelpText('after', NOTES + examplesText(EXAMPLES) + EXIT_CODES_HELP)
    .action(guarded(simulate));
}

async function simulate(flags: SimulateFlags): Promise<void> {
  if (flags.batch === true) {
    const { simulateBatch } = await import('./simulate-batch.js');
    return simulateBatch(flags);
  }
  const asked = {
    ...flags,
    fleet: flags.fleet ?? DEFAULT.fleet,
    load: flags.load ?? [DEFAULT.load],
  };
  return simulateModels({ ...asked, predictor: predictorsIn(flags) });
}

async function simulateModels(flags: ModelFlags): Promise<void> {
  const fleet = await fleetOf(flags.fleet);
  const workload = await readWorkload(flags.trace, flags.limit);
  assertKnown(workload, flags);
  const policies = policiesOf(flags);
  const total = flags.load.length * flags.seed.length * policies.length * workload.size;
  const bar = new SingleBar({ format: BAR, clearOnComplete: true, noTTYOutput: false });
  bar.start(total, 0);
  const runs: SimulatedRun[] = [];
  try {
    for (const load of flags.load) {
      for (const seed of flags.seed) {
        const laboratory = new Laboratory(workload.tasks(seed), { fleet, load, seed });
        for (const { names, policy } of policies) {
          const begun = runs.length * workload.size;
          const comparison = laboratory.compare(policy, (ended) => bar.update(begun + ended));
          runs.push({ ...names, fleet: flags.fleet, load, seed, ...comparison });
          // Lets Ctrl-C be heard between two runs.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
  } finally {
    bar.stop();
  }
  if (flags.plot !== undefined) await plot(flags.plot, runs);
  const asJson = formatOf(flags.output) === 'json';
  process.stdout.write(
    asJson ? jsonText({ trace: flags.trace, runs }) : tableText(runs, COLUMNS, ''),
  );
}

/** @throws {CommandFailure} usage, for one that is none of tasks for models */
function predictorsIn({ predictor = [DEFAULT.predictor] }: SimulateFlags): readonly string[] {
  const unknown = predictor.find((name) => !PREDICTOR_PRESETS.has(name));
  if (unknown === undefined) return predictor;
  const names = [...PREDICTOR_PRESETS.keys()].join(', ');
  throw new CommandFailure(EXIT.usage, `${unknown || 'nothing'} is not one of ${names}`);
}

/** @throws {CommandFailure} usage, when a predictor is asked for that sees what the trace has not */
function assertKnown({ known }: WorkloadTrace, { predictor, trace }: ModelFlags): void {
  for (const name of predictor) {
    const missing = (SEEN_BY.get(name) ?? []).filter((column) => !known.has(column));
    if (missing.length === 0) continue;
    const message = `the predictor ${name} needs the columns ${missing.join(', ')}, which ${trace} has not`;
    throw new CommandFailure(EXIT.usage, `${message}; others are oracle, model and learned`);
  }
}

/** What predictors cannot do without. */
const SEEN_BY: ReadonlyMap<string, readonly string[]> = new Map([
  ['tokens', ['input_tokens', 'output_tokens']],
  ['input', ['input_tokens']],
]);

/** @throws {YamlFileError} when it is neither a name nor a file that can be used */
async function fleetOf(nameOrFile: string): Promise<readonly SimulatedInstance[]> {
  const preset = FLEET_PRESETS.get(nameOrFile);
  if (preset !== undefined) return preset;
  // The schema is built by a library that takes longer to load than `--help` may take.
  const { readFleetFile } = await import('../simulation/fleet-file.js');
  return readFleetFile(nameOrFile);
}

interface NamedPolicy {
  readonly names: Pick<SimulatedRun, 'strategy' | 'order' | 'predictor'>;
  readonly policy: Policy;
}

/** Every strategy in every order with every predictor. */
function policiesOf({ strategy, order, predictor }: ModelFlags): readonly NamedPolicy[] {
  return strategy.flatMap((strategyName) =>
    order.flatMap((orderG) =>
      predictor.map((predictorName) => ({
        names: { strategy: strategyName, order: orderG, predictor: predictorName },
        policy: {
          strategy: known(SIMULATED_STRATEGIES, strategyName),
          orderG,
          predictor: known(PREDICTOR_PRESETS, predictorName),
        },
      })),
    ),
  );
}

async function plot(file: string, runs: readonly SimulatedRun[]): Promise<void> {
  const policies = runs.map((run) => ({ label: labelOf(run, runs), wait: run.wait }));
  const svg = await waitPlot('Wait before the start, by strategy', policies);
  try {
    await writeFile(file, svg);
  } catch (error) {
    throw new CommandFailure(EXIT.failed, `the plot could not be written: ${String(error)}`);
  }
}

/** Names what differs between the runs. */
function labelOf(run: SimulatedRun, runs: readonly SimulatedRun[]): string {
  const differs = (key: keyof SimulatedRun): boolean =>
    runs.some((other) => other[key] !== run[key]);
  const parts = [run.strategy];
  if (differs('order')) parts.push(`g ${run.order}`);
  if (differs('load')) parts.push(`load ${run.load}`);
  if (differs('predictor')) parts.push(run.predictor);
  if (differs('seed')) parts.push(`seed ${run.seed}`);
  return parts.join(', ');
}

const COLUMNS: readonly Column<SimulatedRun>[] = [
  { head: 'STRATEGY', value: ({ strategy }) => strategy },
  { head: 'ORDER', align: 'right', value: ({ order }) => String(order) },
  { head: 'LOAD', align: 'right', value: ({ load }) => String(load) },
  { head: 'PREDICTOR', value: ({ predictor }) => predictor },
  { head: 'SEED', align: 'right', value: ({ seed }) => String(seed) },
  seconds('WAIT MEAN', ({ wait }) => wait.mean),
  seconds('P50', ({ wait }) => wait.p50),
  seconds('P95', ({ wait }) => wait.p95),
  seconds('P99', ({ wait }) => wait.p99),
  seconds('RESPONSE', ({ response }) => response.mean),
  {
    head: 'BUSY',
    align: 'right',
    value: ({ utilisation }) => `${(100 * utilisation).toFixed(1)} %`,
  },
  ratio('× MEAN', ({ ratio: { waitMean } }) => waitMean),
  ratio('× P99', ({ ratio: { waitP99 } }) => waitP99),
];

function seconds(head: string, pick: (run: SimulatedRun) => number | null): Column<SimulatedRun> {
  const value = (run: SimulatedRun): string => durationText((pick(run) ?? 0) * 1000);
  return { head, align: 'right', value };
}

function ratio(head: string, pick: (run: SimulatedRun) => number | null): Column<SimulatedRun> {
  return { head, align: 'right', value: (run) => pick(run)?.toFixed(3) ?? '–' };
}

/** Comma-separated values, each read by `one`. */
function listOf<T>(one: (text: string) => T): (text: string) => readonly T[] {
  return (text) => text.split(',').map((part) => one(part.trim()));
}

/** Comma-separated names of the map. */
function someOf(map: ReadonlyMap<string, unknown>): (text: string) => readonly string[] {
  return listOf((name) => {
    if (map.has(name)) return name;
    throw new InvalidArgumentError(
      `${name || 'nothing'} is not one of ${[...map.keys()].join(', ')}`,
    );
  });
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`${name} passed the command line and is unknown`);
  return value;
}
