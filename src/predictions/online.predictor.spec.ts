import { pinball } from './online.predictor';

describe('pinball', () => {
  it('is the mean over the five levels', () => {
    expect(pinball([1, 1, 1, 1, 1], 2)).toBeCloseTo(0.5);
    expect(pinball([3, 3, 3, 3, 3], 2)).toBeCloseTo(0.5);
    expect(pinball([2, 2, 2, 2, 2], 2)).toBe(0);
  });
});
