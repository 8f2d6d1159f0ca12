import { batchFiguresOf } from './batch-figures';

describe('batchFiguresOf', () => {
  it('bounds the slowdown of short jobs', () => {
    const runs = [
      { waitSeconds: 0, runSeconds: 1, width: 1 },
      { waitSeconds: 19, runSeconds: 1, width: 1 },
      { waitSeconds: 100, runSeconds: 50, width: 1 },
    ];

    expect(batchFiguresOf(runs).boundedSlowdown.mean).toBeCloseTo((1 + 2 + 3) / 3, 6);
  });

  it('looks at the widest twentieth apart', () => {
    const runs = Array.from({ length: 40 }, (_, n) => ({
      ...{ waitSeconds: n, runSeconds: 100 },
      width: 40 - n,
    }));

    expect(batchFiguresOf(runs).widest5.waitMean).toBe(0.5);
    expect(batchFiguresOf([])).toEqual({
      boundedSlowdown: { mean: null },
      widest5: { waitMean: null },
    });
  });
});
