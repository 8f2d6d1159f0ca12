import type { Random } from '../../core/ports';
import { exponential, SeededRandom, standardNormal } from '../../ops/seeded-random';
import type { TraceRow } from './llm-trace';
import { MODELS, type ModelShape, type TokenComponent } from './synthetic-model';

/** How much of the synthetic workload is wanted. */
export interface SyntheticOptions {
  /** Requests in all, over all models. */
  readonly count: number;
  /** The same seed and count give the same requests. */
  readonly seed: number;
}

/** One request before it has its place among the others. */
type Request = Omit<TraceRow, 'row'>;

/**
 * A workload shaped like an hour of two production services (docs/workload.md): rates that rise and
 * fall, bursts and batches, and token counts that belong together. Each model gets its share of the
 * requests exactly, and its arrivals are stretched so that all models begin and end together; with
 * many requests that changes nothing, with few it keeps any of them from being absent.
 */
export function syntheticRows({ count, seed }: SyntheticOptions): readonly TraceRow[] {
  const seconds = count / MODELS.reduce((total, { perSecond }) => total + perSecond, 0);
  const requests = sharesOf(count).flatMap(({ shape, share }, index) => {
    const random = new SeededRandom(seed * MODELS.length + index + 1);
    return requestsOf(shape, share, seconds, random);
  });
  return requests
    .sort((a, b) => a.arrivalSeconds - b.arrivalSeconds)
    .map((request, index) => ({ row: index + 1, ...request }));
}

/** The requests of each model; what rounding leaves over belongs to the last. */
function sharesOf(count: number): readonly { shape: ModelShape; share: number }[] {
  let left = count;
  return MODELS.map((shape, index) => {
    const isLast = index === MODELS.length - 1;
    const share = isLast ? left : Math.round(count * shape.share);
    left -= share;
    return { shape, share };
  });
}

function requestsOf(
  shape: ModelShape,
  count: number,
  seconds: number,
  random: Random,
): readonly Request[] {
  const arrivals = arrivalsOf(shape, count, random);
  const stretch = seconds / Math.max(arrivals.endSeconds, Number.MIN_VALUE);
  return arrivals.times.map((time) => ({
    arrivalSeconds: Math.round(time * stretch * 1e4) / 1e4,
    model: shape.model,
    ...tokensOf(shape, random),
  }));
}

/**
 * A Markov chain that moves once a second; in each state batches arrive at a rate of their own. The
 * end is where the next batch would have come.
 */
function arrivalsOf(
  { arrivals, batch }: ModelShape,
  count: number,
  random: Random,
): { readonly times: readonly number[]; readonly endSeconds: number } {
  const times: number[] = [];
  let state = drawn(stationaryOf(arrivals.transitions), random);
  for (let second = 0; ; second += 1) {
    const rate = arrivals.rates[state] ?? 0;
    for (let at = exponential(1 / rate, random); at < 1; at += exponential(1 / rate, random)) {
      if (times.length >= count) return { times: inOrder(times, count), endSeconds: second + at };
      times.push(...batchAt(second + at, batch, random));
    }
    state = drawn(arrivals.transitions[state] ?? [], random);
  }
}

/** A batch: its size is geometric, its requests follow each other closely. */
function batchAt(begin: number, batch: ModelShape['batch'], random: Random): readonly number[] {
  const times = [begin];
  const another = 1 - 1 / batch.meanSize;
  for (let at = begin; random.next() < another;) {
    at += exponential(batch.gapSeconds, random);
    times.push(at);
  }
  return times;
}

/** Batches may overlap, and the last one may be longer than what is left. */
function inOrder(times: readonly number[], count: number): readonly number[] {
  return [...times].sort((a, b) => a - b).slice(0, count);
}

function tokensOf(
  { tokens, inputTokens, outputTokens }: ModelShape,
  random: Random,
): Pick<TraceRow, 'inputTokens' | 'outputTokens'> {
  const weights = tokens.map(({ weight }) => weight);
  const component = tokens[drawn(weights, random)];
  if (component === undefined) throw new Error('the model of the workload has no components');
  const [input, output] = pairOf(component, random);
  return {
    inputTokens: within(input, inputTokens),
    outputTokens: within(output, outputTokens),
  };
}

/** Input and output of one log-normal component, correlated. */
function pairOf({ input, output, correlation }: TokenComponent, random: Random): [number, number] {
  const first = standardNormal(random);
  const second = correlation * first + Math.sqrt(1 - correlation ** 2) * standardNormal(random);
  return [
    Math.exp(input.mean + input.sigma * first),
    Math.exp(output.mean + output.sigma * second),
  ];
}

function within(tokens: number, { least, most }: ModelShape['inputTokens']): number {
  return Math.round(Math.min(most, Math.max(least, tokens)));
}

/** A place in a list, with the probabilities that the list holds. */
function drawn(probabilities: readonly number[], random: Random): number {
  let left = random.next() * probabilities.reduce((total, part) => total + part, 0);
  const place = probabilities.findIndex((probability) => (left -= probability) < 0);
  return Math.max(0, place);
}

/** How often a chain is in each of its states in the long run. */
function stationaryOf(transitions: readonly (readonly number[])[]): readonly number[] {
  let shares = transitions.map(() => 1 / transitions.length);
  for (let step = 0; step < STEPS_TO_REST; step += 1) {
    shares = shares.map((_, to) =>
      transitions.reduce((total, row, from) => total + (shares[from] ?? 0) * (row[to] ?? 0), 0),
    );
  }
  return shares;
}

/** Many times as long as the longest stay in a state. */
const STEPS_TO_REST = 5_000;
