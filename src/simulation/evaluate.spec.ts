import type { OnlinePredictor } from '../predictions/online.predictor';
import { QuantileDistribution } from '../core/distribution';
import { evaluate, NOT_SCORED, type ScoredRow } from './evaluate';
import type { OutcomeRow } from './traces/outcome-trace';

function rowAt(row: number, arrivalSeconds: number, serviceSeconds: number): OutcomeRow {
  return { row, arrivalSeconds, serviceSeconds, model: 'm', metadata: {} };
}

const LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9];
const always = (seconds: number): OnlinePredictor => ({
  predict: () =>
    new QuantileDistribution(
      LEVELS,
      [1, 1, 1, 1, 1].map(() => seconds * 1000),
    ),
  learn: () => undefined,
});

describe('evaluate', () => {
  it('scores what was said against what came, but for the first rows', () => {
    const rows = Array.from({ length: NOT_SCORED + 2 }, (_, n) => rowAt(n + 1, n * 100, 10));
    const scored: ScoredRow[] = [];
    const { pinball, mape, coverage80 } = evaluate('x', always(5), rows, (row) => scored.push(row));

    expect(scored.map(({ row }) => row)).toEqual([NOT_SCORED + 1, NOT_SCORED + 2]);
    expect(pinball).toBeCloseTo(2.5);
    expect(mape).toBeCloseTo(0.5);
    expect(coverage80).toBe(0);
    expect(evaluate('x', always(10), rows)).toMatchObject({ pinball: 0, mape: 0, coverage80: 1 });
  });

  it('shows an outcome only when its task has ended', () => {
    const seen: number[] = [];
    const learned: number[] = [];
    const spy: OnlinePredictor = {
      predict: () => {
        seen.push(learned.length);
        return undefined;
      },
      learn: (_, serviceMs) => learned.push(serviceMs),
    };
    evaluate('x', spy, [rowAt(1, 0, 10), rowAt(2, 5, 1), rowAt(3, 6, 1), rowAt(4, 20, 1)]);

    expect(seen).toEqual([0, 0, 1, 3]);
    expect(learned).toEqual([1_000, 1_000, 10_000]);
  });
});
