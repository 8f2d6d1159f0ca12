import { Option, type Command } from 'commander';
import { factor, nameText, numberFrom, wholeFrom } from './arguments';
import { clientVerb, openClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { formatOf, jsonText } from './output';
import { playBack } from './replay/play-back';
import type { ReplayOutcome } from './replay/run-replay';
import { summaryOf, summaryText } from './replay/summary';
import { workloadOf, type ReplayTask } from './replay/workload';
import { readTrace, type TraceRow } from '../simulation/traces/llm-trace';
import { syntheticRows } from '../simulation/traces/synthetic-trace';

interface ReplayFlags extends ClientFlags {
  readonly trace?: string;
  readonly synthetic?: true;
  readonly speed: number;
  readonly limit?: number;
  readonly concurrency: number;
  readonly taskPrefix?: string;
  readonly model?: string;
  readonly timeScale: number;
  readonly predict: boolean;
  readonly serviceTimes?: true;
  readonly seed: number;
  readonly patience: number;
  readonly ledger?: string;
}

const EXAMPLES = [
  'foresail replay --synthetic --limit 500 --speed 10 --time-scale 10',
  'foresail replay --trace llm_azure2023.csv --speed 20 --limit 2000',
  'foresail replay --trace llm_azure2023.csv --speed 50 --time-scale 50 --model llama -o json',
];

const DESCRIPTION = 'submit a recorded or a synthetic workload and measure how it is served';

const NOTES = `
The trace is a CSV file with the columns arrival_s, model, input_tokens and output_tokens. The
synthetic workload is shaped like two production services, "conv" and "code" (docs/workload.md).
Tasks are named <prefix>-<row>: a replay that was interrupted and is repeated with the same
--task-prefix goes on with the tasks that the scheduler has already.

With -o json: {submitted, completed, failed, wallSeconds, wait: {mean, p50, p95, p99, max},
service: {mean, …}, predictedOverActual: {p50}}, times in seconds, of the tasks that completed;
a figure without any task is null. Wait and service time add up to the time until the end.

With --ledger, one JSON line per task and event, on the disk before it counts: "accepted" with
task_id, row, model, at (Unix seconds); "ended" with task_id, row, state, wait_s, service_s, at.
`;

/** A synthetic workload of a few minutes, when nothing else is said. */
const SYNTHETIC_TASKS = 1_000;

/** `foresail replay`: submits a recorded workload, follows it to its end, prints figures. */
export function replayCommand(): Command {
  return clientVerb('replay', DESCRIPTION, EXAMPLES, NOTES)
    .option('--trace <file>', 'CSV file of the workload')
    .addOption(new Option('--synthetic', 'a seeded workload instead of a trace').conflicts('trace'))
    .option('--speed <factor>', 'how many times faster than recorded tasks arrive', factor, 1)
    .option(
      '--limit <number>',
      `most rows of the trace (default: all), or tasks of --synthetic (default: ${SYNTHETIC_TASKS})`,
      wholeFrom(1, 1e9),
    )
    .option('--concurrency <number>', 'submissions at the same time', wholeFrom(1, 1000), 32)
    .option('--task-prefix <text>', 'begin of task ids (default: unique)', nameText)
    .option('--model <name>', 'model of every task (default: that of the trace)', nameText)
    .option('--time-scale <factor>', 'as given to the workers; predictions match it', factor, 1)
    .option('--no-predict', 'leave the predicted service time out of the metadata')
    .option('--service-times', 'put seeded true service times into the metadata')
    .option(
      '--seed <number>',
      'seed of --service-times and --synthetic',
      wholeFrom(0, 2 ** 32 - 1),
      1,
    )
    .option('--patience <seconds>', 'longest time without success', numberFrom(0, 86_400), 120)
    .option('--ledger <file>', 'file that gets a JSON line per accepted and per ended task')
    .action(guarded(replay));
}

async function replay(flags: ReplayFlags): Promise<void> {
  const { taskPrefix, serviceTimes = false, output } = flags;
  const prefix = taskPrefix ?? `replay-${Date.now().toString(36)}`;
  const rows = await rowsOf(flags);
  const asJson = formatOf(output) === 'json';
  if (!asJson) process.stderr.write(`${rows.length} tasks, ${prefix}-1 to -${rows.length}\n`);
  const outcome = await played(workloadOf(rows, { ...flags, prefix, serviceTimes }), flags);
  const summary = summaryOf(outcome);
  process.stdout.write(asJson ? jsonText(summary) : summaryText(summary));
  if (outcome.stoppedBy !== undefined) throw outcome.stoppedBy;
  if (summary.failed === 0) return;
  throw new CommandFailure(EXIT.failed, `${summary.failed} tasks did not succeed`);
}

/** What is to be submitted. @throws {CommandFailure} usage, when it is neither recorded nor made */
async function rowsOf({
  trace,
  synthetic,
  limit,
  seed,
}: ReplayFlags): Promise<readonly TraceRow[]> {
  if (trace !== undefined) return readTrace(trace, limit ?? Infinity);
  if (synthetic === true) return syntheticRows({ count: limit ?? SYNTHETIC_TASKS, seed });
  throw new CommandFailure(EXIT.usage, 'name a workload: --trace <file>, or --synthetic');
}

async function played(tasks: readonly ReplayTask[], flags: ReplayFlags): Promise<ReplayOutcome> {
  const { concurrency, patience: seconds, ledger } = flags;
  const abort = new AbortController();
  const interrupt = (): void =>
    abort.abort(new CommandFailure(EXIT.failed, 'interrupted; accepted tasks go on without us'));
  process.once('SIGINT', interrupt);
  try {
    return await playBack(tasks, {
      open: (connections) => openClient(flags, { connections }),
      ...{ concurrency, patienceMs: seconds * 1_000, abort },
      ...(ledger === undefined ? {} : { ledger }),
    });
  } finally {
    process.off('SIGINT', interrupt);
  }
}
