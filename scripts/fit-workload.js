'use strict';

/**
 * Fits the synthetic workload (docs/workload.md) to a trace and prints its parameters, as they stand
 * in src/simulation/traces/synthetic-model.ts:
 *
 *   node scripts/fit-workload.js llm_azure2023.csv
 *
 * Arrivals: a hidden Markov chain with a step of one second and Poisson counts, by Baum-Welch.
 * Tokens: a mixture of Gaussians over (ln input, ln output), by expectation maximisation. How many
 * states and components there are is decided by the Bayesian information criterion.
 */
const { readTrace } = require('../dist/simulation/traces/llm-trace.js');
const { SeededRandom } = require('../dist/ops/seeded-random.js');

/** Arrivals that follow each other so closely belong to one batch, s. */
const BATCH_GAP_SECONDS = 0.01;
const RESTARTS = { arrivals: 12, tokens: 5 };
const ROUNDS = 300;
const MOST_STATES = 6;
const MOST_COMPONENTS = 9;
/** A component is never narrower than 1 %. */
const LEAST_VARIANCE = 1e-4;

async function main([path]) {
  if (path === undefined) throw new Error('usage: node scripts/fit-workload.js TRACE.csv');
  const rows = await readTrace(path, Infinity);
  const seconds = rows.at(-1).arrivalSeconds;
  for (const model of [...new Set(rows.map((row) => row.model))].sort()) {
    const own = rows.filter((row) => row.model === model);
    const batches = batchesOf(own.map((row) => row.arrivalSeconds));
    const fitted = {
      model,
      share: own.length / rows.length,
      perSecond: own.length / seconds,
      batch: { meanSize: own.length / batches.starts.length, gapSeconds: batches.meanGap },
      arrivals: fitArrivals(countsPerSecond(batches.starts, Math.ceil(seconds))),
      inputTokens: rangeOf(own.map((row) => row.inputTokens)),
      outputTokens: rangeOf(own.map((row) => row.outputTokens)),
      tokens: fitTokens(own),
    };
    console.log(JSON.stringify(fitted, rounded, 2));
  }
}

function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}

function rangeOf(values) {
  return { least: Math.min(...values), most: Math.max(...values) };
}

function batchesOf(times) {
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  const starts = times.filter((_, index) => index === 0 || gaps[index - 1] > BATCH_GAP_SECONDS);
  const inner = gaps.filter((gap) => gap <= BATCH_GAP_SECONDS);
  return { starts, meanGap: sum(inner) / Math.max(1, inner.length) };
}

function countsPerSecond(times, seconds) {
  const counts = new Array(seconds).fill(0);
  for (const time of times) counts[Math.min(seconds - 1, Math.floor(time))] += 1;
  return counts;
}

/**
 * The chain with the best information criterion; each number of states from several beginnings. The
 * counts are followed by their mirror image: half an hour that ends busier than it began would else
 * give a chain that never comes back.
 */
function fitArrivals(seen) {
  const random = new SeededRandom(1);
  const counts = [...seen, ...[...seen].reverse()];
  const fits = [];
  for (let states = 2; states <= MOST_STATES; states += 1) {
    const tries = Array.from({ length: RESTARTS.arrivals }, () =>
      baumWelch(counts, states, random),
    );
    const best = least(tries, (fit) => -fit.logLikelihood);
    const parameters = states * states;
    // The mirror image tells nothing new: half of the likelihood counts.
    fits.push({ ...best, bic: parameters * Math.log(seen.length) - best.logLikelihood });
  }
  for (const { rates, bic } of fits) console.error(`${rates.length} states: BIC ${bic.toFixed(1)}`);
  const { rates, stay } = least(fits, (fit) => fit.bic);
  return { rates, transitions: stay.map(withoutTraces) };
}

/** Moves that as good as never happen are left out. */
function withoutTraces(row) {
  const kept = row.map((p) => (p < 1e-4 ? 0 : p));
  return kept.map((p) => p / sum(kept));
}

function baumWelch(counts, states, random) {
  const mean = sum(counts) / counts.length;
  let rates = Array.from({ length: states }, () => mean * 3 * random.next() ** 2 + 0.01);
  let stay = Array.from({ length: states }, () => {
    const leave = 0.01 + 0.49 * random.next();
    return { leave, to: leave / (states - 1) };
  }).map(({ leave, to }, i) => rates.map((_, j) => (i === j ? 1 - leave : to)));
  let begin = new Array(states).fill(1 / states);
  let logLikelihood = -Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const emitted = counts.map((count) => rates.map((rate) => poisson(count, rate)));
    const { alphas, betas, scales } = forwardBackward(emitted, begin, stay);
    const reached = sum(scales.map(Math.log));
    if (reached - logLikelihood < 1e-6) break;
    logLikelihood = reached;
    const gammas = alphas.map((alpha, t) => alpha.map((a, i) => a * betas[t][i]));
    const moves = stay.map((row, i) =>
      row.map((p, j) => {
        let total = 0;
        for (let t = 0; t + 1 < counts.length; t += 1) {
          total += (alphas[t][i] * p * emitted[t + 1][j] * betas[t + 1][j]) / scales[t + 1];
        }
        return total;
      }),
    );
    stay = moves.map((row) => row.map((move) => move / Math.max(1e-300, sum(row))));
    rates = rates.map((_, i) => {
      const weight = sum(gammas.map((gamma) => gamma[i]));
      const hits = sum(gammas.map((gamma, t) => gamma[i] * counts[t]));
      return Math.max(1e-3, hits / Math.max(1e-300, weight));
    });
    begin = gammas[0];
  }
  const order = rates.map((_, i) => i).sort((a, b) => rates[a] - rates[b]);
  return {
    logLikelihood,
    rates: order.map((i) => rates[i]),
    stay: order.map((i) => order.map((j) => stay[i][j])),
  };
}

