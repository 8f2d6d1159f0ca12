import { SeededRandom } from '../../test/support/seeded-random';
import { instant } from '../core/units';
import { nextProbe } from './probe-times';

const INTERVAL_MS = 3_000;
const AT = instant(1_000_000);

describe('nextProbe', () => {
  const random = new SeededRandom(7);
  const pauses = (first: boolean): number[] =>
    Array.from({ length: 1_000 }, () => nextProbe({ at: AT, first }, INTERVAL_MS, random) - AT);

  it('comes an interval later or up to a fifth sooner, never after it', () => {
    const seen = pauses(false);
    expect(Math.max(...seen)).toBeLessThanOrEqual(INTERVAL_MS);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0.8 * INTERVAL_MS);
  });

  it('spreads instances that were asked together over an interval', () => {
    const seen = pauses(true);
    for (const least of [2_400, 3_400, 4_400]) {
      const there = seen.filter((pause) => pause >= least && pause < least + 1_000);
      expect(there.length).toBeGreaterThan(280);
    }
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0.8 * INTERVAL_MS);
  });
});
