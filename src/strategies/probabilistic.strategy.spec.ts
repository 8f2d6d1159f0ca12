import { candidateOf, exactly } from '../../test/support/builders';
import { SeededRandom } from '../../test/support/seeded-random';
import { QuantileDistribution, sampleNormal } from '../core/distribution';
import type { Random } from '../core/ports';
import type { Candidate } from '../core/strategy';
import { ProbabilisticStrategy } from './probabilistic.strategy';

const ROUNDS = 20_000;

/** A candidate whose wait is drawn from a normal distribution. */
function normal(id: string, mean: number, deviation: number): Candidate {
  const moments = { mean, variance: deviation ** 2 };
  const sample = (random: Random): number => sampleNormal(moments, random);
  return candidateOf(id, { wait: { ...moments, deviation, sample } });
}

/** How often each was chosen, as a share. */
function shares(...candidates: readonly [Candidate, ...Candidate[]]): Record<string, number> {
  const strategy = new ProbabilisticStrategy();
  const random = new SeededRandom(9);
  const found: Record<string, number> = {};
  for (let i = 0; i < ROUNDS; i++) {
    const { instanceId } = strategy.choose(candidates, { prediction: exactly(1), random });
    found[instanceId] = (found[instanceId] ?? 0) + 1 / ROUNDS;
  }
  return found;
}

describe('ProbabilisticStrategy', () => {
  it('binds at submission', () => {
    expect(new ProbabilisticStrategy().binding).toBe('early');
  });

  it('chooses an instance as often as its wait would be the shortest', () => {
    // The difference of the two is normal with mean 100 and deviation 100: one standard deviation.
    const near = normal('near', 1_000, 60);
    const far = normal('far', 1_100, 80);
    const { near: share } = shares(near, far);
    expect(Math.abs((share ?? 0) - 0.8413)).toBeLessThan(0.01);
    expect(Math.abs((shares(far, near)['near'] ?? 0) - 0.8413)).toBeLessThan(0.01);
  });

  it('shares evenly among instances that are alike', () => {
    const found = shares(normal('a', 500, 90), normal('b', 500, 90), normal('c', 500, 90));
    for (const id of ['a', 'b', 'c']) expect(Math.abs((found[id] ?? 0) - 1 / 3)).toBeLessThan(0.02);
  });

  it('always takes the one that is surely the shortest', () => {
    const idle = candidateOf('idle', { mean: 0 });
    expect(shares(normal('busy', 9_000, 10), idle)).toEqual({ idle: expect.closeTo(1, 6) });
  });

  it('draws one wait per instance', () => {
    let draws = 0;
    const wait = new QuantileDistribution([0.25, 0.75], [10, 30]);
    const counted = (id: string): Candidate =>
      candidateOf(id, {
        wait: {
          mean: wait.mean,
          variance: wait.variance,
          deviation: wait.deviation,
          sample: (random) => {
            draws++;
            return wait.sample(random);
          },
        },
      });
    const context = { prediction: exactly(1), random: new SeededRandom() };
    new ProbabilisticStrategy().choose([counted('a'), counted('b'), counted('c')], context);
    expect(draws).toBe(3);
  });
});
