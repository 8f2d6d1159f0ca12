import { DamagedStateError, listIn, numbersIn } from './state-reader.predictor';

/** How much of what was learned is kept per outcome. */
const KEEP = 0.999;
/** Variance of the noise that the coefficients are weighed against: more makes them more cautious. */
const NOISE = 1;
/** Uncertainty of a coefficient of which nothing is known, and the most that forgetting leads to. */
const UNKNOWN = 1;
const MOST_UNCERTAINTY = 100;

/**
 * Recursive least squares with exponential forgetting (Haykin, Adaptive Filter Theory, chapter 10).
 * Regressors may be added at the end at any time.
 */
export class RecursiveLeastSquares {
  private readonly coefficients: number[] = [];
  /** Covariance of the coefficients, row by row. */
  private readonly covariance: number[][] = [];

  /** @throws {DamagedStateError} */
  static from(state: unknown): RecursiveLeastSquares {
    const restored = new RecursiveLeastSquares();
    const [coefficients, ...covariance] = listIn(state);
    restored.coefficients.push(...numbersIn(coefficients));
    const size = restored.coefficients.length;
    if (covariance.length !== size) throw new DamagedStateError(`${size} rows`, covariance);
    restored.covariance.push(...covariance.map((row) => numbersIn(row, size)));
    return restored;
  }

  /** As JSON, for `from`: the coefficients, and the rows of their covariance. */
  get state(): readonly (readonly number[])[] {
    return [this.coefficients, ...this.covariance];
  }

  /** What the regressors add up to. */
  value(regressors: readonly number[]): number {
    let sum = 0;
    for (let i = 0; i < this.coefficients.length; i++)
      sum += (this.coefficients[i] ?? 0) * (regressors[i] ?? 0);
    return sum;
  }

  /** @param residual the outcome less what `value` said of it */
  learn(regressors: readonly number[], residual: number): void {
    this.growTo(regressors.length);
    const gain = this.covariance.map((row) => product(row, regressors));
    const denominator = KEEP * NOISE + product(gain, regressors);
    for (let i = 0; i < gain.length; i++) {
      const share = (gain[i] ?? 0) / denominator;
      this.coefficients[i] = (this.coefficients[i] ?? 0) + share * residual;
      this.shrinkRow(i, share, gain);
    }
    this.boundUncertainty();
  }

  private shrinkRow(i: number, share: number, gain: readonly number[]): void {
    const row = this.covariance[i] ?? [];
    for (let j = 0; j < row.length; j++) row[j] = ((row[j] ?? 0) - share * (gain[j] ?? 0)) / KEEP;
  }

  /** A regressor that is always 0 teaches nothing, and forgetting would blow its uncertainty up. */
  private boundUncertainty(): void {
    this.covariance.forEach((row, i) => {
      const own = row[i] ?? 0;
      if (own <= MOST_UNCERTAINTY) return;
      const factor = Math.sqrt(MOST_UNCERTAINTY / own);
      for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) * factor;
      for (const other of this.covariance) other[i] = (other[i] ?? 0) * factor;
    });
  }

  private growTo(size: number): void {
    while (this.coefficients.length < size) {
      this.coefficients.push(0);
      for (const row of this.covariance) row.push(0);
      const row = new Array<number>(this.coefficients.length).fill(0);
      row[row.length - 1] = UNKNOWN;
      this.covariance.push(row);
    }
  }
}

function product(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
