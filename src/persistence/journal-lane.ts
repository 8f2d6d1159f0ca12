import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { isTerminal } from '../core/task';
import type { TaskId } from '../core/units';
import { arrayParameter } from './array-parameter';
import { connectionSettings } from './connection-settings';
import type { BirthRow, TaskRows } from './journal-rows';
import {
  FIND_EVENTS,
  FIND_STANDINGS,
  FIND_TWINS,
  SESSION,
  TRANSACTION_TIMEOUT_MS,
} from './journal-sql';
import {
  batchOf,
  CommitFailed,
  JournalTransaction,
  RowsMismatch,
  TermEnded,
  twinsIn,
  type MismatchedRow,
  type Twin,
  type Twins,
} from './journal-transaction';
import type { Log } from './log';
import { isConnectionLoss, isPassing, isRefusal } from './sql-state';

/** The database refused a row of the batch. Nothing was written. */
export class RowsRefused extends Error {}

/** Not written, or not known to be; the batch may be repeated. */
export class WriteInterrupted extends Error {
  constructor(
    readonly outcome: 'not_written' | 'unknown',
    options: { cause: unknown },
  ) {
    const { cause } = options;
    super(cause instanceof Error ? cause.message : String(cause), options);
  }
}

/** The lane was closed by its owner. */
export class LaneClosed extends Error {}

/** What a lane is made with. */
export interface JournalLaneOptions {
  readonly url: string;
  readonly epoch: number;
  readonly logger: Log;
  /** The connection is gone; the lane is trying to get another one. */
  onLost(): void;
}

/** How long a proper goodbye may take. */
const CLOSE_MS = 500;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** The journal's own connection, and one transaction on it at a time. */
export class JournalLane {
  private client: Client | undefined;
  private readonly closing = new AbortController();
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(private readonly options: JournalLaneOptions) {}

  get isOpen(): boolean {
    return this.client !== undefined;
  }

  /** Connects for the first time. Rejects with the driver's error. */
  async open(): Promise<void> {
    this.client = await this.connect();
  }

