import fc from 'fast-check';
import { LearnedPredictor } from './learned.predictor';
import { LEVELS, type Features } from './online.predictor';
import { DamagedStateError } from './state-reader.predictor';

const features = fc.record({
  model: fc.constant('m'),
  metadata: fc.record(
    {
      input_tokens: fc.integer({ min: 0, max: 100_000 }),
      steps: fc.double({ noNaN: true }),
      user: fc.string({ maxLength: 3 }),
      hardware: fc.constantFrom('A100', 'H100', '\0', '\ud800'),
      batch: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
});
const lessons = fc.array(fc.tuple(features, fc.double({ min: 0, max: 1e9, noNaN: true })), {
  minLength: 20,
  maxLength: 120,
});

const teach = (predictor: LearnedPredictor, taught: readonly (readonly [Features, number])[]) => {
  for (const [task, ms] of taught) {
    predictor.predict(task);
    predictor.learn(task, ms);
  }
};
const quantiles = (predictor: LearnedPredictor, task: Features): readonly number[] | undefined => {
  const told = predictor.predict(task);
  return told && LEVELS.map((level) => told.quantile(level));
};
const stored = (predictor: LearnedPredictor): unknown =>
  JSON.parse(JSON.stringify(predictor.stateOf('m')));

describe('the state of a predictor', () => {
  it('makes one that predicts, and goes on to learn, exactly the same', () => {
    fc.assert(
      fc.property(lessons, lessons, (before, after) => {
        const first = new LearnedPredictor();
        teach(first, before);
        const second = new LearnedPredictor();
        second.restore('m', stored(first));
        for (const [task] of after) expect(quantiles(second, task)).toEqual(quantiles(first, task));
        teach(first, after);
        teach(second, after);
        expect(stored(second)).toEqual(stored(first));
      }),
      { numRuns: 30 },
    );
  });

  it('also when the windows have gone round, and values and groups were forgotten', () => {
    const first = new LearnedPredictor();
    const taskOf = (n: number): Features => ({
      model: 'm',
      metadata: { user: `u${n % 300}`, request: `r${n}`, tokens: 2 ** (n % 40) },
    });
    const taught = (from: number) =>
      Array.from({ length: 1_500 }, (_, n) => [taskOf(from + n), 1 + ((n * 7) % 100)] as const);
    teach(first, taught(0));
    const second = new LearnedPredictor();
    second.restore('m', stored(first));
    teach(first, taught(1_500));
    teach(second, taught(1_500));
    expect(stored(second)).toEqual(stored(first));
  });

  it('stays below some MiB, whatever the clients send', () => {
    const predictor = new LearnedPredictor();
    for (let n = 0; n < 20_000; n++) {
      const metadata = {
        user: `u${n}`,
        hardware: `h${n}`,
        request: `r${n}`,
        tokens: 1.3 ** (n % 900),
      };
      predictor.learn({ model: 'm', metadata }, n);
    }
    expect(JSON.stringify(predictor.stateOf('m')).length).toBeLessThan(2 * 1024 * 1024);
  });

  it('that is damaged is refused as such, or harmless', () => {
    const sound = new LearnedPredictor();
    teach(sound, fc.sample(lessons, { numRuns: 1, seed: 7 })[0] ?? []);
    const paths = pathsIn(stored(sound));
    const damage = fc.constantFrom(null, 'x', -1, 1e308, [], {}, [[]], true);
    fc.assert(
      fc.property(fc.constantFrom(...paths), damage, features, (path, value, task) => {
        const predictor = new LearnedPredictor();
        const state = stored(sound);
        put(state, path, value);
        try {
          predictor.restore('m', state);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedStateError);
        }
        predictor.predict(task);
        predictor.learn(task, 5);
      }),
      { numRuns: 500 },
    );
  });

  it.each([undefined, null, [], 'text', { format: 2 }, { format: 1 }, { format: 1, outcomes: 3 }])(
    'is not %j',
    (state) => {
      expect(() => new LearnedPredictor().restore('m', state)).toThrow(DamagedStateError);
    },
  );
});

type Path = readonly string[];

/** Where something stands in a JSON value. */
function pathsIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const below = Object.entries(value).flatMap(([name, part]) => pathsIn(part, [...at, name]));
  return at.length === 0 ? below : [at, ...below];
}

function put(target: unknown, [name = '', ...rest]: Path, value: unknown): void {
  const parent = target as Record<string, unknown>;
  if (rest.length === 0) parent[name] = value;
  else put(parent[name], rest, value);
}
