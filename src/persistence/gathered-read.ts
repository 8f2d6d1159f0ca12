import { StoreUnavailableError } from './store-unavailable.error';

/** Keys that are read with one statement. */
interface Batch<K, V> {
  readonly keys: Set<K>;
  readonly found: Promise<ReadonlyMap<K, V>>;
}

/** So many rows, with results that may be large, come with one statement. */
const MOST_KEYS = 8;
/** For the beginning of a statement; as long as for a connection of the pool. */
const PATIENCE_MS = 5_000;

/**
 * Reads by key, one statement at a time: what is asked while one is on its way goes together with the
 * next one, at most 8 keys with each. Without another one on its way, a key is read at once.
 */
export class GatheredRead<K, V> {
  private next: Batch<K, V> | undefined;
  /** Settles with the last statement; keeps nothing of what it found. */
  private last: Promise<void> = Promise.resolve();

  /** @param read gives what there is of some keys */
  constructor(
    private readonly read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /**
   * What is stored when the statement runs, which is after this call; null when there is nothing.
   * @throws {StoreUnavailableError} when those before it take longer than 5 s, and whatever `read` throws
   */
  async of(key: K): Promise<V | null> {
    if (this.next === undefined || this.next.keys.size >= MOST_KEYS) this.next = this.begin();
    const { keys, found } = this.next;
    keys.add(key);
    return (await found).get(key) ?? null;
  }

  private begin(): Batch<K, V> {
    const began = performance.now();
    const keys = new Set<K>();
    const found = this.last.then(() => {
      if (this.next === batch) this.next = undefined;
      if (performance.now() - began > this.patienceMs) throw tooSlow(this.patienceMs);
      return this.read([...keys]);
    });
    const batch = { keys, found };
    this.last = found.then(ignore, ignore);
    return batch;
  }
}

function ignore(): void {
  // Whoever asked is told.
}

function tooSlow(patienceMs: number): StoreUnavailableError {
  const message = `PostgreSQL does not answer within ${patienceMs} ms`;
  return new StoreUnavailableError(message, 'unknown', null);
}
