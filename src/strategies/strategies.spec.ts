import * as fc from 'fast-check';
import { candidateOf, exactly } from '../../test/support/builders';
import { SeededRandom } from '../../test/support/seeded-random';
import { NOTHING } from '../core/resources';
import { isRanked, type Candidate, type PlacementStrategy } from '../core/strategy';
import { isNonEmpty, type InstanceId, type NonEmpty } from '../core/units';
import { BUILT_IN } from './strategy.registry';

/** Figures of one candidate; `draw` is what its wait says when it is sampled. */
const figures = fc.record({
  mean: fc.double({ min: 0, max: 1e9, noNaN: true }),
  variance: fc.double({ min: 0, max: 1e12, noNaN: true }),
  draw: fc.double({ min: 0, max: 1e9, noNaN: true }),
  speed: fc.double({ min: 0.01, max: 100, noNaN: true }),
  slots: fc.integer({ min: 1, max: 64 }),
  occupied: fc.nat(100),
  waiting: fc.nat(10_000),
  load: fc.double({ min: 0, max: 3, noNaN: true }),
  cpu: fc.double({ min: -1, max: 512, noNaN: true }),
});

/** At least one candidate; all alike when `tied`. The list and all in it refuse to be changed. */
function candidatesOf(tied: boolean): fc.Arbitrary<NonEmpty<Candidate>> {
  const one = tied ? figures.map((drawn) => ({ ...drawn, ...TIED })) : figures;
  return fc
    .array(one, { minLength: 1, maxLength: 20 })
    .map((list) =>
      list.map(({ mean, variance, draw, cpu, ...standing }, i) =>
        frozen(
          candidateOf(`i-${i}`, {
            ...standing,
            room: { ...NOTHING, cpu },
            wait: { mean, variance, deviation: Math.sqrt(variance), sample: () => draw },
          }),
        ),
      ),
    )
    .filter((list) => isNonEmpty(list))
    .map((list) => Object.freeze(list));
}

const TIED = {
  mean: 5,
  variance: 4,
  draw: 5,
  speed: 1,
  slots: 1,
  occupied: 1,
  waiting: 0,
  load: 1,
  cpu: 1,
};

function frozen(candidate: Candidate): Candidate {
  Object.freeze(candidate.wait);
  return Object.freeze(candidate);
}

/** What the core makes of a strategy: its choice, or the first of the least rank. */
function chosenBy(
  strategy: PlacementStrategy,
  candidates: NonEmpty<Candidate>,
  seed: number,
): InstanceId {
  if (!isRanked(strategy)) {
    const context = { prediction: exactly(100), random: new SeededRandom(seed) };
    return strategy.choose(candidates, context).instanceId;
  }
  const ranks = candidates.map((candidate) => strategy.rank(candidate));
  const best = candidates[ranks.indexOf(Math.min(...ranks))];
  if (!best) throw new Error(`no least of ${String(ranks)}`);
  return best.instanceId;
}

/** Candidates in which no two are alike in anything that the strategy might weigh, as it rounds it. */
function areDistinct(candidates: NonEmpty<Candidate>, strategy: PlacementStrategy): boolean {
  const choices: readonly ((candidate: Candidate) => number)[] = [
    ({ wait }) => wait.mean,
    ({ wait }) => wait.mean + 0.5 * wait.deviation,
    ({ wait }) => wait.sample(new SeededRandom()),
  ];
  const weighed = isRanked(strategy) ? [(one: Candidate) => strategy.rank(one)] : choices;
  return weighed.every((weigh) => new Set(candidates.map(weigh)).size === candidates.length);
}

describe.each(BUILT_IN.map((make) => [make().name, make] as const))('%s', (_name, make) => {
  const seeds = fc.nat(1_000);

  it('picks one of the candidates, changes none and never throws, ties or not', () => {
    const any = fc.oneof(candidatesOf(false), candidatesOf(true));
    fc.assert(
      fc.property(any, seeds, (candidates, seed) => {
        const ids = candidates.map(({ instanceId }) => instanceId);
        expect(ids).toContain(chosenBy(make(), candidates, seed));
      }),
    );
  });

  it('gives the same answer to the same input and random numbers, however often it is asked', () => {
    fc.assert(
      fc.property(candidatesOf(false), seeds, (candidates, seed) => {
        const strategy = make();
        const first = chosenBy(strategy, candidates, seed);
        expect(chosenBy(strategy, candidates, seed)).toBe(first);
        expect(chosenBy(make(), candidates, seed)).toBe(first);
      }),
    );
  });

  it('does not depend on the order of the candidates', () => {
    const shuffled = candidatesOf(false)
      .filter((candidates) => areDistinct(candidates, make()))
      .chain((candidates) =>
        fc.tuple(
          fc.constant(candidates),
          fc.shuffledSubarray([...candidates], { minLength: candidates.length }),
        ),
      );
    fc.assert(
      fc.property(shuffled, seeds, ([candidates, others], seed) => {
        if (!isNonEmpty(others)) throw new Error('a shuffle keeps everybody');
        expect(chosenBy(make(), others, seed)).toBe(chosenBy(make(), candidates, seed));
      }),
    );
  });

  it('names another candidate as the runner-up, if there is any', () => {
    const any = fc.oneof(candidatesOf(false), candidatesOf(true));
    fc.assert(
      fc.property(any, seeds, (candidates, seed) => {
        const strategy = make();
        if (isRanked(strategy)) return;
        const context = { prediction: exactly(100), random: new SeededRandom(seed) };
        const { instanceId, runnerUp } = strategy.choose(candidates, context);
        const others = candidates.map((one) => one.instanceId).filter((id) => id !== instanceId);
        if (others.length === 0) expect(runnerUp).toBeUndefined();
        else expect(others).toContain(runnerUp);
      }),
    );
  });

  it('takes the runner-up when the first choice is not there', () => {
    fc.assert(
      fc.property(
        candidatesOf(false).filter((candidates) => areDistinct(candidates, make())),
        seeds,
        (candidates, seed) => {
          const strategy = make();
          if (isRanked(strategy)) return;
          const context = { prediction: exactly(100), random: new SeededRandom(seed) };
          const { instanceId, runnerUp } = strategy.choose(candidates, context);
          const rest = candidates.filter((one) => one.instanceId !== instanceId);
          if (isNonEmpty(rest)) expect(chosenBy(strategy, rest, seed)).toBe(runnerUp);
        },
      ),
    );
  });

  it('says why, in one line', () => {
    const strategy = make();
    if (isRanked(strategy)) return;
    const context = { prediction: exactly(100), random: new SeededRandom() };
    const { reason } = strategy.choose([candidateOf('a', { mean: 12 })], context);
    expect(reason).toMatch(new RegExp(`^${strategy.name}: [^\n]+$`));
  });
});
