import fc from 'fast-check';
import { OrderedIds } from './ordered-ids';

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The first 48 bits. */
const msOf = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

describe('OrderedIds', () => {
  it('are UUIDs of version 7 that begin with the time', () => {
    const id = new OrderedIds(() => 1_763_769_600_123).next();
    expect(id).toMatch(VERSION_7);
    expect(msOf(id)).toBe(1_763_769_600_123);
  });

  it('rise, whatever the clock does', () => {
    const steps = fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        let now = 1_763_769_600_000;
        const ids = new OrderedIds(() => now);
        const made = all.map((step) => {
          now += step;
          return ids.next();
        });
        expect(made).toEqual([...new Set(made)].sort());
      }),
    );
  });

  it('rise when more are made in a millisecond than it has numbers', () => {
    const ids = new OrderedIds(() => 1);
    const made = Array.from({ length: 10_000 }, () => ids.next());
    expect(made).toEqual([...new Set(made)].sort());
    expect(made.map(msOf).at(-1)).toBe(3);
  });

  it('do not repeat in another process', () => {
    const [one, other] = [new OrderedIds(() => 1), new OrderedIds(() => 1)];
    expect(one.next()).not.toBe(other.next());
  });
});
