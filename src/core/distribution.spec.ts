import * as fc from 'fast-check';
import { fixedRandom, SeededRandom } from '../../test/support/seeded-random';
import {
  QuantileDistribution,
  rangeOf,
  sampleNormal,
  sumMoments,
  type Moments,
} from './distribution';

/** Enough points that the error of an integral stays well below one per cent. */
const POINTS = 20_000;
const ROUGHLY = 0.01;

/** Any levels, 0 and 1 included, and values that may repeat. */
const distributions = fc
  .uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 7 })
  .chain((steps) =>
    fc.record({
      levels: fc.constant(steps.sort((a, b) => a - b).map((step) => step / 20)),
      values: fc.array(fc.integer({ min: 0, max: 1000 }), {
        minLength: steps.length,
        maxLength: steps.length,
      }),
    }),
  )
  .map(({ levels, values }) => new QuantileDistribution(levels, sorted(values)));

function sorted(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

/** Moments of `X − offset` over the outcomes above `level`, by adding up the quantile function. */
function integrate(of: QuantileDistribution, level = 0, offset = 0): Moments {
  let first = 0;
  let second = 0;
  for (let i = 0; i < POINTS; i++) {
    const value = of.quantile(level + ((1 - level) * (i + 0.5)) / POINTS) - offset;
    first += value / POINTS;
    second += (value * value) / POINTS;
  }
  return { mean: first, variance: Math.max(0, second - first * first) };
}

/** The share of outcomes at or below `value`: the last level whose quantile is not above it. */
function shareUpTo(of: QuantileDistribution, value: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (of.quantile(middle) <= value) low = middle;
    else high = middle;
  }
  return low;
}

function sampleMoments(draw: () => number, count = 40_000): Moments {
  const draws = Array.from({ length: count }, draw);
  const mean = draws.reduce((sum, value) => sum + value, 0) / count;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  return { mean, variance };
}

/** Both moments within a share of what is natural for them. */
function expectClose(actual: Moments, expected: Moments, share: number): void {
  const deviation = Math.sqrt(expected.variance);
  const slack = share * Math.max(expected.mean, deviation) + 1e-6;
  expect(Math.abs(actual.mean - expected.mean)).toBeLessThanOrEqual(slack);
  expect(Math.abs(Math.sqrt(actual.variance) - deviation)).toBeLessThanOrEqual(2 * slack);
}

