import fc from 'fast-check';
import { ALERT_KINDS, type AlertKind } from '../config/alert-settings';
import { FakeClock } from '../../test/support/fake-clock';
import { AlertBudget } from './alert-budget';

const taken = (budget: AlertBudget, kind: AlertKind, tries: number): number =>
  Array.from({ length: tries }, () => budget.take(kind)).filter(Boolean).length;

describe('AlertBudget', () => {
  it('lets so many of a kind through, and as many again within a minute', () => {
    const clock = new FakeClock();
    const budget = new AlertBudget(10, clock);
    expect(taken(budget, 'job_failed', 100)).toBe(10);
    clock.advance(6_000);
    expect(taken(budget, 'job_failed', 100)).toBe(1);
    clock.advance(600_000);
    expect(taken(budget, 'job_failed', 100)).toBe(10);
  });

  it('keeps room for another kind, and lets twice as many of all kinds through', () => {
    const budget = new AlertBudget(10, new FakeClock());
    expect(ALERT_KINDS.map((kind) => taken(budget, kind, 100))).toEqual([10, 10, 0, 0]);
  });

  it('says when nothing of a kind was raised for a minute', () => {
    const clock = new FakeClock();
    const budget = new AlertBudget(4, clock);
    expect(budget.isWhole('host_lost')).toBe(true);
    budget.take('host_lost');
    expect(budget.isWhole('host_lost')).toBe(false);
    clock.advance(14_000);
    expect(budget.isWhole('host_lost')).toBe(false);
    clock.advance(1_000);
    expect(budget.isWhole('host_lost')).toBe(true);
  });

  it('never lets more than two minutes of it through in any minute', () => {
    const step = fc.record({
      kind: fc.constantFrom(...ALERT_KINDS),
      pauseMs: fc.integer({ min: 0, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const clock = new FakeClock();
        const budget = new AlertBudget(3, clock);
        const times: number[] = [];
        for (const { kind, pauseMs } of steps) {
          clock.advance(pauseMs);
          if (budget.take(kind)) times.push(clock.now());
        }
        for (const from of times) {
          const within = times.filter((at) => at >= from && at < from + 60_000);
          expect(within.length).toBeLessThanOrEqual(2 * 2 * 3);
        }
      }),
    );
  });
});
