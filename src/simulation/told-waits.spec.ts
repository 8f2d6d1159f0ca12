import type { SimulatedRun } from './simulation';
import { toldWaitsOf } from './told-waits';

/** A task that came at 100 ms, waited and was told that. */
function waited(waitMs: number, meanMs: number, deviationMs: number): SimulatedRun {
  const task = { index: 0, arrivalMs: 100, model: 'm', metadata: {}, serviceMs: 1 };
  const startMs = 100 + waitMs;
  return { task, startMs, endMs: startMs + 1, told: { meanMs, deviationMs } };
}

describe('toldWaitsOf', () => {
  it('counts the waits that lie within 1.28 deviations of what was told', () => {
    const runs = [
      waited(112, 100, 10),
      waited(88, 100, 10),
      waited(114, 100, 10),
      waited(50, 90, 0),
    ];

    expect(toldWaitsOf(runs)).toEqual({
      ...{ tasks: 4, within: 0.5, shorter: 0.25, longer: 0.25 },
      toldOverActual: 390 / 364,
    });
  });

  it('leaves out the tasks that started at once, as they were told', () => {
    expect(toldWaitsOf([waited(0, 0, 0), waited(0, 5, 1)])).toMatchObject({ tasks: 1, shorter: 1 });
    expect(toldWaitsOf([])).toMatchObject({ tasks: 0, within: 0, toldOverActual: 1 });
  });

  it('does not count the rounding of sums', () => {
    expect(toldWaitsOf([waited(0.1 + 0.2, 0.3, 0)])).toMatchObject({ within: 1 });
  });
});
