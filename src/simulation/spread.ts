/** How values are spread; all null when there are none. */
export interface Spread {
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** The spread of values, to six decimals. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const sum = sorted.reduce((total, value) => total + value, 0);
  return {
    mean: sorted.length === 0 ? null : rounded(sum / sorted.length),
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}

/** The median, to six decimals; null when there are no values. */
export function medianOf(values: readonly number[]): number | null {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** Linear between the two nearest values, as most statistics software has it. */
function quantile(sorted: readonly number[], level: number): number | null {
  const place = (sorted.length - 1) * level;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return null;
  return rounded(below + (above - below) * (place - Math.floor(place)));
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
