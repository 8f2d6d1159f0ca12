import type { Client } from 'pg';
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
  UNMET,
  UPDATE_TASKS,
  UPSERT_ATTEMPTS,
  type BatchStatement,
  type NewTaskRow,
} from './journal-sql';
import { isRefusal, isTaken, sqlStateOf } from './sql-state';
import { StatementPipeline, type PreparedStatement } from './statement-pipeline';

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

/** The commit itself was answered by an error, which some come after: a server that cannot keep its log. */
export class CommitFailed extends Error {
  constructor(override readonly cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
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
/** Rows of one statement. To find an element of text by its place, PostgreSQL passes all before it. */
const MOST_ROWS = 100;

/** One flush: a transaction that is sent in one piece, and fails whole where anything stands in its way. */
export class JournalTransaction {
  constructor(
    private readonly client: Client,
    private readonly epoch: number,
  ) {}

  /**
   * @returns the tasks that were left out because their client's id was taken
   * @throws {TermEnded} {RowsMismatch} RangeError on an impossible value; the driver's errors
   */
  async write(batch: Batch): Promise<Twins> {
    try {
      await this.commit(batch);
      return NO_TWINS;
    } catch (error) {
      if (!(error instanceof IdTaken)) throw error;
      const twins = await this.twinsOf(batch);
      if (twins.size === 0) throw error.cause;
      await this.commit(without(batch, twins));
      return twins;
    }
  }

  private async commit(batch: Batch): Promise<void> {
    const statements = this.statementsOf(batch);
    const pipeline = new StatementPipeline(statements);
    crashPoint('journal:before-commit');
    try {
      await pipeline.commit(this.client);
    } catch (error) {
      const failed = statements[pipeline.executed];
      if (failed) throw this.meaningOf(error, failed, batch);
      throw isRefusal(error) ? error : new CommitFailed(error);
    }
    crashPoint('journal:after-commit');
  }

  /** What the failure of a statement says of the batch. */
  private meaningOf(error: unknown, { name }: PreparedStatement, batch: Batch): unknown {
    if (name === INSERT_TASKS.name && isTaken(error)) return new IdTaken(error);
    if (sqlStateOf(error) !== UNMET) return error;
    if (name === FENCE.name) return new TermEnded(`term ${this.epoch} has ended`);
    return name === UPDATE_TASKS.name ? mismatchOf(batch) : error;
  }

  private statementsOf({
    births,
    updates,
    attempts,
    events,
    notes,
  }: Batch): readonly PreparedStatement[] {
    return [
      { name: FENCE.name, values: [String(this.epoch)] },
      // First: an id may be free again because its task ends in the same batch.
      ...this.of(UPDATE_TASKS, updates),
      ...this.of(INSERT_TASKS, births),
      ...this.of(UPSERT_ATTEMPTS, attempts),
      ...this.of(INSERT_EVENTS, events),
      ...this.of(INSERT_NOTES, notes),
    ];
  }

  private of<Row>(
    statement: BatchStatement<Row>,
    rows: readonly Row[],
  ): readonly PreparedStatement[] {
    const statements: PreparedStatement[] = [];
    for (let from = 0; from < rows.length; from += MOST_ROWS) {
      const part = rows.slice(from, from + MOST_ROWS);
      statements.push({ name: statement.name, values: statement.parameters(part, this.epoch) });
    }
    return statements;
  }

  /** Whose the client ids of the new tasks are. */
  private async twinsOf({ births }: Batch): Promise<Twins> {
    const parameters = FIND_TWINS.parameters(births.map(({ birth }) => birth));
    return twinsIn((await this.client.query<Twin>(FIND_TWINS.text, parameters)).rows);
  }
}

/** A client's id belongs to another task, or our own does. Nothing was written. */
class IdTaken extends Error {
  constructor(override readonly cause: unknown) {
    super('an id of a new task is taken', { cause });
  }
}

function mismatchOf({ updates }: Batch): RowsMismatch {
  return new RowsMismatch(
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
    births: batch.births.filter(({ birth }) => !twins.has(birth.id)),
    attempts: batch.attempts.filter(isKept),
    events: batch.events.filter(isKept),
    notes: batch.notes.filter(isKept),
  };
}
