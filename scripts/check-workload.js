'use strict';

/**
 * Compares the synthetic workload with the trace that it was fitted to and prints the tables of
 * docs/workload.md:
 *
 *   node scripts/check-workload.js llm_azure2023.csv
 *
 * The figures of the synthetic side are means over seeds, each with as many requests as the trace.
 */
const { readTrace } = require('../dist/simulation/traces/llm-trace.js');
const { tokenServiceMs } = require('../dist/ops/token-service.js');
const { syntheticRows } = require('../dist/simulation/traces/synthetic-trace.js');

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const WINDOWS = [1, 10, 60];

async function main([path]) {
  if (path === undefined) throw new Error('usage: node scripts/check-workload.js TRACE.csv');
  const trace = await readTrace(path, Infinity);
  const runs = SEEDS.map((seed) => syntheticRows({ count: trace.length, seed }));
  const end = trace.at(-1).arrivalSeconds;
  for (const model of [...new Set(trace.map((row) => row.model))].sort()) {
    const own = (rows) => rows.filter((row) => row.model === model);
    const tables = [
      ['quantile', LEVELS.map((level) => `${level * 100} %`), quantilesOf],
      [
        'arrivals',
        ['share', ...WINDOWS.flatMap(burstHeads)],
        (rows, all) => arrivalsOf(rows, all, end),
      ],
    ];
    for (const [name, heads, measure] of tables) {
      const measured = measure(own(trace), trace.length);
      const drawn = runs.map((rows) => measure(own(rows), rows.length));
      console.log(`\n### ${model}: ${name}\n`);
      console.log(row(['', ...heads]));
      console.log(row(['---', ...heads.map(() => '---:')]));
      for (const [what, values] of Object.entries(measured)) {
        const means = values.map((_, i) => mean(drawn.map((figures) => figures[what][i])));
        console.log(row([`${what}, trace`, ...values.map(shown)]));
        console.log(row([`${what}, synthetic`, ...means.map(shown)]));
      }
    }
  }
}

function quantilesOf(rows) {
  const services = rows.map((r) => tokenServiceMs(r.inputTokens, r.outputTokens) / 1000);
  const gaps = rows.slice(1).map((r, i) => r.arrivalSeconds - rows[i].arrivalSeconds);
  const middle = median(rows.map((r) => r.inputTokens));
  const short = rows.filter((r) => r.inputTokens <= middle);
  const long = rows.filter((r) => r.inputTokens > middle);
  return {
    'input tokens': quantiles(rows.map((r) => r.inputTokens)),
    'output tokens': quantiles(rows.map((r) => r.outputTokens)),
    'output tokens of short inputs': quantiles(short.map((r) => r.outputTokens)),
    'output tokens of long inputs': quantiles(long.map((r) => r.outputTokens)),
    'service time, s': quantiles(services),
    'time between arrivals, s': quantiles(gaps),
  };
}

function burstHeads(window) {
  return [`var/mean, ${window} s`, `p50, ${window} s`, `p99, ${window} s`];
}

/** The share of requests; and per window variance over mean of the counts, and their quantiles. */
function arrivalsOf(rows, all, end) {
  return {
    arrivals: [rows.length / all, ...WINDOWS.flatMap((window) => burstsOf(rows, window, end))],
  };
}

function burstsOf(rows, window, end) {
  const counts = new Array(Math.ceil(end / window)).fill(0);
  for (const { arrivalSeconds } of rows) {
    counts[Math.min(counts.length - 1, Math.floor(arrivalSeconds / window))] += 1;
  }
  const average = mean(counts);
  const variance = mean(counts.map((count) => (count - average) ** 2));
  const sorted = counts.sort((a, b) => a - b);
  return [variance / average, quantile(sorted, 0.5), quantile(sorted, 0.99)];
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return LEVELS.map((level) => quantile(sorted, level));
}

function median(values) {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

function quantile(sorted, level) {
  const place = (sorted.length - 1) * level;
  const below = sorted[Math.floor(place)];
  return below + (sorted[Math.ceil(place)] - below) * (place - Math.floor(place));
}

function mean(values) {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function shown(value) {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

void main(process.argv.slice(2));
