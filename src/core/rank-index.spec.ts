import * as fc from 'fast-check';
import { RankIndex } from './rank-index';

interface Entry {
  readonly item: number;
  readonly rank: number;
  readonly tier: number;
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        set: fc.record({
          item: fc.nat(9),
          rank: fc.constantFrom(0, 1, 2, 2.5, Number.POSITIVE_INFINITY),
          tier: fc.nat(1),
        }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(9) }) },
  ),
  { maxLength: 300 },
);

/** The same promises, kept by sorting a list: setting the same place again changes nothing. */
class SortedList {
  private entries: readonly Entry[] = [];

  set(entry: Entry): void {
    const known = this.entries.find(({ item }) => item === entry.item);
    if (known?.rank === entry.rank && known.tier === entry.tier) return;
    this.entries = [...this.without(entry.item), entry];
  }

  delete(item: number): void {
    this.entries = this.without(item);
  }

  get size(): number {
    return this.entries.length;
  }

  least(accept: (item: number) => boolean): number | undefined {
    return this.entries
      .filter(({ item }) => accept(item))
      .sort((a, b) => a.tier - b.tier || (a.rank < b.rank ? -1 : Number(a.rank > b.rank)))[0]?.item;
  }

  private without(item: number): Entry[] {
    return this.entries.filter((entry) => entry.item !== item);
  }
}

describe('RankIndex', () => {
  it('answers like a sorted list, after any sequence', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const index = new RankIndex<number>();
        const list = new SortedList();
        for (const step of sequence) {
          if ('set' in step) {
            index.set(step.set.item, step.set.rank, step.set.tier);
            list.set(step.set);
          } else {
            index.delete(step.remove);
            list.delete(step.remove);
          }
          expect(index.size).toBe(list.size);
          expect(index.least).toBe(list.least(() => true));
          const isOdd = (item: number): boolean => item % 2 === 1;
          expect(index.first(1, isOdd)[0]).toBe(list.least(isOdd));
        }
      }),
    );
  });

  it('puts the lower tier before the lower rank', () => {
    const index = new RankIndex<string>();
    index.set('near', 1, 1);
    index.set('far', 9, 0);
    expect(index.least).toBe('far');
  });

  it('gives ties to whoever has held its place for longest', () => {
    const index = new RankIndex<string>();
    index.set('a', 1);
    index.set('b', 1);
    index.set('a', 1);
    expect(index.least).toBe('a');
    index.set('a', 2);
    index.set('a', 1);
    expect(index.least).toBe('b');
  });

  it('leaves those that were passed over in their places', () => {
    const index = new RankIndex<string>();
    for (const [rank, item] of ['a', 'b', 'c'].entries()) index.set(item, rank);
    expect(index.first(1, (item) => item === 'c')).toEqual(['c']);
    expect(index.first(1, (item) => item === 'z')).toEqual([]);
    expect(index.least).toBe('a');
  });

  it('stays right when one item moves very often', () => {
    const index = new RankIndex<string>();
    index.set('still', 500.5);
    for (let rank = 1000; rank >= 0; rank--) {
      index.set('restless', rank);
      expect(index.least).toBe(rank > 500.5 ? 'still' : 'restless');
    }
    expect(index.size).toBe(2);
  });

  it('knows who is in it', () => {
    const index = new RankIndex<string>();
    index.set('a', 1);
    expect([index.has('a'), index.has('b')]).toEqual([true, false]);
    index.delete('a');
    index.delete('a');
    expect([index.has('a'), index.size, index.least]).toEqual([false, 0, undefined]);
  });
});