  /** Resolves when there is a connection. @throws {LaneClosed} */
  async whenOpen(): Promise<void> {
    if (this.isClosed()) throw new LaneClosed('the journal is closed');
    if (this.client) return;
    await new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** Ends the connection, whatever is under way on it. */
  async close(): Promise<void> {
    this.closing.abort();
    for (const { reject } of this.waiting.splice(0))
      reject(new LaneClosed('the journal is closed'));
    const { client } = this;
    this.client = undefined;
    if (!client) return;
    // What is under way may be held up; nobody waits for that, and no process stays because of it.
    const goodbye = client.end().catch(() => undefined);
    await Promise.race([goodbye, sleep(CLOSE_MS, undefined, { ref: false })]);
    client.unref();
  }

  /**
   * Writes the rows of many tasks (one set per task) in one transaction.
   * @returns the tasks that were left out because their client's id was taken
   * @throws {RowsRefused} {TermEnded} {RowsMismatch} {WriteInterrupted}
   */
  async write(rows: readonly TaskRows[]): Promise<Twins> {
    const client = this.connected();
    try {
      return await new JournalTransaction(client, this.options.epoch).write(batchOf(rows));
    } catch (error) {
      throw await this.afterFailure(client, error);
    }
  }

  /**
   * Of these tasks those of which an event of the batch was recorded in this term. Notes are only
   * looked for when there is nothing else: they have no number, and an equal one may be there from
   * before.
   * @throws {WriteInterrupted}
   */
  async findRecorded(rows: readonly TaskRows[]): Promise<ReadonlySet<TaskId>> {
    const events = rows.flatMap((row) => row.events.find(({ seq }) => seq !== null) ?? []);
    const asked = events.length > 0 ? events : rows.flatMap((row) => row.events.slice(0, 1));
    const found = await this.ask<{ task_id: TaskId }>(
      FIND_EVENTS,
      FIND_EVENTS.parameters(asked, this.options.epoch),
    );
    return new Set(found.map((row) => row.task_id));
  }

  /** Whose the client ids of these tasks are. @throws {WriteInterrupted} */
  async findTwins(births: readonly BirthRow[]): Promise<Twins> {
    return twinsIn(await this.ask<Twin>(FIND_TWINS, FIND_TWINS.parameters(births)));
  }

  private async ask<Row extends object>(
    { text }: { readonly text: string },
    values: unknown[],
  ): Promise<readonly Row[]> {
    const client = this.connected();
    try {
      return (await client.query<Row>(text, values)).rows;
    } catch (error) {
      this.drop(client);
      throw new WriteInterrupted('unknown', { cause: error });
    }
  }

  /** Drops the connection where it may be of no use, and says what the failure means for the batch. */
  private async afterFailure(client: Client, error: unknown): Promise<Error> {
    if (error instanceof TermEnded) return error;
    if (error instanceof RowsMismatch) return this.explain(error);
    if (error instanceof RangeError || isRefusal(error)) {
      return new RowsRefused(messageOf(error), { cause: error });
    }
    const cause = error instanceof CommitFailed ? error.cause : error;
    // Nobody knows what else it was; a new connection at least prepares its statements anew.
    if (!isPassing(cause)) this.drop(client);
    const isOpen = cause !== error || isConnectionLoss(cause);
    return new WriteInterrupted(isOpen ? 'unknown' : 'not_written', { cause });
  }

  /** Says how the rows stand that the update was meant for. */
  private async explain(mismatch: RowsMismatch): Promise<RowsMismatch> {
    const ids = arrayParameter(
      'uuid',
      mismatch.rows.map(({ taskId }) => taskId),
    );
    type Standing = Omit<NonNullable<MismatchedRow['found']>, 'epoch'> & { epoch: string };
    try {
      const rows = await this.ask<Standing & { id: TaskId }>(FIND_STANDINGS, [ids]);
      const byId = new Map(
        rows.map(({ id, ...row }) => [id, { ...row, epoch: Number(row.epoch) }]),
      );
      const compared = mismatch.rows.map((row) => ({
        ...row,
        found: byId.get(row.taskId) ?? null,
      }));
      return new RowsMismatch(compared.filter((row) => !isMet(row)));
    } catch {
      return mismatch; // The connection has gone too; what is known already must do.
    }
  }

  private connected(): Client {
    if (this.client) return this.client;
    throw new WriteInterrupted('not_written', { cause: new Error('not connected') });
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      ...connectionSettings(this.options.url, 'journal'),
      query_timeout: TRANSACTION_TIMEOUT_MS,
    });
    client.on('error', () => this.drop(client));
    client.on('end', () => this.drop(client));
    try {
      await client.connect();
      for (const statement of SESSION) await client.query(statement);
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
  }

  private drop(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    void client.end().catch(() => undefined);
    this.options.logger.warn({ msg: 'the journal lost its connection to PostgreSQL' });
    this.options.onLost();
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    for (let tries = 0; !this.isClosed(); tries++) {
      await this.pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries));
      const client = await this.connect().catch((error: unknown) => this.noteFailure(error, tries));
      if (!client) continue;
      if (this.isClosed()) return void client.end().catch(() => undefined);
      this.client = client;
      this.options.logger.info({ msg: 'the journal is connected to PostgreSQL again' });
      for (const { resolve } of this.waiting.splice(0)) resolve();
      return;
    }
  }

  private isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** A random part of that time, cut short when the lane is closed. */
  private async pause(mostMs: number): Promise<void> {
    const { signal } = this.closing;
    await sleep(mostMs * Math.random(), undefined, { signal }).catch(() => undefined);
  }

  private noteFailure(error: unknown, tries: number): undefined {
    if (tries > 0) return;
    const msg = 'the journal cannot reach PostgreSQL and goes on trying';
    this.options.logger.warn({ msg, error: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True when an update of this row would have met it. */
function isMet({ wanted, found }: MismatchedRow): boolean {
  return found !== null && !isTerminal(found.state) && found.attemptNo <= wanted.attemptNo;
}
