import { Client } from 'pg';
import { connectionSettings } from './connection-settings';
import type { Log } from './log';
import { isCertainlyDead, ownIdentity, type ProcessIdentity } from './process-identity';

/** What a lease is made with. Times are ms. */
export interface LeadershipLeaseOptions {
  readonly url: string;
  /** How long the right to lead lasts without renewal, by the database's clock. Default 10 000. */
  readonly leaseMs?: number;
  /** How often it is renewed. Default 3 000. */
  readonly renewMs?: number;
  /** How long before its end the holder stops acting. Default 2 000. */
  readonly marginMs?: number;
  readonly logger: Log;
  /** Who contends. Default: the running process. */
  readonly identity?: ProcessIdentity;
  /** Reading of a monotonic clock. Default: the process's own. */
  readonly now?: () => number;
}

interface LeaseRow {
  readonly epoch: string;
  readonly holder: string | null;
  readonly machine: string | null;
  readonly boot_id: string | null;
  readonly pid: number | null;
  readonly pid_started: string | null;
  readonly expired: boolean;
}

/** The term that this process holds. */
interface Held {
  readonly epoch: number;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Pause after a renewal that got no answer. */
const RETRY_MS = 250;
/** A busy database gets at least this long to answer. */
const LEAST_PATIENCE_MS = 1_000;
const NAME = 'scheduler';

/**
 * The right to lead: one row, which ends by itself. Time is the database's; the holder measures
 * its own end on the monotonic clock from *before* a renewal is sent, so that it has stopped when
 * the database lets another one in.
 */
export class LeadershipLease {
  private readonly leaseMs: number;
  private readonly renewMs: number;
  private readonly marginMs: number;
  private readonly now: () => number;
  private identity: ProcessIdentity | undefined;
  private client: Client | undefined;
  private held: Held | undefined;
  private lostBecause: string | undefined;
  private tell: ((reason: string) => void) | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private expiry: NodeJS.Timeout | undefined;
  /** Statements go one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: LeadershipLeaseOptions) {
    this.leaseMs = options.leaseMs ?? 10_000;
    this.renewMs = options.renewMs ?? 3_000;
    this.marginMs = options.marginMs ?? 2_000;
    this.now = options.now ?? (() => performance.now());
    this.identity = options.identity;
  }

  /** Number of the term that is held; null when there is none, or it is too near to its end. */
  get epoch(): number | null {
    return this.held && this.now() < this.held.until ? this.held.epoch : null;
  }

  /**
   * Tries to begin a new term: the lease is free when it was resigned, has expired, or its holder
   * ran on this machine and is dead.
   * @returns its number; null while another process leads
   * @throws the driver's error when PostgreSQL does not answer
   */
  async acquire(): Promise<number | null> {
    this.forget();
    this.lostBecause = undefined;
    const own = (this.identity ??= await ownIdentity());
    const row = await this.read();
    const isFree = row.expired || row.holder === null || row.holder === own.holder;
    const isOrphaned = !isFree && (await this.isHolderDead(row, own));
    if (!isFree && !isOrphaned) return null;
    const sentAt = this.now();
    const epoch = await this.take(row, own, isOrphaned);
    if (epoch === null) return null;
    if (isOrphaned) {
      const msg = 'took the lease over from a dead process of this machine';
      this.options.logger.info({ msg, epoch, pid: row.pid });
    }
    this.hold(epoch, sentAt);
    this.renewLater(this.renewMs);
    return epoch;
  }

  /**
   * Calls back once when the present term is over although nobody resigned; at once when it is
   * over already. Replaces an earlier listener.
   */
  onLost(listener: (reason: string) => void): void {
    this.tell = listener;
    if (this.lostBecause !== undefined) this.report(this.lostBecause);
  }

  /** Ends the term so that another process may begin one at once. Never rejects. */
  async resign(): Promise<void> {
    const { held } = this;
    this.forget();
    this.tell = undefined;
    // Also after a loss: while nobody has taken over, the row is still ours.
    if (!held && this.lostBecause === undefined) return;
    const text = `
      UPDATE leadership
         SET holder = NULL, machine = NULL, boot_id = NULL, pid = NULL, pid_started = NULL,
             expires_at = now()
       WHERE name = $1 AND holder = $2`;
    try {
      await this.query(text, [NAME, this.identity?.holder]);
      this.lostBecause = undefined;
    } catch (error) {
      this.options.logger.warn({ msg: 'could not resign; the lease will expire', error });
    }
  }

  /** Disconnects. A term that is held is not given back: resign before. */
  async close(): Promise<void> {
    this.forget();
    await this.turn.catch(() => undefined);
    await this.client?.end().catch(() => undefined);
    this.client = undefined;
  }

  // --- the row ---------------------------------------------------------------------------------

