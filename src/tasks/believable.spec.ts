import { heldOf, taskOf } from '../../test/support/builders';
import type { Outcome } from '../core/task';
import { instant } from '../core/units';
import { believable } from './believable';

const NOW = instant(10_000);
const { attempt } = heldOf(taskOf(), { reservedAt: instant(1_000), runningSince: instant(2_000) });

describe('believable', () => {
  it.each([
    [0, false, true],
    [8_000, false, true],
    [10_000, false, true],
    [10_001, false, false],
    [-1, false, false],
    [7.9, false, true],
    [8, true, false],
    [8.1, true, true],
  ])('of %d ms, measured by us: %s, is %s', (executionMs, isMeasured, is) => {
    const outcome: Outcome = { kind: 'succeeded', executionMs };
    const expected = { kind: 'succeeded', executionMs: is ? executionMs : null };
    expect(believable(outcome, attempt, isMeasured, NOW)).toEqual(expected);
  });

  it('leaves an outcome alone that names no time', () => {
    const outcome: Outcome = { kind: 'succeeded', executionMs: null };
    expect(believable(outcome, attempt, true, NOW)).toBe(outcome);
  });
});
