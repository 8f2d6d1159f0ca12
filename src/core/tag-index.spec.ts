import * as fc from 'fast-check';
import { TagIndex } from './tag-index';

interface Worker {
  readonly name: string;
  tags: readonly string[];
  rank: number;
}

const TAGS = ['a', 'b', 'c', 'd', 'e'];

/** What an index has to answer: the least rank of whoever has all of the tags. */
function leastRank(
  workers: Iterable<Worker>,
  wanted: readonly string[],
  accept: (worker: Worker) => boolean,
): number {
  const able = [...workers].filter(({ tags }) => wanted.every((tag) => tags.includes(tag)));
  return Math.min(Infinity, ...able.filter(accept).map(({ rank }) => rank));
}

const tags = fc.uniqueArray(fc.constantFrom(...TAGS));
const step = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    worker: fc.nat(40),
    tags,
    rank: fc.oneof(fc.nat(5), fc.constant(Infinity)),
  }),
  fc.record({ kind: fc.constant('delete' as const), worker: fc.nat(40) }),
  fc.record({ kind: fc.constant('ask' as const), tags, odd: fc.boolean() }),
);

describe('TagIndex', () => {
  it('finds nobody while nobody is there', () => {
    const index = new TagIndex<string>();
    expect(index.least([])).toBeUndefined();
    expect(index.least(['a'])).toBeUndefined();
  });

  it('takes the tags in any order, and each once', () => {
    const index = new TagIndex<string>();
    index.set('one', ['a', 'b'], 2);
    index.set('two', ['a', 'b', 'c'], 1);
    for (const wanted of [
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'a', 'b'],
      ['a', 'b'],
    ]) {
      expect(index.least(wanted)).toBe('two');
    }
    expect(index.least(['c', 'd'])).toBeUndefined();
  });

  it('finds the one of many that is accepted', () => {
    const index = new TagIndex<number>();
    for (let n = 0; n < 500; n++) index.set(n, ['a'], n);
    for (const wanted of [0, 31, 32, 33, 34, 499]) {
      for (let times = 0; times < 3; times++) {
        expect(index.least(['a'], (n) => n >= wanted)).toBe(wanted);
      }
    }
    expect(index.least(['a'], () => false)).toBeUndefined();
    expect(index.least(['a'])).toBe(0);
  });

  it('does not take one tag for two', () => {
    const index = new TagIndex<string>();
    index.set('one', ['a', 'b'], 1);
    for (let times = 0; times < 3; times++) {
      expect(index.least(['a', 'b'])).toBe('one');
      expect(index.least(['a b'])).toBeUndefined();
      expect(index.least([''])).toBeUndefined();
      expect(index.least([])).toBe('one');
    }
  });

  it('goes round those of equal rank, longest unchanged first, once a combination is kept', () => {
    const index = new TagIndex<string>();
    const names = ['one', 'two', 'three'];
    for (const name of names) index.set(name, ['a'], 0);
    index.least(['a']);
    const order = Array.from({ length: 6 }, () => {
      const name = index.least(['a']) ?? '';
      index.set(name, ['a'], 1);
      index.set(name, ['a'], 0);
      return name;
    });
    expect(order).toEqual([...names, ...names]);
  });

  it('answers as a look at every item would, however often and whenever it is asked', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const index = new TagIndex<Worker>();
        const workers = Array.from({ length: 41 }, (_, n): Worker => {
          return { name: `w${n}`, tags: [], rank: Infinity };
        });
        const known = new Set<Worker>();
        for (const one of steps) {
          const worker = one.kind === 'ask' ? undefined : workers[one.worker];
          if (one.kind === 'set' && worker) {
            worker.tags = one.tags;
            worker.rank = one.rank;
            known.add(worker);
            index.set(worker, one.tags, one.rank);
          } else if (one.kind === 'delete' && worker) {
            known.delete(worker);
            index.delete(worker);
          } else if (one.kind === 'ask') {
            const accept = ({ name }: Worker): boolean => !one.odd || name.endsWith('1');
            const found = index.least(one.tags, accept);
            if (found) {
              expect(known.has(found) && accept(found)).toBe(true);
              expect(one.tags.every((tag) => found.tags.includes(tag))).toBe(true);
            }
            expect(found?.rank ?? Infinity).toBe(leastRank(known, one.tags, accept));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not gather what is out of date, however much else is there', () => {
    const index = new TagIndex<number>();
    for (let n = 0; n < 5_000; n++) index.set(n, [n < 10 ? 'few' : 'many'], 0);
    const ask = (): number | undefined => index.least(['few']);
    ask();
    for (let change = 0; change < 5_000; change++) {
      // The least one stays, and so nothing of the others comes to the top.
      index.set(1 + (change % 9), ['few'], 1 + (change % 5));
      expect(ask()).toBe(0);
    }
    expect(index.notes).toBeLessThan(200);
  });

  it('stays right when far more has changed than it remembers', () => {
    const index = new TagIndex<number>();
    for (let n = 0; n < 200; n++) index.set(n, [`t${n % 7}`], n + 1);
    index.least(['t3']);
    expect(index.least(['t3'])).toBe(3);
    for (let round = 0; round < 100; round++) {
      for (let n = 0; n < 200; n++) index.set(n, [`t${n % 7}`], ((n * 31 + round) % 500) + 1);
    }
    const least = Math.min(
      ...Array.from({ length: 200 }, (_, n) => n)
        .filter((n) => n % 7 === 3)
        .map((n) => ((n * 31 + 99) % 500) + 1),
    );
    const found = index.least(['t3']) ?? -1;
    expect(((found * 31 + 99) % 500) + 1).toBe(least);
  });

  it('forgets combinations that nobody asks for any more', () => {
    const index = new TagIndex<string>();
    index.set('one', ['a'], 1);
    for (let n = 0; n < 5_000; n++) {
      index.least([`never-${n}`]);
      index.least([`never-${n}`]);
    }
    expect(index.combinations).toBeLessThanOrEqual(1_024);
    expect(index.least(['a'])).toBe('one');
  });
});
