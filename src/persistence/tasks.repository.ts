import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { NO_ATTEMPTS, occupies, type Attempt, type Task, type TaskKind } from '../core/task';
import { isUuid, type DispatchId, type InstanceId, type TaskId } from '../core/units';
import { AttemptEntity } from './entities/attempt.entity';
import { TaskEventEntity } from './entities/task-event.entity';
import { TaskEntity } from './entities/task.entity';
import { GatheredRead } from './gathered-read';
import type { JournalPayload } from './journal-rows';
import { answered } from './store';
import {
  attemptOf,
  ENDED_TASK_COLUMNS,
  LIVE_TASK_COLUMNS,
  OPEN_ATTEMPT_COLUMNS,
  SHOWN_COLUMNS,
  TaskReader,
  type LiveTaskRow,
  type OpenAttemptRow,
  type ShownTask,
} from './stored-task';

/** What happened to a task, and the tries to run it. */
export interface Timeline {
  /** In the order in which it happened. */
  readonly events: readonly TaskEventEntity[];
  readonly attempts: readonly AttemptEntity[];
}

/** How far back the record goes, and how much of what is older goes at once. */
export interface Retention {
  /** Tasks that ended before this go, with their attempts and events. */
  readonly historyBefore: Date;
  /** Inputs, metadata and results of tasks that ended before this go. */
  readonly payloadBefore: Date;
  /** Tasks of each kind of removal in this call. */
  readonly limit: number;
}

/** Tasks per page of a restore: so few that their rows are gone before the memory of young objects is full. */
const PAGE = 1_000;
const ACTIVE = `state <> 'queued'`;
const QUEUED = `state = 'queued'`;

/** The tables of tasks, attempts and events, to read and to clear. Only the journal writes them. */
@Injectable()
export class TasksRepository {
  private readonly byId = new GatheredRead<string, ShownTask>((ids) => this.shownById(ids));
  private readonly byClientId: Readonly<Record<TaskKind, GatheredRead<string, ShownTask>>> = {
    model: new GatheredRead((ids) => this.shownByClientId('model', ids)),
    batch: new GatheredRead((ids) => this.shownByClientId('batch', ids)),
    placement: new GatheredRead((ids) => this.shownByClientId('placement', ids)),
  };

  constructor(private readonly dataSource: DataSource) {}

  /** By our own id. Null for whatever is no id of ours. */
  async findById(id: string): Promise<ShownTask | null> {
    return isUuid(id) ? this.byId.of(id) : null;
  }

  /** By the client's id. Of a placement only the live one has a claim to it. */
  async findByClientId(kind: TaskKind, clientId: string): Promise<ShownTask | null> {
    return isStorable(clientId) ? this.byClientId[kind].of(clientId) : null;
  }

  /**
   * The task of the newest attempt to which a worker gave this id.
   * @param instanceId absent: whichever worker
   */
  async findByRemoteId(remoteId: string, instanceId?: InstanceId): Promise<ShownTask | null> {
    if (!isStorable(remoteId)) return null;
    const where = instanceId === undefined ? { remoteId } : { remoteId, instanceId };
    const order = { reservedAt: 'DESC', attemptNo: 'DESC' } as const;
    const attempt = await answered(() => this.attempts.findOne({ where, order }));
    return attempt && this.findById(attempt.taskId);
  }

  /** Inputs and metadata, exactly as they were sent; tasks without them are left out. */
  async payloadOf(ids: readonly TaskId[]): Promise<ReadonlyMap<TaskId, JournalPayload>> {
    if (ids.length === 0) return new Map();
    const select = { id: true, taskInput: true, metadata: true } as const;
    const rows = await answered(() => this.tasks.find({ select, where: { id: In([...ids]) } }));
    const found = rows.flatMap(({ id, taskInput, metadata }) =>
      typeof taskInput === 'string' && typeof metadata === 'string'
        ? [[id, { taskInput, metadata }] as const]
        : [],
    );
    return new Map(found);
  }

