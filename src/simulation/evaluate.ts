import { Heap } from 'heap-js';
import { EmpiricalPredictor } from '../predictions/empirical.predictor';
import { LearnedPredictor } from '../predictions/learned.predictor';
import {
  LEVELS,
  pinball,
  type Features,
  type OnlinePredictor,
} from '../predictions/online.predictor';
import { withFallback } from './predictors';
import type { OutcomeRow } from './traces/outcome-trace';

/** How well a predictor did. */
export interface Evaluation {
  readonly name: string;
  /** Mean pinball loss over the levels .1 .25 .5 .75 .9, in seconds. */
  readonly pinball: number;
  /** Mean absolute error of the median, as a share of the outcome. */
  readonly mape: number;
  /** Share of outcomes between the .1 and the .9 quantile. */
  readonly coverage80: number;
  /** Processor time of one prediction and of what was learned from its outcome. */
  readonly microseconds: number;
}

/** One prediction beside what came, in seconds. */
export interface ScoredRow {
  readonly row: number;
  readonly actual: number;
  readonly quantiles: readonly number[];
}

/** Rows at the beginning that count for nothing: everybody has to learn first. */
export const NOT_SCORED = 500;
/** What is said before anything was learned, in ms. */
const UNKNOWN: readonly number[] = LEVELS.map((level) => 60_000 * level);

/** Predictors that are compared, by name; `learned` is the scheduler's own. */
export const EVALUATED: ReadonlyMap<string, () => OnlinePredictor> = new Map([
  ['global', () => new EmpiricalPredictor({ keys: () => [''], least: 5 })],
  ['by-model', () => new EmpiricalPredictor({ keys: ({ model }) => [model, ''], least: 5 })],
  ['bucket', () => new EmpiricalPredictor({ keys: bucketKeys, least: 20, window: 200 })],
  ['learned', () => withFallback(new LearnedPredictor())],
]);

/**
 * Prequential: every task is predicted when it arrives, and its outcome is seen when it has ended.
 * @param rows in the order of arrival
 */
export function evaluate(
  name: string,
  predictor: OnlinePredictor,
  rows: readonly OutcomeRow[],
  onScored: (scored: ScoredRow) => void = () => undefined,
): Evaluation {
  const pending = new Heap<OutcomeRow>((a, b) => endOf(a) - endOf(b));
  const score = new Score();
  const began = process.cpuUsage();
  for (const row of rows) {
    for (let next = pending.peek(); next && endOf(next) <= row.arrivalSeconds;) {
      pending.pop();
      predictor.learn(next, next.serviceSeconds * 1000);
      next = pending.peek();
    }
    const told = predictor.predict(row);
    const quantiles = LEVELS.map((level, n) => (told?.quantile(level) ?? UNKNOWN[n] ?? 0) / 1000);
    pending.push(row);
    if (row.row <= NOT_SCORED) continue;
    score.add(quantiles, row.serviceSeconds);
    onScored({ row: row.row, actual: row.serviceSeconds, quantiles });
  }
  const { user, system } = process.cpuUsage(began);
  return { name, ...score.means(), microseconds: (user + system) / Math.max(1, rows.length) };
}

/** The running sums behind an evaluation. */
class Score {
  private count = 0;
  private loss = 0;
  private error = 0;
  private inside = 0;

  add(quantiles: readonly number[], actual: number): void {
    const [low = 0, , median = 0, , high = 0] = quantiles;
    this.count++;
    this.loss += pinball(quantiles, actual);
    this.error += actual > 0 ? Math.abs(median - actual) / actual : 0;
    this.inside += Number(actual >= low && actual <= high);
  }

  means(): Pick<Evaluation, 'pinball' | 'mape' | 'coverage80'> {
    const count = Math.max(1, this.count);
    return {
      pinball: this.loss / count,
      mape: this.error / count,
      coverage80: this.inside / count,
    };
  }
}

function endOf({ arrivalSeconds, serviceSeconds }: OutcomeRow): number {
  return arrivalSeconds + serviceSeconds;
}

/** Tasks whose numbers are alike, by octaves, are of one bucket; then those of the model; then all. */
function bucketKeys({ model, metadata }: Features): readonly string[] {
  const cells = Object.entries(metadata).map(([name, value]) =>
    typeof value === 'number' ? `${name}:${Math.round(Math.log2(Math.abs(value) + 1))}` : '',
  );
  return [`${model}/${cells.join(',')}`, model, ''];
}
