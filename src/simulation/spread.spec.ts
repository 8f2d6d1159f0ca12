import { medianOf, spreadOf } from './spread';

describe('spreadOf', () => {
  it('takes quantiles between the two nearest values', () => {
    const values = Array.from({ length: 101 }, (_, index) => 100 - index);

    expect(spreadOf(values)).toEqual({ mean: 50, p50: 50, p95: 95, p99: 99, max: 100 });
    expect(spreadOf([10, 0]).p95).toBe(9.5);
  });

  it('orders numbers as numbers and leaves its input alone', () => {
    const values = [10, 9, 100];

    expect(spreadOf(values)).toMatchObject({ p50: 10, max: 100 });
    expect(values).toEqual([10, 9, 100]);
  });

  it('rounds to six decimals', () => {
    expect(spreadOf([0.1, 0.2]).mean).toBe(0.15);
    expect(spreadOf([1 / 3]).mean).toBe(0.333333);
  });

  it('has nothing to say about nothing', () => {
    expect(spreadOf([])).toEqual({ mean: null, p50: null, p95: null, p99: null, max: null });
  });
});

describe('medianOf', () => {
  it('is the middle value', () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([1, 2])).toBe(1.5);
    expect(medianOf([])).toBeNull();
  });
});