describe('QuantileDistribution', () => {
  describe('quantile', () => {
    const some = new QuantileDistribution([0.25, 0.5, 0.75], [100, 200, 400]);

    it.each([
      [0, 0],
      [0.125, 50],
      [0.25, 100],
      [0.3, 120],
      [0.5, 200],
      [0.625, 300],
      [0.75, 400],
    ])('at %d is %d: straight between the given ones', (level, value) => {
      expect(some.quantile(level)).toBeCloseTo(value, 9);
    });

    it('spreads the mass below the first level with the first slope', () => {
      expect(new QuantileDistribution([0.2, 0.4], [100, 150]).quantile(0)).toBeCloseTo(50, 9);
    });

    it('does not let that mass reach below zero', () => {
      expect(new QuantileDistribution([0.5, 0.6], [100, 200]).quantile(0)).toBe(0);
    });

    it('begins the tail with the density of the last segment', () => {
      const step = 1e-6;
      const before = some.quantile(0.75) - some.quantile(0.75 - step);
      const behind = some.quantile(0.75 + step) - some.quantile(0.75);
      expect(behind / before).toBeCloseTo(1, 4);
    });

    it('has an exponential tail: each halving of what is left costs the same', () => {
      const halves = [0.75, 0.875, 0.9375, 0.96875].map((level) => some.quantile(level));
      const [first = 0, second = 0, third = 0, fourth = 0] = halves;
      expect(second - first).toBeCloseTo(200 * Math.LN2, 9);
      expect(third - second).toBeCloseTo(second - first, 9);
      expect(fourth - third).toBeCloseTo(second - first, 9);
    });

    it('ends at the last value when the last level is 1', () => {
      const bounded = new QuantileDistribution([0, 1], [10, 30]);
      expect([0, 0.5, 1].map((level) => bounded.quantile(level))).toEqual([10, 20, 30]);
    });

    it('never falls, is never negative and never infinite', () => {
      fc.assert(
        fc.property(distributions, fc.double({ min: 0, max: 1, noNaN: true }), (some, level) => {
          const value = some.quantile(level);
          expect(value).toBeGreaterThanOrEqual(some.quantile(level / 2) - 1e-9);
          expect(some.quantile(0)).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(some.quantile(1))).toBe(true);
        }),
      );
    });

    it('gives back every quantile that it was made from', () => {
      fc.assert(
        fc.property(distributions, (some) => {
          const { levels, values } = some.quantiles;
          for (const [i, level] of levels.entries()) {
            expect(some.quantile(level)).toBeCloseTo(values[i] ?? Number.NaN, 9);
          }
        }),
      );
    });
  });

  describe('mean and variance', () => {
    it('of an even spread are those of the book', () => {
      const even = new QuantileDistribution([0, 1], [0, 1200]);
      expect(even.mean).toBeCloseTo(600, 9);
      expect(even.variance).toBeCloseTo(1200 ** 2 / 12, 6);
      expect(even.deviation).toBeCloseTo(Math.sqrt(even.variance), 9);
    });

    it('of a tail alone are those of an exponential', () => {
      const nearlyExponential = new QuantileDistribution([0, 1e-6], [0, 1e-4]);
      expect(nearlyExponential.mean).toBeCloseTo(100, 2);
      expect(nearlyExponential.deviation).toBeCloseTo(100, 2);
    });

    it('are the integrals over the quantile function', () => {
      fc.assert(
        fc.property(distributions, (some) => expectClose(some, integrate(some), ROUGHLY)),
        { numRuns: 150 },
      );
    });

    it('of a point are its value and 0, at any level', () => {
      for (const point of [QuantileDistribution.point(70), new QuantileDistribution([1], [70])]) {
        expect(point.mean).toBeCloseTo(70, 9);
        expect(point.variance).toBeCloseTo(0, 9);
        expect(point.quantile(0.01)).toBe(70);
        expect(point.quantile(0.999)).toBe(70);
      }
    });

    it('count a mass that lies on one value', () => {
      const halfAtTen = new QuantileDistribution([0, 0.5, 1], [10, 10, 20]);
      expect(halfAtTen.mean).toBeCloseTo(0.5 * 10 + 0.5 * 15, 9);
      expect(halfAtTen.variance).toBeCloseTo(0.5 * 100 + 0.5 * (225 + 100 / 12) - 12.5 ** 2, 9);
    });
  });

  describe('remaining', () => {
    it('is the whole at the beginning', () => {
      fc.assert(
        fc.property(distributions, (some) => {
          fc.pre(some.quantile(0) > 0);
          expectClose(some.remaining(0), some, 1e-9);
        }),
      );
    });

    it('is the mean less what is over, as long as nothing could have ended', () => {
      const late = new QuantileDistribution([0.2, 0.4], [100, 150]);
      expect(late.remaining(40).mean).toBeCloseTo(late.mean - 40, 9);
      expect(late.remaining(40).variance).toBeCloseTo(late.variance, 6);
    });

    it('is the conditional expectation between the quantiles', () => {
      const elapsed = fc.double({ min: 0, max: 1, noNaN: true });
      fc.assert(
        fc.property(distributions, elapsed, (some, share) => {
          const { values } = some.quantiles;
          const longest = values[values.length - 1] ?? 0;
          const time = share * longest;
          fc.pre(time < longest);
          const expected = integrate(some, shareUpTo(some, time), time);
          expectClose(some.remaining(time), expected, ROUGHLY);
        }),
        { numRuns: 150 },
      );
    });

    it('leaves out a mass that lies exactly at the elapsed time', () => {
      const halfAtTen = new QuantileDistribution([0, 0.5, 1], [10, 10, 20]);
      expect(halfAtTen.remaining(10).mean).toBeCloseTo(5, 9);
      expect(halfAtTen.remaining(9).mean).toBeCloseTo(3.5, 9);
    });

    it('has no jump where the quantiles end', () => {
      const some = new QuantileDistribution([0.5, 0.9], [100, 200]);
      expectClose(some.remaining(200), { mean: 25, variance: 625 }, 1e-9);
      expectClose(some.remaining(200 - 1e-6), some.remaining(200), 1e-6);
    });

    it('grows slowly when far beyond', () => {
      const some = new QuantileDistribution([0.5, 0.9], [100, 200]);
      expect(some.remaining(400).mean).toBeCloseTo(45, 9);
      expect(QuantileDistribution.point(100).remaining(100).mean).toBe(0);
      expect(QuantileDistribution.point(100).remaining(300).mean).toBeCloseTo(20, 9);
      expect(new QuantileDistribution([0, 1], [0, 100]).remaining(200).mean).toBeCloseTo(10, 9);
    });

    it('is never negative and never not a number', () => {
      const elapsed = fc.double({ min: 0, max: 5_000, noNaN: true });
      fc.assert(
        fc.property(distributions, elapsed, (some, time) => {
          const { mean, variance } = some.remaining(time);
          expect(mean).toBeGreaterThanOrEqual(-1e-9);
          expect(variance).toBeGreaterThanOrEqual(0);
        }),
      );
    });
  });

  describe('samples', () => {
    it.each([
      ['quartiles', [0.25, 0.5, 0.75], [100, 200, 400]],
      ['a bounded one', [0, 0.3, 1], [10, 20, 90]],
      ['one with a point mass', [0.1, 0.5, 0.9], [50, 50, 80]],
      ['a point', [0.5], [40]],
    ])(
      'of %s have its moments, and after a while those of what is left',
      (_name, levels, values) => {
        const some = new QuantileDistribution(levels, values);
        const random = new SeededRandom(7);
        expectClose(
          sampleMoments(() => some.sample(random)),
          some,
          0.03,
        );
        for (const elapsed of [15, 60, 500]) {
          expectClose(
            sampleMoments(() => some.sampleRemaining(elapsed, random)),
            some.remaining(elapsed),
            0.03,
          );
        }
      },
    );

    it('are never negative', () => {
      const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
      const elapsed = fc.double({ min: 0, max: 3_000, noNaN: true });
      fc.assert(
        fc.property(distributions, chance, elapsed, (some, number, time) => {
          const random = fixedRandom(number);
          expect(some.sample(random)).toBeGreaterThanOrEqual(0);
          expect(some.sampleRemaining(time, random)).toBeGreaterThanOrEqual(0);
          expect(some.remainingQuantile(time, 0.9)).toBeGreaterThanOrEqual(
            some.remainingQuantile(time, 0.5),
          );
          expect(Number.isFinite(some.remainingQuantile(time, 1))).toBe(true);
        }),
      );
    });
  });

  it('is not made without quantiles', () => {
    expect(() => new QuantileDistribution([], [])).toThrow(RangeError);
    expect(() => new QuantileDistribution([0.1, 0.5], [1])).toThrow(RangeError);
  });
});

