import type { Command } from 'commander';
import { loadClientConfig } from '../config/client-config';
import { systemRandom } from '../ops/system';
import { ApiClient } from './api-client';
import { factor, nameText, numberFrom, wholeFrom } from './arguments';
import { clientVerb, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { formatOf, jsonText } from './output';
import { Patience } from './patience';
import { startProgress } from './replay/progress';
import { runReplay, type ReplayOutcome } from './replay/run-replay';
import { summaryOf, summaryText } from './replay/summary';
import { SyncedLines } from './replay/synced-lines';
import { lookAt } from './replay/timeline';
import { workloadOf, type ReplayTask } from './replay/workload';
import { readTrace } from './trace';

interface ReplayFlags extends ClientFlags {
  readonly trace: string;
  readonly speed: number;
  readonly limit: number;
  readonly concurrency: number;
  readonly taskPrefix?: string;
  readonly model?: string;
  readonly timeScale: number;
  readonly predict: boolean;
  readonly serviceTimes: boolean;
  readonly seed: number;
  readonly patience: number;
  readonly ledger?: string;
}

const EXAMPLES = [
  'foresail replay --trace llm_azure2023.csv --speed 20 --limit 2000',
  'foresail replay --trace llm_azure2023.csv --speed 50 --time-scale 50 --model llama -o json',
];

const NOTES = `
The trace is a CSV file with the columns arrival_s, model, input_tokens and output_tokens.
Tasks are named <prefix>-<row>: a replay that was interrupted and is repeated with the same
--task-prefix goes on with the tasks that the scheduler has already.

With -o json: {submitted, completed, failed, wallSeconds, wait: {mean, p50, p95, p99, max},
service: {mean, …}, predictedOverActual: {p50}}, times in seconds, of the tasks that completed.
`;

/** Connections that ask for the ends of tasks. */
const QUESTIONS_AT_ONCE = 8;
const MOST_ROWS = 1e9;

/** `foresail replay`: submits a recorded workload, follows it to its end, prints figures. */
export function replayCommand(): Command {
  return clientVerb('replay', 'submit a recorded workload and measure how it is served', EXAMPLES)
    .requiredOption('--trace <file>', 'CSV file of the workload')
    .option('--speed <factor>', 'how many times faster than recorded tasks arrive', factor, 1)
    .option('--limit <number>', 'most rows of the trace', wholeFrom(1, MOST_ROWS), MOST_ROWS)
    .option('--concurrency <number>', 'submissions at the same time', wholeFrom(1, 1000), 32)
    .option('--task-prefix <text>', 'begin of task ids (default: unique)', nameText)
    .option('--model <name>', 'model of every task (default: that of the trace)', nameText)
    .option('--time-scale <factor>', 'as given to the workers; predictions match it', factor, 1)
    .option('--no-predict', 'leave the predicted service time out of the metadata')
    .option('--service-times', 'put seeded true service times into the metadata', false)
    .option('--seed <number>', 'seed of --service-times', wholeFrom(0, 2 ** 32 - 1), 1)
    .option('--patience <seconds>', 'how long nothing may succeed', numberFrom(0, 86_400), 120)
    .option('--ledger <file>', 'file that gets a JSON line per accepted and per ended task')
    .addHelpText('after', NOTES)
    .action(guarded(replay));
}

async function replay(flags: ReplayFlags): Promise<void> {
  const { prefix = `replay-${Date.now().toString(36)}`, ...options } = {
    ...flags,
    prefix: flags.taskPrefix,
  };
  const tasks = workloadOf(await readTrace(flags.trace, flags.limit), { ...options, prefix });
  const outcome = await submitAndFollow(tasks, flags);
  const summary = summaryOf(outcome);
  const asJson = formatOf(flags.output) === 'json';
  process.stdout.write(asJson ? jsonText(summary) : summaryText(summary));
  if (outcome.stoppedBy !== undefined) throw outcome.stoppedBy;
  if (summary.failed > 0) {
    throw new CommandFailure(EXIT.failed, `${summary.failed} tasks did not succeed`);
  }
}

async function submitAndFollow(
  tasks: readonly ReplayTask[],
  flags: ReplayFlags,
): Promise<ReplayOutcome> {
  const config = { ...loadClientConfig(), ...(flags.url === undefined ? {} : { url: flags.url }) };
  const abort = new AbortController();
  const submitting = await ApiClient.open(config, { connections: flags.concurrency });
  const asking = await ApiClient.open(config, { connections: QUESTIONS_AT_ONCE });
  const ledger = flags.ledger === undefined ? null : await SyncedLines.open(flags.ledger);
  const progress = await startProgress(tasks.length);
  const closeClients = async (): Promise<void> => {
    await Promise.all([submitting.close(), asking.close()]);
  };
  const interrupt = (): void =>
    abort.abort(new CommandFailure(EXIT.failed, 'interrupted; accepted tasks go on without us'));
  abort.signal.addEventListener('abort', () => void closeClients());
  process.once('SIGINT', interrupt);
  try {
    const { concurrency, patience: seconds } = flags;
    const { signal } = abort;
    const patience = new Patience({ limitMs: seconds * 1000, random: systemRandom, signal });
    const look = lookAt(asking, patience);
    return await runReplay(tasks, {
      submitting,
      patience,
      concurrency,
      look,
      ledger,
      abort,
      progress,
    });
  } finally {
    process.off('SIGINT', interrupt);
    progress.stop();
    await Promise.all([closeClients(), ledger?.close()]);
  }
}
