import { matches, prefixOf } from './api-key';
import { createDataSource } from './data-source';
import { KeysRepository, type KeyDigest } from './keys.repository';
import type { DataSource } from 'typeorm';

/** How a ring keeps up with the table. */
export interface KeyRingOptions {
  /** How often the table is read, in ms. Default 2 000: a new or revoked key counts by then. */
  readonly refreshMs?: number;
}

const REFRESH_MS = 2_000;
/** An unknown key makes the table be read again, but no more often than this, in ms. */
const LEAST_PAUSE_MS = 250;
const TOUCH_MS = 60_000;

/**
 * The keys that exist, in memory: every request asks. While PostgreSQL is away, what was known
 * last goes on to hold.
 */
export class KeyRing {
  private byPrefix = new Map<string, KeyDigest>();
  private readonly touched = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  private reading: Promise<void> | undefined;
  private readAt = Number.NEGATIVE_INFINITY;

  private constructor(
    private readonly dataSource: DataSource,
    private readonly keys: KeysRepository,
    refreshMs: number,
  ) {
    this.timer = setInterval(() => void this.refresh().catch(() => undefined), refreshMs);
    this.timer.unref();
  }

  /** Connects and reads the keys. Rejects when the database does not answer. */
  static async open(
    url: string,
    { refreshMs = REFRESH_MS }: KeyRingOptions = {},
  ): Promise<KeyRing> {
    const dataSource = createDataSource(url, { applicationName: 'keys', poolSize: 1 });
    await dataSource.initialize();
    const ring = new KeyRing(dataSource, new KeysRepository(dataSource), refreshMs);
    await ring.refresh();
    return ring;
  }

  /** True when any key was ever made, revoked and expired ones included. */
  readonly anyKeyExists = (): boolean => this.byPrefix.size > 0;

  /** True for a key that exists and is neither expired nor revoked. A promise for an unknown one. */
  verify(presented: string): boolean | Promise<boolean> {
    const prefix = prefixOf(presented);
    if (prefix === undefined) return false;
    if (this.byPrefix.has(prefix) || !this.mayReadAgain()) return this.check(prefix, presented);
    return this.refresh().then(
      () => this.check(prefix, presented),
      () => false,
    );
  }

  /** Reads the table now. @throws {SchedulerError} store_unavailable */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    return this.reading;
  }

  /** Stops following the table and disconnects. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.reading?.catch(() => undefined);
    await this.dataSource.destroy();
  }

  private async read(): Promise<void> {
    this.readAt = performance.now();
    const digests = await this.keys.digests();
    this.byPrefix = new Map(digests.map((digest) => [digest.prefix, digest]));
  }

  private mayReadAgain(): boolean {
    return this.reading !== undefined || performance.now() - this.readAt > LEAST_PAUSE_MS;
  }

  private check(prefix: string, presented: string): boolean {
    const key = this.byPrefix.get(prefix);
    if (!key || key.revoked || !matches(presented, key.sha256)) return false;
    if (key.expiresAtMs !== null && key.expiresAtMs <= Date.now()) return false;
    this.touch(key.id);
    return true;
  }

  private touch(id: string): void {
    const now = performance.now();
    if (now - (this.touched.get(id) ?? Number.NEGATIVE_INFINITY) < TOUCH_MS) return;
    this.touched.set(id, now);
    // Only for people to see; a use that is not noted is no reason to refuse it.
    this.keys.touch(id).catch(() => this.touched.delete(id));
  }
}
