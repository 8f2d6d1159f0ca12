import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import { EVALUATED, evaluate, NOT_SCORED, type Evaluation } from '../simulation/evaluate';
import { LEVELS } from '../predictions/online.predictor';
import { readOutcomes } from '../simulation/traces/outcome-trace';
import { nameText } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { Fields } from './fields';
import { jsonObjectText } from './json-argument';
import { durationText, formatOf, jsonText, print, recordText, tableText } from './output';
import type { Column, Entry } from './output';

interface PredictFlags extends ClientFlags {
  readonly model?: string;
  readonly metadata?: string;
  readonly evaluate?: string;
  readonly rows?: string;
}

const EXAMPLES = [
  `foresail predict --model llama --metadata '{"input_tokens": 120}'`,
  'foresail predict --evaluate serving.csv',
  'foresail predict --evaluate serving.csv --rows predictions.csv -o json',
];

const NOTES = `
With --model: what the scheduler would predict of such a task, and by which source. Nothing is
submitted. With -o json: {model, source, quantiles, quantile_predictions, mean_ms, deviation_ms,
confidence}.

With --evaluate no scheduler is needed. The file is CSV: a column arrival_s or submit_s (seconds, ascending), one of exec_s, run_s and
service_s (the true time in seconds), perhaps model; all other columns are what is known of a task.
Every task is predicted when it arrives, and its outcome is seen when it has ended. The first
${NOT_SCORED} rows are not scored.

With -o json: {file, rows, predictors: [{name, pinball, mape, coverage80, microseconds}]}; pinball
in seconds, mape and coverage80 as shares.
`;

/** `foresail predict`: what would a task get, or how well would a workload be predicted? */
export function predictCommand(): Command {
  const description =
    'show how long a task would be predicted to run, or measure how well a workload is predicted';
  return clientVerb('predict', description, EXAMPLES, NOTES)
    .option('--model <name>', 'model that the task would be for', nameText)
    .option('--metadata <json>', 'its metadata: a JSON object, @file, or - for standard input')
    .addOption(
      new Option('--evaluate <file>', 'CSV file of tasks and how long they ran').conflicts([
        ...['model', 'metadata', 'url'],
      ]),
    )
    .option('--rows <file>', 'CSV file that gets every prediction of the learned predictor')
    .action(guarded(predict));
}

async function predict(flags: PredictFlags): Promise<void> {
  const { model, evaluate: file } = flags;
  if (file !== undefined) return measure(file, flags);
  if (model === undefined) {
    throw new CommandFailure(EXIT.usage, 'name a task with --model, or a file with --evaluate');
  }
  if (flags.rows !== undefined) {
    throw new CommandFailure(EXIT.usage, '--rows goes with --evaluate only');
  }
  await ask(model, flags);
}

async function ask(model: string, { metadata = '{}', ...flags }: PredictFlags): Promise<void> {
  // Spliced and not parsed: the numbers in it must reach the service as they were written.
  const facts = await jsonObjectText('--metadata', metadata);
  const body = `{"model":${JSON.stringify(model)},"metadata":${facts}}`;
  const answer = await withClient(flags, (client) => client.post('/v1/predictions', body));
  const preview = new Fields(answer, 'the answer to POST /v1/predictions');
  print({ json: answer, text: () => previewText(preview) }, flags.output);
}

function previewText(preview: Fields): string {
  const times = preview.numberList('quantile_predictions');
  const within = preview
    .numberList('quantiles')
    .map((level, n): Entry => [percent(level), durationText(times[n] ?? NaN)]);
  return recordText([
    ['model', preview.text('model')],
    ['source', preview.text('source')],
    ['mean', durationText(preview.number('mean_ms'))],
    ['deviation', durationText(preview.number('deviation_ms'))],
    ...within,
  ]);
}

/** How many tasks are through within a time. */
function percent(level: number): string {
  return `${Number((100 * level).toFixed(3))} % within`;
}

async function measure(file: string, flags: PredictFlags): Promise<void> {
  const rows = await readOutcomes(file);
  const lines: string[] = [`row,actual,${LEVELS.map((level) => `q${100 * level}`).join(',')}\n`];
  const predictors: Evaluation[] = [];
  for (const [name, make] of EVALUATED) {
    const keep = name === 'learned' && flags.rows !== undefined;
    const evaluation = evaluate(name, make(), rows, ({ row, actual, quantiles }) => {
      if (keep) lines.push(`${row},${actual},${quantiles.map((q) => q.toFixed(6)).join(',')}\n`);
    });
    predictors.push(evaluation);
  }
  if (flags.rows !== undefined) await write(flags.rows, lines);
  const answer = { file, rows: rows.length, predictors };
  const asJson = formatOf(flags.output) === 'json';
  process.stdout.write(asJson ? jsonText(answer) : tableText(predictors, COLUMNS, ''));
}

async function write(file: string, lines: readonly string[]): Promise<void> {
  const out = createWriteStream(file);
  for (const line of lines) out.write(line);
  out.end();
  await finished(out);
}

const COLUMNS: readonly Column<Evaluation>[] = [
  { head: 'PREDICTOR', value: ({ name }) => name },
  { head: 'PINBALL', align: 'right', value: ({ pinball }) => `${pinball.toFixed(3)} s` },
  { head: 'MAPE', align: 'right', value: ({ mape }) => `${(100 * mape).toFixed(1)} %` },
  {
    head: '80 % HOLDS',
    align: 'right',
    value: ({ coverage80 }) => `${(100 * coverage80).toFixed(1)} %`,
  },
  { head: 'TIME', align: 'right', value: ({ microseconds }) => `${microseconds.toFixed(0)} µs` },
];
