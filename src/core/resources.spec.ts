import * as fc from 'fast-check';
import { fits, give, loadOf, NOTHING, ONE_SLOT, take, type Resources } from './resources';

const BOX: Resources = { slots: 2, cpu: 8, memoryGb: 32, gpuMemoryGb: 24 };
const decimal = fc.integer({ min: 0, max: 100 }).map((tenths) => tenths / 10);
const resources = fc.record({
  slots: decimal,
  cpu: decimal,
  memoryGb: decimal,
  gpuMemoryGb: decimal,
});

describe('resources', () => {
  it('fit when every part does', () => {
    expect(fits(BOX, BOX)).toBe(true);
    expect(fits(NOTHING, NOTHING)).toBe(true);
    for (const part of ['slots', 'cpu', 'memoryGb', 'gpuMemoryGb'] as const) {
      expect(fits({ ...BOX, [part]: BOX[part] + 0.001 }, BOX)).toBe(false);
    }
  });

  it('fit in spite of decimal fractions: three times 0.1 into 0.3', () => {
    let used = NOTHING;
    for (let i = 0; i < 3; i++) {
      const part = { ...NOTHING, cpu: 0.1 };
      expect(fits(part, take({ ...NOTHING, cpu: 0.3 }, used))).toBe(true);
      used = give(used, part);
    }
    expect(fits({ ...NOTHING, cpu: 0.1 }, take({ ...NOTHING, cpu: 0.3 }, used))).toBe(false);
  });

  it('come back as they went', () => {
    fc.assert(
      fc.property(resources, resources, (total, part) => {
        const back = give(take(total, part), part);
        expect(fits(total, back) && fits(back, total)).toBe(true);
      }),
    );
  });

  it('go below zero when a total was lowered', () => {
    expect(take(ONE_SLOT, { ...ONE_SLOT, slots: 3 }).slots).toBe(-2);
  });

  it.each([
    ['nothing used', NOTHING, BOX, 0],
    ['the scarcest counts', { slots: 1, cpu: 6, memoryGb: 8, gpuMemoryGb: 0 }, BOX, 0.75],
    ['all used', BOX, BOX, 1],
    ['a lowered total', { ...NOTHING, slots: 3 }, BOX, 1.5],
    ['used of what is not there', ONE_SLOT, NOTHING, Number.POSITIVE_INFINITY],
    ['nothing of nothing', NOTHING, NOTHING, 0],
  ])('are loaded by %s', (_name, used, total, load) => {
    expect(loadOf(used, total)).toBe(load);
  });
});
