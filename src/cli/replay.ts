import { setMaxListeners } from 'node:events';
import type { Command } from 'commander';
import { SyncedLines } from '../ops/synced-lines';
import { systemRandom } from '../ops/system';
import { factor, nameText, numberFrom, wholeFrom } from './arguments';
import { clientVerb, openClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { formatOf, jsonText } from './output';
import { Patience } from './patience';
import { startProgress } from './replay/progress';
import { runReplay, type ReplayOutcome } from './replay/run-replay';
import { summaryOf, summaryText } from './replay/summary';
import { lookAt } from './replay/timeline';
import { workloadOf, type ReplayTask } from './replay/workload';
import { readTrace } from '../simulation/traces/llm-trace';

interface ReplayFlags extends ClientFlags {
  readonly trace: string;
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
  'foresail replay --trace llm_azure2023.csv --speed 20 --limit 2000',
  'foresail replay --trace llm_azure2023.csv --speed 50 --time-scale 50 --model llama -o json',
];

const DESCRIPTION = 'submit a recorded workload and measure how it is served';

const NOTES = `
The trace is a CSV file with the columns arrival_s, model, input_tokens and output_tokens.
Tasks are named <prefix>-<row>: a replay that was interrupted and is repeated with the same
--task-prefix goes on with the tasks that the scheduler has already.

With -o json: {submitted, completed, failed, wallSeconds, wait: {mean, p50, p95, p99, max},
service: {mean, …}, predictedOverActual: {p50}}, times in seconds, of the tasks that completed;
a figure without any task is null. Wait and service time add up to the time until the end.

With --ledger, one JSON line per task and event, on the disk before it counts: "accepted" with
task_id, row, model, at (Unix seconds); "ended" with task_id, row, state, wait_s, service_s, at.
`;

/** Connections that ask for the ends of tasks. */
const QUESTIONS_AT_ONCE = 8;

/** `foresail replay`: submits a recorded workload, follows it to its end, prints figures. */
export function replayCommand(): Command {
  return clientVerb('replay', DESCRIPTION, EXAMPLES, NOTES)
    .requiredOption('--trace <file>', 'CSV file of the workload')
    .option('--speed <factor>', 'how many times faster than recorded tasks arrive', factor, 1)
    .option('--limit <number>', 'most rows of the trace (default: all)', wholeFrom(1, 1e9))
    .option('--concurrency <number>', 'submissions at the same time', wholeFrom(1, 1000), 32)
    .option('--task-prefix <text>', 'begin of task ids (default: unique)', nameText)
    .option('--model <name>', 'model of every task (default: that of the trace)', nameText)
    .option('--time-scale <factor>', 'as given to the workers; predictions match it', factor, 1)
    .option('--no-predict', 'leave the predicted service time out of the metadata')
    .option('--service-times', 'put seeded true service times into the metadata')
    .option('--seed <number>', 'seed of --service-times', wholeFrom(0, 2 ** 32 - 1), 1)
    .option('--patience <seconds>', 'longest time without success', numberFrom(0, 86_400), 120)
    .option('--ledger <file>', 'file that gets a JSON line per accepted and per ended task')
    .action(guarded(replay));
}

async function replay(flags: ReplayFlags): Promise<void> {
  const { trace, limit = Infinity, taskPrefix, serviceTimes = false, output } = flags;
  const prefix = taskPrefix ?? `replay-${Date.now().toString(36)}`;
  const rows = await readTrace(trace, limit);
  const asJson = formatOf(output) === 'json';
  if (!asJson) process.stderr.write(`${rows.length} tasks, ${prefix}-1 to -${rows.length}\n`);
  const outcome = await playBack(workloadOf(rows, { ...flags, prefix, serviceTimes }), flags);
  const summary = summaryOf(outcome);
  process.stdout.write(asJson ? jsonText(summary) : summaryText(summary));
  if (outcome.stoppedBy !== undefined) throw outcome.stoppedBy;
  if (summary.failed === 0) return;
  throw new CommandFailure(EXIT.failed, `${summary.failed} tasks did not succeed`);
}

/** Opens everything that a replay works with, and closes it whatever happens. */
async function playBack(tasks: readonly ReplayTask[], flags: ReplayFlags): Promise<ReplayOutcome> {
  const { concurrency, patience: seconds } = flags;
  const ledger = flags.ledger === undefined ? null : await SyncedLines.open(flags.ledger);
  const submitting = await openClient(flags, { connections: concurrency });
  const asking = await openClient(flags, { connections: QUESTIONS_AT_ONCE });
  const progress = await startProgress(tasks.length);
  const abort = new AbortController();
  const { signal } = abort;
  // One per submission under way; the default limit is there to find leaks.
  setMaxListeners(0, signal);
  const closeClients = async (): Promise<void> => {
    await Promise.all([submitting.close(), asking.close()]);
  };
  // Else the end would wait for the answers to calls that nobody is interested in any more.
  signal.addEventListener('abort', () => void closeClients());
  const interrupt = (): void =>
    abort.abort(new CommandFailure(EXIT.failed, 'interrupted; accepted tasks go on without us'));
  process.once('SIGINT', interrupt);
  try {
    const patience = new Patience({ limitMs: seconds * 1000, random: systemRandom, signal });
    const look = lookAt(asking, patience);
    const parts = { submitting, patience, concurrency, look, ledger, abort, progress };
    return await runReplay(tasks, parts);
  } finally {
    process.off('SIGINT', interrupt);
    progress.stop();
    await Promise.all([closeClients(), ledger?.close()]);
  }
}
