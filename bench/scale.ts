import { LoadGenerator } from './load';
import { echoing } from './echoing';
import { machine } from './machine';
import { markdownTable } from './markdown';
import { tried, type Called, type SizeFigures, type Started } from './size-trial';
import { Surroundings } from './surroundings';

/**
 * `npm run bench:scale`: a fleet of many instances with a long line before it. Prints a Markdown
 * table with this machine's own echo rate of the same run. `FORESAIL_BENCH_INSTANCES` and
 * `FORESAIL_BENCH_TASKS` make it smaller.
 */
const INSTANCES = Number(process.env['FORESAIL_BENCH_INSTANCES'] ?? 500);
const TASKS = Number(process.env['FORESAIL_BENCH_TASKS'] ?? 100_000);
const ECHO_SECONDS = 4;
const HEAD = ['what', 'figure', 'p50', 'p99', 'CPU per call'];

async function main(): Promise<void> {
  const where = machine();
  const generator = await LoadGenerator.start();
  try {
    const text = await Surroundings.lend(generator, async (surroundings) => {
      const echo = await (await echoing(surroundings, 'echo', ECHO_SECONDS)).round(0);
      const size = { instances: INSTANCES, tasks: TASKS, calls: true };
      const figures = await tried(surroundings, size);
      const calls = [{ what: 'echo of the same body, raw node:http', costed: echo }];
      return tableOf(figures, [...calls, ...figures.calls]);
    });
    process.stdout.write(`${INSTANCES} instances, ${TASKS} waiting tasks. ${where}\n\n${text}`);
  } finally {
    await generator.stop();
  }
}

function tableOf(figures: SizeFigures, calls: readonly Called[]): string {
  const { first, warm, full, restShare, takeoverMs, takeoverTermMs } = figures;
  return markdownTable(HEAD, [
    ...calls.map(callCells),
    startCells('start to ready, the very first', first),
    startCells('start to ready, warm, empty', warm),
    startCells('start to ready, warm, full', full),
    cells('of it, making the term from the rows', `${full.termMs} ms`),
    cells('takeover by a standby after kill -9', `${takeoverMs.toFixed(0)} ms`),
    cells('of it, making the term from the rows', `${takeoverTermMs} ms`),
    cells('computing at rest, of one core', `${((restShare ?? NaN) * 100).toFixed(0)} %`),
    cells('resident memory, empty', mib(figures.emptyMib)),
    cells('resident memory, full', mib(figures.fullMib)),
    cells('resident memory, the most until then', mib(figures.peakMib)),
    cells('resident memory, after the takeover', mib(figures.takenOverMib)),
    cells('resident memory, half a minute later', mib(figures.settledMib)),
  ]);
}

function callCells({ what, costed }: Called): readonly string[] {
  const { perSecond, p50Ms, p99Ms, cpuMicros } = costed;
  const times = [`${p50Ms.toFixed(1)} ms`, `${p99Ms.toFixed(1)} ms`];
  return [what, `${perSecond.toFixed(0)}/s`, ...times, `${cpuMicros.toFixed(0)} µs`];
}

function startCells(what: string, { ms, cpuMs }: Started): readonly string[] {
  return [what, `${ms.toFixed(0)} ms`, '', '', `${cpuMs.toFixed(0)} ms in all`];
}

function cells(what: string, figure: string): readonly string[] {
  return [what, figure, '', '', ''];
}

function mib(amount: number): string {
  return `${amount.toFixed(0)} MiB`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
