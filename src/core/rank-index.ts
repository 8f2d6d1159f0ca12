import { Heap } from 'heap-js';

interface Ranked<T> {
  readonly item: T;
  readonly tier: number;
  readonly rank: number;
  readonly order: number;
  current: boolean;
}

/** Entries that may be out of date before the heap is built anew. */
const SLACK = 64;

/**
 * Items in the order of a number that changes now and then: lower tier first, then lower rank, then
 * whoever has held its place for longest. Setting a rank costs O(log n); an outdated entry stays in
 * the heap until it comes up.
 */
export class RankIndex<T> {
  private readonly entries = new Map<T, Ranked<T>>();
  private readonly heap = new Heap<Ranked<T>>(byRank);
  private order = 0;

  get size(): number {
    return this.entries.size;
  }

  has(item: T): boolean {
    return this.entries.has(item);
  }

  /** Puts the item at its rank, wherever it was before. */
  set(item: T, rank: number, tier = 0): void {
    const known = this.entries.get(item);
    if (known?.rank === rank && known.tier === tier) return;
    if (known) known.current = false;
    const entry = { item, tier, rank, order: this.order++, current: true };
    this.entries.set(item, entry);
    this.heap.push(entry);
    if (this.heap.length > 2 * this.entries.size + SLACK) this.rebuild();
  }

  delete(item: T): void {
    const known = this.entries.get(item);
    if (!known) return;
    known.current = false;
    this.entries.delete(item);
  }

  /** The first item. */
  get least(): T | undefined {
    return this.top()?.item;
  }

  /**
   * The first items, in order; with `accept`, the first that it accepts.
   * @param count at most so many
   */
  first(count: number, accept?: (item: T) => boolean): readonly T[] {
    const lifted: Ranked<T>[] = [];
    const found: T[] = [];
    for (let entry = this.top(); entry; entry = this.top()) {
      if (!accept || accept(entry.item)) found.push(entry.item);
      if (found.length === count) break;
      this.heap.pop();
      lifted.push(entry);
    }
    for (const entry of lifted) this.heap.push(entry);
    return found;
  }

  private top(): Ranked<T> | undefined {
    let entry = this.heap.peek();
    while (entry && !entry.current) {
      this.heap.pop();
      entry = this.heap.peek();
    }
    return entry;
  }

  private rebuild(): void {
    this.heap.init([...this.entries.values()]);
  }
}

function byRank<T>(a: Ranked<T>, b: Ranked<T>): number {
  return a.tier - b.tier || a.rank - b.rank || a.order - b.order;
}
