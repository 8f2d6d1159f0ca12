import { SeededRandom, standardNormal } from '../ops/seeded-random';
import { PredictionErrors } from './prediction-errors';

const PREDICTED = { mean: 1_000, variance: 100 ** 2 };

/** Learns errors of that size, in deviations, of which a share is the same for tasks of one time. */
function learned(size: number, correlation: number, outcomes = 6_000): PredictionErrors {
  const random = new SeededRandom(9);
  const errors = new PredictionErrors();
  let common = 0;
  for (let n = 0; n < outcomes; n++) {
    if (n % 200 === 0) common = standardNormal(random);
    const own = standardNormal(random);
    const error = Math.sqrt(correlation) * common + Math.sqrt(1 - correlation) * own;
    errors.learn(PREDICTED, 1_000 + 100 * size * error);
  }
  return errors;
}

describe('PredictionErrors', () => {
  it('believes predictions while nothing is known of their errors', () => {
    const errors = new PredictionErrors();

    expect(errors.inflation).toBe(1);
    expect(errors.correlation).toBe(0);
    expect(errors.varianceOf({ mean: 5, variance: 7, common: 9 })).toBe(7);
  });

  it('finds how large errors are, and that they are independent', () => {
    const errors = learned(1.3, 0);

    expect(Math.sqrt(errors.inflation)).toBeGreaterThan(1.15);
    expect(Math.sqrt(errors.inflation)).toBeLessThan(1.45);
    expect(errors.correlation).toBeLessThan(0.05);
  });

  it('finds what errors have in common', () => {
    const errors = learned(1, 0.3, 20_000);
    const some = Array.from({ length: 40 }, (_, n) => learned(1, 0.3, 4_000 + 200 * n).correlation);
    const mean = some.reduce((sum, one) => sum + one, 0) / some.length;

    expect(mean).toBeGreaterThan(0.15);
    expect(mean).toBeLessThan(0.45);
    expect(errors.varianceOf({ mean: 0, variance: 10, common: 10 })).toBeGreaterThan(20);
  });

  it('lets one wild outcome count for little, and a certain prediction for nothing', () => {
    const errors = new PredictionErrors();
    errors.learn(PREDICTED, 1e9);
    expect(errors.inflation).toBeLessThan(1.5);

    const certain = new PredictionErrors();
    certain.learn({ mean: 1_000, variance: 0 }, 5_000);
    expect(certain.inflation).toBe(1);
  });
});
