import { SeededRandom, standardNormal } from '../ops/seeded-random';
import { EmpiricalPredictor } from './empirical.predictor';
import { LearnedPredictor } from './learned.predictor';
import { LEVELS, pinball, type Features, type OnlinePredictor } from './online.predictor';

const random = new SeededRandom(11);

function tokens(input: number, model = 'llama', more: Record<string, unknown> = {}): Features {
  return { model, metadata: { input_tokens: input, ...more } };
}

/** Predicts and learns in turn; `timeOf` says what a task really takes. */
function teach(
  predictor: LearnedPredictor,
  count: number,
  timeOf: (features: Features) => number,
  make: () => Features = () => tokens(Math.ceil(random.next() * 1_000)),
): { inside: number; error: number; medianError: number } {
  let inside = 0;
  const errors: number[] = [];
  for (let n = 0; n < count; n++) {
    const features = make();
    const took = timeOf(features);
    const told = predictor.predict(features);
    if (told && took >= told.quantile(0.1) && took <= told.quantile(0.9)) inside++;
    if (told) errors.push(Math.abs(told.quantile(0.5) - took) / took);
    predictor.learn(features, took);
  }
  errors.sort((a, b) => a - b);
  const error = errors.reduce((sum, each) => sum + each, 0) / count;
  return { inside: inside / count, error, medianError: errors[errors.length >> 1] ?? NaN };
}

const noisy = (ms: number, sigma = 0.1): number => ms * Math.exp(sigma * standardNormal(random));
const byTokens = ({ metadata }: Features): number => noisy(5 * Number(metadata['input_tokens']));

describe('LearnedPredictor', () => {
  it('knows nothing of a model before 20 outcomes of it', () => {
    const predictor = new LearnedPredictor();
    teach(predictor, 19, byTokens);
    expect(predictor.predict(tokens(100))).toBeUndefined();
    teach(predictor, 1, byTokens);
    expect(predictor.predict(tokens(100))).toBeDefined();
    expect(predictor.predict(tokens(100, 'another'))).toBeUndefined();
  });

  it('learns how the time depends on the numbers of a task', () => {
    const predictor = new LearnedPredictor();
    teach(predictor, 500, byTokens);
    const { error } = teach(predictor, 500, byTokens);
    expect(error).toBeLessThan(0.12);
  });

  it('learns from names how users differ', () => {
    const timeOf = ({ metadata }: Features): number =>
      noisy(metadata['user'] === 'a' ? 100 : 5_000);
    const make = (): Features => tokens(100, 'llama', { user: random.next() < 0.5 ? 'a' : 'b' });
    const predictor = new LearnedPredictor();
    teach(predictor, 200, timeOf, make);
    expect(teach(predictor, 200, timeOf, make).error).toBeLessThan(0.15);
  });

  it.each([0.05, 0.5, 1])(
    'keeps 80 %% of the outcomes inside its 80 %% interval (σ = %d)',
    (sigma) => {
      const predictor = new LearnedPredictor();
      const timeOf = (): number => noisy(1_000, sigma);
      teach(predictor, 500, timeOf);
      const { inside } = teach(predictor, 3_000, timeOf);
      expect(Math.abs(inside - 0.8)).toBeLessThan(0.03);
    },
  );

  const changes: readonly [what: string, factor: number, make: () => Features][] = [
    ['twice as slow, seen by its tokens', 2, () => tokens(Math.ceil(random.next() * 1_000))],
    ['twice as fast, seen by its tokens', 0.5, () => tokens(Math.ceil(random.next() * 1_000))],
    ['three times as slow, seen by nothing', 3, () => ({ model: 'llama', metadata: {} })],
  ];

  it.each(changes)('follows within 100 outcomes a model that becomes %s', (_, factor, make) => {
    const predictor = new LearnedPredictor();
    const before = ({ metadata }: Features): number =>
      noisy(5 * Number(metadata['input_tokens'] ?? 200));
    const after = (features: Features): number => factor * before(features);
    teach(predictor, 1_000, before, make);
    teach(predictor, 100, after, make);
    expect(teach(predictor, 100, after, make).medianError).toBeLessThan(0.1);
    teach(predictor, 200, after, make);
    expect(Math.abs(teach(predictor, 1_000, after, make).inside - 0.8)).toBeLessThan(0.04);
  });

  /** Bursts of a hundred like tasks, of times that lie far apart: nothing tells of a new burst. */
  function* bursts(count: number): Generator<readonly [Features, serviceMs: number]> {
    for (let n = 0, scale = 0, size = 0; n < count; n++) {
      if (n % 100 === 0) {
        size = Math.floor(4 * random.next());
        scale = Math.exp(6 + size + 2.5 * standardNormal(random));
      }
      yield [{ model: 'm', metadata: { size: 4 ** size } }, noisy(scale, 0.5)];
    }
  }

  it('keeps its promise where times lie far apart, and is no worse than like tasks there', () => {
    const learned = new LearnedPredictor();
    const alike = new EmpiricalPredictor({
      keys: ({ metadata }) => [String(metadata['size']), ''],
    });
    const losses = { learned: 0, alike: 0 };
    let inside = 0;
    for (const [features, took] of bursts(5_000)) {
      const quantiles = (by: OnlinePredictor): readonly number[] =>
        LEVELS.map((level) => by.predict(features)?.quantile(level) ?? 0);
      const told = quantiles(learned);
      losses.learned += pinball(told, took);
      losses.alike += pinball(quantiles(alike), took);
      inside += Number(took >= (told[0] ?? 0) && took <= (told.at(-1) ?? 0));
      for (const predictor of [learned, alike]) predictor.learn(features, took);
    }
    expect(Math.abs(inside / 5_000 - 0.8)).toBeLessThan(0.04);
    expect(losses.learned).toBeLessThan(1.05 * losses.alike);
  });

  it('gives quantiles that ascend and are finite, whatever the metadata hold', () => {
    const predictor = new LearnedPredictor();
    const odd = [NaN, Infinity, -5, 1e308, '', 'x'.repeat(1_000), null, [1], { a: 1 }, true];
    for (let n = 0; n < 300; n++) {
      const metadata = { a: odd[n % odd.length], [`k${n}`]: n, __proto__: 7, b: odd[(n * 7) % 10] };
      const features = { model: 'odd', metadata };
      const told = predictor.predict(features);
      const quantiles = [0.1, 0.25, 0.5, 0.75, 0.9].map((level) => told?.quantile(level) ?? 0);
      expect(quantiles.every(Number.isFinite)).toBe(true);
      expect([...quantiles].sort((a, b) => a - b)).toEqual(quantiles);
      predictor.learn(features, n % 3 === 0 ? 0 : 10 ** (n % 9));
    }
  });

  it('does not carry a trend far beyond what it has seen', () => {
    const predictor = new LearnedPredictor();
    teach(predictor, 200, byTokens);
    expect(predictor.predict(tokens(1e9))?.quantile(0.9)).toBeLessThan(20_000);
  });

  it('does not read what was predicted elsewhere, or the truth of a simulation', () => {
    const blind = new LearnedPredictor();
    const timeOf = ({ metadata }: Features): number => Number(metadata['service_ms']);
    const make = (): Features => {
      const ms = 100 + 900 * random.next();
      return { model: 'm', metadata: { service_ms: ms, predicted_ms: ms } };
    };
    teach(blind, 300, timeOf, make);
    expect(teach(blind, 300, timeOf, make).error).toBeGreaterThan(0.2);
  });
});
