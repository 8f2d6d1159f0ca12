import { syntheticRows } from './synthetic-trace';
import { MODELS } from './synthetic-model';

const rowsOf = (model: string, count: number, seed = 1): ReturnType<typeof syntheticRows> =>
  syntheticRows({ count, seed }).filter((row) => row.model === model);

describe('syntheticRows', () => {
  it('gives the same requests for the same seed, and others for another', () => {
    const rows = syntheticRows({ count: 200, seed: 7 });

    expect(syntheticRows({ count: 200, seed: 7 })).toEqual(rows);
    expect(syntheticRows({ count: 200, seed: 8 })).not.toEqual(rows);
  });

  it.each([1, 2, 3, 60, 1_000])('gives %d requests, numbered in the order of arrival', (count) => {
    const rows = syntheticRows({ count, seed: 3 });
    const arrivals = rows.map(({ arrivalSeconds }) => arrivalSeconds);

    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    expect(arrivals[0]).toBeGreaterThanOrEqual(0);
  });

  it.each([60, 1_000])(
    'gives each model its share of %d requests, over the whole time',
    (count) => {
      const end = syntheticRows({ count, seed: 1 }).at(-1)?.arrivalSeconds ?? 0;
      for (const { model, share } of MODELS) {
        const rows = rowsOf(model, count);

        expect(Math.abs(rows.length - count * share)).toBeLessThanOrEqual(1);
        expect(rows.at(-1)?.arrivalSeconds).toBeGreaterThan(end / 2);
      }
    },
  );

  it('stays within the token counts that were seen', () => {
    for (const { model, inputTokens, outputTokens } of MODELS) {
      for (const row of rowsOf(model, 5_000)) {
        expect(row.inputTokens).toBeGreaterThanOrEqual(inputTokens.least);
        expect(row.inputTokens).toBeLessThanOrEqual(inputTokens.most);
        expect(row.outputTokens).toBeGreaterThanOrEqual(outputTokens.least);
        expect(row.outputTokens).toBeLessThanOrEqual(outputTokens.most);
        expect(Number.isInteger(row.inputTokens) && Number.isInteger(row.outputTokens)).toBe(true);
      }
    }
  });

  it.each([
    ['code', 1473, 13],
    ['conv', 1035, 140],
  ])('has the middle token counts of the trace: %s', (model, input, output) => {
    const rows = rowsOf(model, 20_000);

    expect(median(rows.map((row) => row.inputTokens)) / input).toBeCloseTo(1, 1);
    expect(median(rows.map((row) => row.outputTokens)) / output).toBeCloseTo(1, 1);
  });

  it('is bursty where the trace is, and steady where it is not', () => {
    expect(dispersion('code')).toBeGreaterThan(20);
    expect(dispersion('conv')).toBeLessThan(5);
  });

  /** Variance over mean of the requests per 10 s; 1 if they came independently. */
  const dispersion = (model: string): number => {
    const rows = rowsOf(model, 20_000);
    const counts: number[] = new Array<number>(Math.ceil(20_000 / 84)).fill(0);
    for (const { arrivalSeconds } of rows) {
      const window = Math.min(counts.length - 1, Math.floor(arrivalSeconds / 10));
      counts[window] = (counts[window] ?? 0) + 1;
    }
    const mean = rows.length / counts.length;
    return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length / mean;
  };
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
