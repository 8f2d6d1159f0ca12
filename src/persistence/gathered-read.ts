/** Keys that are read with one statement. */
interface Batch<K, V> {
  readonly keys: Set<K>;
  readonly found: Promise<ReadonlyMap<K, V>>;
}

/** So many rows, with whatever they carry, are in memory at once. */
const MOST_KEYS = 32;

/**
 * Reads by key, one statement at a time: what is asked while one is on its way goes together with the
 * next one. A key that is asked for alone waits for nobody; under load a statement is shared by many.
 */
export class GatheredRead<K, V> {
  private next: Batch<K, V> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** @param read gives what there is of some keys, at most 32 */
  constructor(private readonly read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>) {}

  /**
   * What is stored when the statement runs, which is after this call; null when there is nothing.
   * @throws whatever `read` throws
   */
  async of(key: K): Promise<V | null> {
    if (this.next === undefined || this.next.keys.size >= MOST_KEYS) this.next = this.begin();
    const { keys, found } = this.next;
    keys.add(key);
    return (await found).get(key) ?? null;
  }

  private begin(): Batch<K, V> {
    const keys = new Set<K>();
    const found = this.last.then(() => {
      if (this.next === batch) this.next = undefined;
      return this.read([...keys]);
    });
    const batch = { keys, found };
    this.last = found.catch(() => undefined);
    return batch;
  }
}
