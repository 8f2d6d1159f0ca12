import * as fc from 'fast-check';
import { sumMoments, type Moments } from './distribution';
import { SumTree } from './sum-tree';

const moments = fc.record({
  mean: fc.double({ min: 0, max: 1e9, noNaN: true }),
  variance: fc.double({ min: 0, max: 1e12, noNaN: true }),
});

/** Adds one, or removes one of those that are there. */
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: moments }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
  ),
  { maxLength: 100 },
);

function expectSum(tree: SumTree, parts: readonly Moments[]): void {
  const { mean, variance } = sumMoments(parts);
  expect(tree.size).toBe(parts.length);
  expect(Math.abs(tree.total.mean - mean)).toBeLessThanOrEqual(1e-12 * mean);
  expect(Math.abs(tree.total.variance - variance)).toBeLessThanOrEqual(1e-12 * variance);
}

describe('SumTree', () => {
  it('is the sum over what is in it, after any sequence', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const tree = new SumTree();
        const inside: { readonly part: Moments; readonly handle: number }[] = [];
        for (const step of sequence) {
          if ('add' in step) inside.push({ part: step.add, handle: tree.add(step.add) });
          else if (inside.length > 0) {
            const [gone] = inside.splice(step.remove % inside.length, 1);
            if (gone) tree.remove(gone.handle);
          }
          expectSum(
            tree,
            inside.map(({ part }) => part),
          );
        }
      }),
    );
  });

  it('is exactly zero when everything has left, whatever was in it', () => {
    const tree = new SumTree();
    const handles = Array.from({ length: 1000 }, (_, i) =>
      tree.add({ mean: 0.1 * i, variance: 1e15 / (i + 1) }),
    );
    for (const handle of handles) tree.remove(handle);
    expect(tree.total).toEqual({ mean: 0, variance: 0 });
    expect(tree.size).toBe(0);
  });

  it('does not remember a huge part that has gone', () => {
    const tree = new SumTree();
    tree.add({ mean: 0.1, variance: 0.3 });
    const huge = tree.add({ mean: 1e300, variance: 1e300 });
    tree.remove(huge);
    expect(tree.total).toEqual({ mean: 0.1, variance: 0.3 });
  });

  it('keeps what it has when it grows', () => {
    const tree = new SumTree();
    for (let i = 1; i <= 100; i++) {
      tree.add({ mean: i, variance: 2 * i });
      expect(tree.total).toEqual({ mean: (i * (i + 1)) / 2, variance: i * (i + 1) });
    }
  });
});