describe('rangeOf', () => {
  const distribution = new QuantileDistribution([0.1, 0.5, 0.9], [100, 200, 400]);

  it('is the middle of the distribution', () => {
    expect(rangeOf(distribution, 0.8)).toEqual({ lowMs: 100, highMs: 400 });
    expect(rangeOf(distribution, 0)).toEqual({ lowMs: 200, highMs: 200 });
  });

  it('is interpolated between the levels that are given', () => {
    const { lowMs, highMs } = rangeOf(distribution, 0.5);
    expect(lowMs).toBeCloseTo(137.5);
    expect(highMs).toBeCloseTo(325);
  });

  it('never ends for all outcomes of a tail', () => {
    const { lowMs, highMs } = rangeOf(distribution, 1);
    expect(lowMs).toBe(75);
    expect(highMs).toBeGreaterThan(10_000);
  });

  it.each([-0.1, 1.1, NaN])('is not there for a confidence of %p', (confidence) => {
    expect(() => rangeOf(distribution, confidence)).toThrow(/0 to 1/);
  });
});

describe('sumMoments', () => {
  it('adds means and variances, and of nothing it is zero', () => {
    expect(sumMoments([])).toEqual({ mean: 0, variance: 0 });
    const parts = [QuantileDistribution.point(5), { mean: 2, variance: 3 }];
    expect(sumMoments(parts)).toEqual({ mean: 7, variance: 3 });
  });
});

describe('sampleNormal', () => {
  it('has the moments that were asked for', () => {
    const random = new SeededRandom(3);
    const wanted = { mean: 1000, variance: 10_000 };
    expectClose(
      sampleMoments(() => sampleNormal(wanted, random)),
      wanted,
      0.01,
    );
  });

  it('is cut off at 0', () => {
    const random = new SeededRandom(5);
    const draws = Array.from({ length: 1000 }, () =>
      sampleNormal({ mean: 1, variance: 100 }, random),
    );
    expect(Math.min(...draws)).toBe(0);
  });

  it('stays finite at the ends of chance', () => {
    for (const number of [0, 1 - 2 ** -53]) {
      const draw = sampleNormal({ mean: 5, variance: 4 }, fixedRandom(number));
      expect(Number.isFinite(draw)).toBe(true);
    }
  });
});