  private async read(): Promise<LeaseRow> {
    const [row] = await this.query<LeaseRow>(
      `SELECT epoch, holder, machine, boot_id, pid, pid_started, expires_at <= now() AS expired
         FROM leadership
        WHERE name = $1`,
      [NAME],
    );
    if (!row) throw new Error('the leadership row is missing: the database is not migrated');
    return row;
  }

  /** Conditional on what was read, so of two contenders one gets it. */
  private async take(
    seen: LeaseRow,
    own: ProcessIdentity,
    isOrphaned: boolean,
  ): Promise<number | null> {
    const [row] = await this.query<{ epoch: string }>(
      `UPDATE leadership
          SET epoch = epoch + 1, holder = $4, machine = $5, boot_id = $6, pid = $7,
              pid_started = $8, renewed_at = now(),
              expires_at = now() + $9::double precision * interval '1 millisecond'
        WHERE name = $1 AND epoch = $2 AND holder IS NOT DISTINCT FROM $3
          AND (expires_at <= now() OR holder IS NULL OR holder = $4 OR $10)
       RETURNING epoch`,
      [
        NAME,
        seen.epoch,
        seen.holder,
        own.holder,
        own.machine,
        own.bootId,
        own.pid,
        own.pidStarted,
        this.leaseMs,
        isOrphaned,
      ],
    );
    return row ? Number(row.epoch) : null;
  }

  private async isHolderDead(row: LeaseRow, own: ProcessIdentity): Promise<boolean> {
    const { machine, boot_id: bootId, pid, pid_started: pidStarted } = row;
    if (machine === null || bootId === null || pid === null || pidStarted === null) return false;
    return isCertainlyDead({ machine, bootId, pid, pidStarted }, own);
  }

  // --- the term --------------------------------------------------------------------------------

  private hold(epoch: number, sentAt: number): void {
    const until = sentAt + this.leaseMs - this.marginMs;
    this.held = { epoch, until };
    clearTimeout(this.expiry);
    this.expiry = setTimeout(() => this.checkExpiry(), Math.max(0, until - this.now()));
  }

  private checkExpiry(): void {
    if (!this.held) return;
    const left = this.held.until - this.now();
    if (left <= 0) this.lose('it could not be renewed in time');
    else this.expiry = setTimeout(() => this.checkExpiry(), left);
  }

  private renewLater(afterMs: number): void {
    this.renewal = setTimeout(() => void this.renew(), afterMs);
  }

  private async renew(): Promise<void> {
    const { held } = this;
    if (!held) return;
    const sentAt = this.now();
    try {
      const rows = await this.query(
        `UPDATE leadership
            SET renewed_at = now(),
                expires_at = now() + $4::double precision * interval '1 millisecond'
          WHERE name = $1 AND epoch = $2 AND holder = $3
         RETURNING epoch`,
        [NAME, held.epoch, this.identity?.holder, this.leaseMs],
      );
      if (this.held?.epoch !== held.epoch) return;
      if (rows.length === 0) {
        this.lose('another process has begun a term');
        return;
      }
      this.hold(held.epoch, sentAt);
      this.renewLater(Math.max(0, this.renewMs - (this.now() - sentAt)));
    } catch (error) {
      if (this.held?.epoch !== held.epoch) return;
      this.options.logger.warn({ msg: 'the lease was not renewed; trying again', error });
      this.renewLater(RETRY_MS);
    }
  }

  private lose(reason: string): void {
    this.forget();
    this.lostBecause = reason;
    this.options.logger.error({ msg: `leadership is lost: ${reason}` });
    this.report(reason);
  }

  private report(reason: string): void {
    const { tell } = this;
    this.tell = undefined;
    tell?.(reason);
  }

  private forget(): void {
    clearTimeout(this.renewal);
    clearTimeout(this.expiry);
    this.held = undefined;
  }

  // --- the connection --------------------------------------------------------------------------

  private query<Row extends object>(text: string, values: unknown[]): Promise<readonly Row[]> {
    const answer = this.turn.then(async () => {
      const client = await this.connected();
      try {
        return (await client.query<Row>(text, values)).rows;
      } catch (error) {
        this.drop(client); // Also after a mere timeout: the next statement shall not wait behind it.
        throw error;
      }
    });
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  private async connected(): Promise<Client> {
    if (this.client) return this.client;
    const client = new Client({
      ...connectionSettings(this.options.url, 'lease'),
      // What does not answer within one interval is tried again on a new connection.
      connectionTimeoutMillis: Math.max(this.renewMs, LEAST_PATIENCE_MS),
      query_timeout: Math.max(this.renewMs, LEAST_PATIENCE_MS),
    });
    client.on('error', () => this.drop(client));
    await client.connect();
    this.client = client;
    return client;
  }

  private drop(client: Client): void {
    if (this.client === client) this.client = undefined;
    void client.end().catch(() => undefined);
  }
}