function forwardBackward(emitted, begin, stay) {
  const states = begin.length;
  const alphas = [];
  const scales = [];
  for (const [t, row] of emitted.entries()) {
    const before = alphas[t - 1];
    const alpha = row.map((e, j) => {
      const from = before === undefined ? begin[j] : sum(before.map((a, i) => a * stay[i][j]));
      return from * e;
    });
    const scale = Math.max(1e-300, sum(alpha));
    scales.push(scale);
    alphas.push(alpha.map((a) => a / scale));
  }
  const betas = new Array(emitted.length);
  betas[emitted.length - 1] = new Array(states).fill(1);
  for (let t = emitted.length - 2; t >= 0; t -= 1) {
    betas[t] = begin.map((_, i) => {
      const ahead = stay[i].map((p, j) => p * emitted[t + 1][j] * betas[t + 1][j]);
      return sum(ahead) / scales[t + 1];
    });
  }
  return { alphas, betas, scales };
}

const logFactorials = [0];
function poisson(count, rate) {
  for (let n = logFactorials.length; n <= count; n += 1) {
    logFactorials.push(logFactorials[n - 1] + Math.log(n));
  }
  return Math.exp(count * Math.log(rate) - rate - logFactorials[count]);
}

/**
 * The mixture with the best information criterion. Counts are whole numbers: each is spread over the
 * unit around it, or the likelihood would grow without bound at counts that are frequent.
 */
function fitTokens(rows) {
  const random = new SeededRandom(2);
  const spread = (tokens) => Math.log(Math.max(0.5, tokens - 0.5 + random.next()));
  const points = rows.map((row) => [spread(row.inputTokens), spread(row.outputTokens)]);
  const fits = [];
  for (let size = 2; size <= MOST_COMPONENTS; size += 1) {
    const tries = Array.from({ length: RESTARTS.tokens }, () => mixture(points, size, random));
    const best = least(tries, (fit) => -fit.logLikelihood);
    const parameters = 6 * size - 1;
    fits.push({ ...best, bic: parameters * Math.log(points.length) - 2 * best.logLikelihood });
  }
  for (const fit of fits) {
    console.error(`${fit.components.length} components: BIC ${fit.bic.toFixed(1)}`);
  }
  const { components } = least(fits, (fit) => fit.bic);
  return components.map(({ weight, mean, cov }) => ({
    weight,
    input: { mean: mean[0], sigma: Math.sqrt(cov[0]) },
    output: { mean: mean[1], sigma: Math.sqrt(cov[2]) },
    correlation: cov[1] / Math.sqrt(cov[0] * cov[2]),
  }));
}

function mixture(points, size, random) {
  let components = farApart(points, size, random).map((mean) => ({
    weight: 1 / size,
    mean,
    cov: [0.3, 0, 0.3],
  }));
  let logLikelihood = -Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    let reached = 0;
    const shares = points.map((point) => {
      const parts = components.map((component) => component.weight * density(point, component));
      const total = Math.max(1e-300, sum(parts));
      reached += Math.log(total);
      return parts.map((part) => part / total);
    });
    if (reached - logLikelihood < 1e-3) break;
    logLikelihood = reached;
    components = components.map((_, k) => refitted(points, shares, k));
  }
  components.sort((a, b) => b.weight - a.weight);
  return { logLikelihood, components };
}

function refitted(points, shares, k) {
  let weight = 0;
  const first = [0, 0];
  for (const [n, [x, y]] of points.entries()) {
    const share = shares[n][k];
    weight += share;
    first[0] += share * x;
    first[1] += share * y;
  }
  const mass = Math.max(1e-9, weight);
  const mean = [first[0] / mass, first[1] / mass];
  const second = [0, 0, 0];
  for (const [n, [x, y]] of points.entries()) {
    const share = shares[n][k];
    second[0] += share * (x - mean[0]) ** 2;
    second[1] += share * (x - mean[0]) * (y - mean[1]);
    second[2] += share * (y - mean[1]) ** 2;
  }
  const cov = [
    second[0] / mass + LEAST_VARIANCE,
    second[1] / mass,
    second[2] / mass + LEAST_VARIANCE,
  ];
  return { weight: weight / points.length, mean, cov };
}

/** Beginnings that lie apart: each further one is drawn by its squared distance (k-means++). */
function farApart(points, size, random) {
  const chosen = [points[Math.floor(random.next() * points.length)]];
  while (chosen.length < size) {
    const distances = points.map(([x, y]) =>
      Math.min(...chosen.map(([a, b]) => (x - a) ** 2 + (y - b) ** 2)),
    );
    let left = random.next() * sum(distances);
    const index = distances.findIndex((distance) => (left -= distance) <= 0);
    chosen.push(points[Math.max(0, index)]);
  }
  return chosen;
}

function density([x, y], { mean, cov }) {
  const determinant = cov[0] * cov[2] - cov[1] ** 2;
  const [dx, dy] = [x - mean[0], y - mean[1]];
  const form = (cov[2] * dx ** 2 - 2 * cov[1] * dx * dy + cov[0] * dy ** 2) / determinant;
  return Math.exp(-form / 2) / (2 * Math.PI * Math.sqrt(determinant));
}

function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function least(items, cost) {
  return items.reduce((best, item) => (cost(item) < cost(best) ? item : best));
}

void main(process.argv.slice(2));
