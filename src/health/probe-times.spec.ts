import { SeededRandom } from '../../test/support/seeded-random';
import { instant } from '../core/units';
import { nextProbe } from './probe-times';

const INTERVAL_MS = 3_000;
const TICK_MS = 1_000;
const START = instant(0);

describe('nextProbe', () => {
  it('is due within the interval, and at any time of its last third', () => {
    const random = new SeededRandom(7);
    const pauses = Array.from({ length: 1_000 }, () => nextProbe(START, INTERVAL_MS, random));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_800);
    expect(Math.min(...pauses)).toBeLessThan(1_830);
    expect(Math.max(...pauses)).toBeGreaterThan(2_820);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2_850);
  });

  it('spreads instances that were asked together over the ticks, and asks none later than every third', () => {
    const random = new SeededRandom(7);
    const watches = Array.from({ length: 300 }, () => ({ due: START, asked: START }));
    const perTick: number[] = [];
    for (let tick = 0; tick <= 60; tick += 1) {
      const now = instant(tick * TICK_MS);
      const asked = watches.filter(({ due }) => due <= now);
      for (const watch of asked) {
        expect(now - watch.asked).toBeLessThanOrEqual(INTERVAL_MS);
        watch.asked = now;
        watch.due = nextProbe(now, INTERVAL_MS, random);
      }
      perTick.push(asked.length);
    }
    expect(perTick[0]).toBe(300);
    for (const count of perTick.slice(-10)) {
      expect(count).toBeGreaterThan(60);
      expect(count).toBeLessThan(160);
    }
  });
});