  /** What happened to a task; empty when there is no such task. */
  async timeline(taskId: TaskId): Promise<Timeline> {
    const [events, attempts] = await answered(() =>
      Promise.all([
        this.dataSource
          .getRepository(TaskEventEntity)
          .find({ where: { taskId }, order: { seq: 'ASC' } }),
        this.attempts.find({ where: { taskId }, order: { attemptNo: 'ASC' } }),
      ]),
    );
    return { events, attempts };
  }

  /**
   * Everything that memory has to know again: first the tasks that occupy an instance, in the order
   * in which their attempts were reserved, ended ones with an abandoned attempt among them; then
   * those that wait, oldest first, in pages. Each has the attempts that still count. Finished rows
   * are not read otherwise, however many there are.
   * Two connections are used at once.
   * @param take called with those that occupy, then with each page of those that wait; a page takes some
   *   milliseconds, and between two of them other work has its turn
   */
  async eachLive(take: (tasks: readonly Task[]) => void): Promise<void> {
    const reader = new TaskReader();
    const occupying: Task[] = [];
    await this.eachPage(ACTIVE, async (page) => {
      occupying.push(...(await this.tasksOf(reader, page, ['live', 'lost'])));
    });
    const ended = await this.endedButOccupying();
    occupying.push(...(await this.tasksOf(reader, ended, ['abandoned'])));
    take(occupying.sort((a, b) => heldSince(a) - heldSince(b)));
    await this.eachPage(QUEUED, async (page) => take(await this.tasksOf(reader, page, ['lost'])));
  }

  /**
   * Removes a batch of what is too old; payloads go before the history they belong to. Rows with an
   * attempt that still occupies an instance stay.
   * @returns how many tasks lost their payload and how many went
   */
  async retain({
    historyBefore,
    payloadBefore,
    limit,
  }: Retention): Promise<{ readonly payloads: number; readonly tasks: number }> {
    const lastPayload = historyBefore > payloadBefore ? historyBefore : payloadBefore;
    return answered(async () => ({
      payloads: await this.count(CLEAR_PAYLOADS, [lastPayload, limit]),
      tasks: await this.count(DELETE_TASKS, [historyBefore, limit]),
    }));
  }

  // --- inside ----------------------------------------------------------------------------------

  private get tasks() {
    return this.dataSource.getRepository(TaskEntity);
  }

  private get attempts() {
    return this.dataSource.getRepository(AttemptEntity);
  }

