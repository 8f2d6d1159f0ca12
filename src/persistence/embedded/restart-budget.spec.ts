import { RestartBudget } from './restart-budget';

const MINUTE = 60_000;

describe('RestartBudget', () => {
  it('grants five attempts, ever more slowly, and then none', () => {
    const budget = new RestartBudget();
    const pauses = [0, 1, 2, 3, 4, 5, 6].map((second) => budget.take(second * 1000));
    expect(pauses).toEqual([0, 1_000, 5_000, 15_000, 60_000, undefined, undefined]);
  });

  it('forgets attempts after ten minutes; refused ones do not count', () => {
    const budget = new RestartBudget();
    for (let attempt = 0; attempt < 8; attempt += 1) budget.take(0);
    expect(budget.take(9.9 * MINUTE)).toBeUndefined();
    expect(budget.take(10 * MINUTE)).toBe(0);
    expect(budget.take(10 * MINUTE)).toBe(1_000);
  });
});
