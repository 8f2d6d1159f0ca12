import type { Client, QueryResult } from 'pg';
import type { TaskState } from '../core/task';
import type { TaskId } from '../core/units';
import { crashPoint } from '../ops/crash-points';
import type { AttemptRow, EventRow, StandingRow, TaskRows } from './journal-rows';
import {
  FENCE,
  FIND_TWINS,
  INSERT_EVENTS,
  INSERT_NOTES,
  INSERT_TASKS,
  UPDATE_TASKS,
  UPSERT_ATTEMPTS,
  type BatchStatement,
  type NewTaskRow,
} from './journal-sql';

/** Everything that one flush writes, by table. */
export interface Batch {
  readonly births: readonly NewTaskRow[];
  readonly updates: readonly StandingRow[];
  readonly attempts: readonly AttemptRow[];
  readonly events: readonly EventRow[];
  /** Events that the database numbers. */
  readonly notes: readonly EventRow[];
}

/** The rows of many tasks, one set per task, by table. */
export function batchOf(rows: readonly TaskRows[]): Batch {
  const births: NewTaskRow[] = [];
  const updates: StandingRow[] = [];
  const attempts: AttemptRow[] = [];
  const events: EventRow[] = [];
  const notes: EventRow[] = [];
  for (const row of rows) {
    const { birth, standing } = row;
    if (birth && standing) births.push({ birth, standing });
    else if (standing) updates.push(standing);
    attempts.push(...row.attempts);
    for (const event of row.events) (event.seq === null ? notes : events).push(event);
  }
  return { births, updates, attempts, events, notes };
}

/** Another term has begun. Nothing was written. */
export class TermEnded extends Error {}

/** A row that disagrees with what memory believes. */
export interface MismatchedRow {
  readonly taskId: TaskId;
  /** What memory wanted to write. */
  readonly wanted: { readonly state: TaskState; readonly attemptNo: number };
  /** What the table has; null when there is no such row, or it could not be asked. */
  readonly found: {
    readonly state: TaskState;
    readonly attemptNo: number;
    readonly epoch: number;
  } | null;
}

/** Memory and table disagree. Nothing was written. */
export class RowsMismatch extends Error {
  constructor(readonly rows: readonly MismatchedRow[]) {
    super(`the records of ${rows.length} tasks are not in a state that their update can follow`);
  }
}

/** Tasks whose client id was taken: ours, and whose it is. */
export type Twins = ReadonlyMap<TaskId, TaskId>;

/** A row of the search for twins. */
export interface Twin {
  readonly id: TaskId;
  readonly twin: TaskId;
}

/** What the search found. A task that is its own twin was written before, and is fine. */
export function twinsIn(found: readonly Twin[]): Twins {
  const own = new Set(found.filter(({ id, twin }) => id === twin).map(({ id }) => id));
  return new Map(found.filter(({ id }) => !own.has(id)).map(({ id, twin }) => [id, twin]));
}

const NO_TWINS: Twins = new Map();

/** One flush in two round trips: what has to be looked at, then the rest and the commit. */
export class JournalTransaction {
  /** From here on a failure leaves it open whether the rows are there. */
  isCommitSent = false;

  constructor(
    private readonly client: Client,
    private readonly epoch: number,
  ) {}

  /**
   * @returns the tasks that were left out because their client's id was taken
   * @throws {TermEnded} {RowsMismatch} RangeError on an impossible value; the driver's errors
   */
  async write(batch: Batch): Promise<Twins> {
    const heads = [this.of(INSERT_TASKS, batch.births), this.of(UPDATE_TASKS, batch.updates)];
    const headSent = this.atOnce(() =>
      Promise.all([this.begin(), ...heads.map((query) => this.send(query))]),
    );
    headSent.catch(() => undefined); // Awaited below, unless an impossible value comes first.
    const tail = this.tailOf(batch); // While the server is busy.
    const [, inserted, updated] = await headSent;
    checkUpdates(batch, updated);
    const twins = await this.twinsOf(batch, inserted);
    crashPoint('journal:before-commit');
    await this.commit(twins.size === 0 ? tail : this.tailOf(without(batch, twins)));
    crashPoint('journal:after-commit');
    return twins;
  }

  private async begin(): Promise<undefined> {
    const [, fence] = await Promise.all([
      this.client.query('BEGIN'),
      this.client.query({ ...FENCE, values: [this.epoch] }),
    ]);
    if (fence.rowCount === 0) throw new TermEnded(`term ${this.epoch} has ended`);
  }

  private tailOf(batch: Batch): readonly Query[] {
    return [
      this.of(UPSERT_ATTEMPTS, batch.attempts),
      this.of(INSERT_EVENTS, batch.events),
      this.of(INSERT_NOTES, batch.notes),
    ].filter((query) => query !== undefined);
  }

  private async commit(tail: readonly Query[]): Promise<void> {
    this.isCommitSent = true;
    const results = await this.atOnce(() =>
      Promise.all([...tail.map((query) => this.send(query)), this.client.query('COMMIT')]),
    );
    const command = results.at(-1)?.command;
    if (command !== 'COMMIT') throw new Error(`COMMIT was answered by ${String(command)}`);
  }

  /** The tasks that were not inserted, and whose client ids they came with. */
  private async twinsOf(batch: Batch, inserted: QueryResult | undefined): Promise<Twins> {
    if (batch.births.length === (inserted?.rowCount ?? 0)) return NO_TWINS;
    const isNew = new Set(inserted?.rows.map(({ id }: { id: TaskId }) => id));
    const births = batch.births.map(({ birth }) => birth).filter(({ id }) => !isNew.has(id));
    const { rows } = await this.client.query<Twin>(FIND_TWINS.text, FIND_TWINS.parameters(births));
    return twinsIn(rows);
  }

  private of<Row>(statement: BatchStatement<Row>, rows: readonly Row[]): Query | undefined {
    if (rows.length === 0) return undefined;
    const { name, text } = statement;
    return { name, text, values: statement.parameters(rows, this.epoch) };
  }

  /** What these statements say goes to the server in one piece, not each in pieces of its own. */
  private atOnce<T>(statements: () => Promise<T>): Promise<T> {
    const { stream } = this.client.connection;
    stream.cork();
    try {
      return statements();
    } finally {
      process.nextTick(() => stream.uncork());
    }
  }

  private async send(query: Query | undefined): Promise<QueryResult | undefined> {
    return query && this.client.query(query);
  }
}

interface Query {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

function checkUpdates({ updates }: Batch, updated: QueryResult | undefined): void {
  if (updates.length === (updated?.rowCount ?? 0)) return;
  throw new RowsMismatch(
    updates.map(({ id, state, attemptNo }) => ({
      taskId: id,
      wanted: { state, attemptNo },
      found: null,
    })),
  );
}

function without(batch: Batch, twins: Twins): Batch {
  const isKept = ({ taskId }: { readonly taskId: TaskId }): boolean => !twins.has(taskId);
  return {
    ...batch,
    attempts: batch.attempts.filter(isKept),
    events: batch.events.filter(isKept),
    notes: batch.notes.filter(isKept),
  };
}
