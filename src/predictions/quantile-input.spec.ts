import { readDuration, readQuantiles } from './quantile-input';

describe('reading quantiles', () => {
  it.each([
    ['levels that fall', [0.5, 0.1], [1, 2]],
    ['equal levels', [0.5, 0.5], [1, 2]],
    ['a level above 1', [0.5, 1.5], [1, 2]],
    ['a negative value', [0.5], [-1]],
    ['values that fall', [0.1, 0.9], [2, 1]],
    ['different lengths', [0.1, 0.9], [1]],
    ['no levels', [], []],
    ['text', ['0.5'], [1]],
    ['infinity', [0.5], [Infinity]],
    ['no list', 0.5, 1],
  ])('refuses %s', (_, levels, values) => {
    expect(readQuantiles(levels, values)).toEqual({ fault: expect.any(String) });
  });

  it('shares one array of levels between distributions', () => {
    const one = readQuantiles([0.2, 0.8], [1, 2]);
    const other = readQuantiles([0.2, 0.8], [3, 4]);
    if (!('distribution' in one) || !('distribution' in other)) throw new Error('refused');
    expect(one.distribution.quantiles.levels).toBe(other.distribution.quantiles.levels);
  });

  it.each([-1, NaN, Infinity, '5', null, undefined])('sees no duration in %p', (value) => {
    expect(readDuration(value)).toBeUndefined();
  });
});
