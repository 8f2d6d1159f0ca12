import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { cellsOf, tableOf, type Extent, type Figure, type Row } from './figure';
import { accept } from './figures/p1-accept';
import { lives } from './figures/p1b-lives';
import { batches } from './figures/p2-batch';
import { schedule } from './figures/p3-schedule';
import { placement } from './figures/p4-placement';
import { latency } from './figures/p5-latency';
import { size } from './figures/p6-size';
import { history } from './figures/p7-history';
import { heartbeats } from './figures/p8-heartbeats';
import { limitTable, limitsOf } from './limits';
import { LoadGenerator } from './load';
import { machine } from './machine';
import { Surroundings } from './surroundings';

/**
 * `npm run bench -- [P1 P3 …] [--short] [--rounds 5] [--history 1000000] [--output FILE]`: how fast the
 * scheduler is, beside what this machine does by itself in the same run. Prints a Markdown table;
 * progress goes to standard error.
 */
const FIGURES: Readonly<Record<string, Figure>> = {
  P1: accept,
  P1b: lives,
  P2: batches,
  P3: schedule,
  P4: placement,
  P5: latency,
  P6: size,
  P7: history,
  P8: heartbeats,
};

const FULL: Extent = { seconds: 4, rounds: 5, scale: 1, history: 1_000_000 };
/** Says that everything runs, and nothing of how fast. */
const SHORT: Extent = { seconds: 0.5, rounds: 1, scale: 0.01, history: 10_000 };

/** Options that say how much is measured. */
interface Asked {
  readonly short: boolean;
  readonly rounds?: string | undefined;
  readonly history?: string | undefined;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: 'boolean', default: false },
      output: { type: 'string' },
      rounds: { type: 'string' },
      history: { type: 'string' },
    },
  });
  const figures = chosen(positionals);
  const extent = extentOf(values);
  const generator = await LoadGenerator.start();
  try {
    const text = await measured(generator, figures, extent);
    process.stdout.write(text);
    if (values.output !== undefined) await writeFile(values.output, text);
  } finally {
    await generator.stop();
  }
}

/** How long everything takes, by the options. */
function extentOf({ short, rounds, history }: Asked): Extent {
  const extent = short ? SHORT : FULL;
  return {
    ...extent,
    rounds: rounds === undefined ? extent.rounds : Number(rounds),
    history: history === undefined ? extent.history : Number(history),
  };
}

/** The named figures, or all. */
function chosen(names: readonly string[]): readonly [string, Figure][] {
  const unknown = names.filter((name) => !(name in FIGURES));
  if (unknown.length > 0) {
    throw new Error(
      `there is no figure ${unknown[0]}; there are ${Object.keys(FIGURES).join(', ')}`,
    );
  }
  return Object.entries(FIGURES).filter(([name]) => names.length === 0 || names.includes(name));
}

async function measured(
  generator: LoadGenerator,
  figures: readonly [string, Figure][],
  extent: Extent,
): Promise<string> {
  const where = machine();
  tell('the limits of this machine');
  const limits = await Surroundings.lend(generator, (around) => limitsOf(around, extent.seconds));
  const rows: Row[] = [];
  for (const [name, figure] of figures) {
    tell(name);
    const found = await rowsOf(generator, name, (surroundings) =>
      figure({ surroundings, limits, extent }),
    );
    for (const row of found) tell(cellsOf(row).join('  '));
    rows.push(...found);
  }
  const missed = rows.filter(({ reached }) => reached === false).length;
  const verdict = missed === 0 ? 'All figures are reached.' : `${missed} figures are missed.`;
  return `${where}\n\n${limitTable(limits)}\n${tableOf(rows)}\n${verdict}\n`;
}

/** A figure that cannot be measured is missed; the others are measured all the same. */
async function rowsOf(
  generator: LoadGenerator,
  id: string,
  measure: (surroundings: Surroundings) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  try {
    return await Surroundings.lend(generator, measure);
  } catch (error) {
    process.exitCode = 1;
    return [
      { id, what: `not measured: ${messageOf(error)}`, value: NaN, unit: '', reached: false },
    ];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
