import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import { EVALUATED, evaluate, NOT_SCORED, type Evaluation } from '../simulation/evaluate';
import { LEVELS } from '../predictions/online.predictor';
import { readOutcomes } from '../simulation/traces/outcome-trace';
import { examplesText } from './client-verb';
import { EXIT_CODES_HELP, guarded } from './exit';
import { formatOf, jsonText, outputOption, tableText } from './output';
import type { Column, OutputFormat } from './output';

interface PredictFlags {
  readonly evaluate: string;
  readonly rows?: string;
  readonly output?: OutputFormat;
}

const EXAMPLES = [
  'foresail predict --evaluate serving.csv',
  'foresail predict --evaluate serving.csv --rows predictions.csv -o json',
];

const NOTES = `
The file is CSV: a column arrival_s or submit_s (seconds, ascending), one of exec_s, run_s and
service_s (the true time in seconds), perhaps model; all other columns are what is known of a task.
Every task is predicted when it arrives, and its outcome is seen when it has ended. The first
${NOT_SCORED} rows are not scored.

With -o json: {file, rows, predictors: [{name, pinball, mape, coverage80, microseconds}]}; pinball
in seconds, mape and coverage80 as shares.
`;

/** `foresail predict`: how well would this workload be predicted? */
export function predictCommand(): Command {
  return new Command('predict')
    .description('measure how well run times of a recorded workload are predicted')
    .requiredOption('--evaluate <file>', 'CSV file of tasks and how long they ran')
    .option('--rows <file>', 'CSV file that gets every prediction of the learned predictor')
    .addOption(outputOption())
    .addHelpText('after', NOTES + examplesText(EXAMPLES) + EXIT_CODES_HELP)
    .action(guarded(predict));
}

async function predict(flags: PredictFlags): Promise<void> {
  const rows = await readOutcomes(flags.evaluate);
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
  const answer = { file: flags.evaluate, rows: rows.length, predictors };
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