  private async shownById(ids: readonly string[]): Promise<ReadonlyMap<string, ShownTask>> {
    const rows = await this.shown('id = ANY ($1::uuid[])', [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  private async shownByClientId(
    kind: TaskKind,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, ShownTask>> {
    const live = kind === 'placement' ? ' AND finished_at IS NULL' : '';
    const where = `kind = $1 AND client_task_id = ANY ($2::text[])${live}`;
    const rows = await this.shown(where, [kind, ids]);
    return new Map(rows.map((row) => [row.clientTaskId ?? '', row]));
  }

  /** Asked for more often than anything else: without an entity. */
  private shown(where: string, values: unknown[]): Promise<readonly ShownTask[]> {
    const text = `SELECT ${SHOWN_COLUMNS} FROM tasks WHERE ${where}`;
    return answered(() => this.dataSource.query<ShownTask[]>(text, values));
  }

  /** Those among these attempts that have been over, or given up, for that long. */
  async attemptsOver(
    ids: readonly DispatchId[],
    forSeconds: number,
  ): Promise<readonly DispatchId[]> {
    const rows = await answered(() =>
      this.dataSource
        .getRepository(AttemptEntity)
        .createQueryBuilder('a')
        .where('a.dispatchId = ANY (:ids)', { ids })
        .andWhere(`a.endedAt < now() - make_interval(secs => :forSeconds)`, { forSeconds })
        .getMany(),
    );
    return rows.map(({ dispatchId }) => dispatchId);
  }

  // A takeover of 100 000 tasks has 3 s: these reads are raw, without an entity per row.

  /**
   * A cursor that goes along the index of live tasks. After a burst PostgreSQL knows nothing yet of
   * the table: left to its own guess it would sort all that is left, for each page again.
   */
  private eachPage(
    which: string,
    take: (rows: readonly LiveTaskRow[]) => Promise<void>,
  ): Promise<void> {
    const declare = `
      DECLARE live_tasks NO SCROLL CURSOR FOR
       SELECT ${LIVE_TASK_COLUMNS} FROM tasks
        WHERE finished_at IS NULL AND ${which}
        ORDER BY id`;
    let thrown: { readonly error: unknown } | undefined;
    const taken = (rows: readonly LiveTaskRow[]): Promise<void> =>
      take(rows).catch((error: unknown) => {
        thrown = { error };
        throw error;
      });
    const reading = answered(() =>
      this.dataSource.transaction(async (manager) => {
        const fetch = () => manager.query<readonly LiveTaskRow[]>(`FETCH ${PAGE} FROM live_tasks`);
        await manager.query('SET LOCAL enable_sort = off');
        await manager.query(declare);
        let rows = await fetch();
        while (rows.length > 0) {
          // PostgreSQL reads the next page while this one is taken in.
          const following = fetch();
          const fetched = following.catch(() => undefined);
          await taken(rows).finally(() => fetched);
          rows = await following;
        }
      }),
    );
    // What fails while a page is taken in is no outage.
    return reading.catch((error: unknown) => {
      throw thrown ? thrown.error : error;
    });
  }

  private endedButOccupying(): Promise<readonly LiveTaskRow[]> {
    const ids = `SELECT task_id FROM attempts WHERE state = 'abandoned'`;
    const text = `SELECT ${ENDED_TASK_COLUMNS} FROM tasks WHERE finished_at IS NOT NULL AND id IN (${ids})`;
    return answered(() => this.dataSource.query<LiveTaskRow[]>(text));
  }

  private async tasksOf(
    reader: TaskReader,
    rows: readonly LiveTaskRow[],
    states: readonly Attempt['state'][],
  ): Promise<readonly Task[]> {
    const ids = rows.filter((row) => row.attempt_no > 0).map((row) => row.id);
    const attempts = ids.length === 0 ? [] : await this.openAttempts(ids, states);
    const byTask = new Map<TaskId, Attempt[]>(ids.map((id) => [id, []]));
    for (const attempt of attempts) byTask.get(attempt.task_id)?.push(attemptOf(attempt));
    return rows.map((row) => reader.taskOf(row, byTask.get(row.id) ?? NO_ATTEMPTS));
  }

  private openAttempts(
    ids: readonly TaskId[],
    states: readonly Attempt['state'][],
  ): Promise<readonly OpenAttemptRow[]> {
    const text = `
      SELECT ${OPEN_ATTEMPT_COLUMNS} FROM attempts
       WHERE task_id = ANY ($1::uuid[]) AND state = ANY ($2::text[])
       ORDER BY task_id, attempt_no`;
    return answered(() => this.dataSource.query<OpenAttemptRow[]>(text, [ids, states]));
  }

  private async count(text: string, parameters: unknown[]): Promise<number> {
    const [, affected] = await this.dataSource.query<[unknown, number]>(text, parameters);
    return affected;
  }
}

/** When it took its place at an instance. */
function heldSince({ attempts }: Task): number {
  return attempts.find(occupies)?.reservedAt ?? 0;
}

/** PostgreSQL keeps no NUL in text, so nothing was ever stored under such a name. */
function isStorable(text: string): boolean {
  return !text.includes('\0');
}

const CLEAR_PAYLOADS = `
  UPDATE tasks SET task_input = NULL, metadata = NULL, result = NULL
   WHERE id IN (
     SELECT id FROM tasks
      WHERE finished_at < $1 AND finished_at IS NOT NULL AND task_input IS NOT NULL
      ORDER BY finished_at
      LIMIT $2)`;

const DELETE_TASKS = `
  DELETE FROM tasks
   WHERE id IN (
     SELECT id FROM tasks
      WHERE finished_at < $1 AND finished_at IS NOT NULL AND task_input IS NULL
        AND NOT EXISTS (
          SELECT FROM attempts a WHERE a.task_id = tasks.id AND a.state = 'abandoned')
      ORDER BY finished_at
      LIMIT $2)`;
