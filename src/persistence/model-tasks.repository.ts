import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { TaskId } from '../core/units';
import { TERM, type Term } from '../ops/term';
import { answered, inTerm } from './store';
import { SHOWN_COLUMNS, type ShownTask } from './stored-task';
import { LISTED_LIVE } from './task-list.repository';

/** Where a page of the list begins, and how long it is. */
export interface PageBounds {
  readonly limit: number;
  /** Tasks that are left out before it. */
  readonly offset: number;
}

/** A page of the list: ids, newest submission first. */
export interface TaskIds {
  /** Tasks of the whole list. */
  readonly total: number;
  readonly ids: readonly TaskId[];
}

/** How far a clearance has come. */
export interface Clearance {
  /** Tasks that this step removed. */
  readonly cleared: number;
  /** Where the next step goes on; undefined when there is none. */
  readonly next: ClearanceStart | undefined;
}

/** The task after which a step of a clearance begins. */
export interface ClearanceStart {
  readonly id: TaskId;
  /** PostgreSQL's text of the time of its submission. */
  readonly submittedAt: string;
}

/** Tasks of one step of a clearance: short, so that it never holds up the journal. */
const STEP = 500;
const FROM_THE_START: ClearanceStart = {
  id: '00000000-0000-0000-0000-000000000000' as TaskId,
  submittedAt: '-infinity',
};

/** Model tasks as a list, live and finished: to page through, and to clear. */
@Injectable()
export class ModelTasksRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** A page of the committed tasks, and exactly how many there are. */
  async page({ limit, offset }: PageBounds): Promise<TaskIds> {
    const [page] = await answered(() => this.dataSource.query<TaskIds[]>(PAGE, [limit, offset]));
    return page ?? { total: 0, ids: [] };
  }

  /** The rows of these tasks; those that are gone are left out. */
  async findAll(ids: readonly TaskId[]): Promise<readonly ShownTask[]> {
    if (ids.length === 0) return [];
    const text = `SELECT ${SHOWN_COLUMNS} FROM tasks WHERE id = ANY ($1::uuid[])`;
    return answered(() => this.dataSource.query<ShownTask[]>(text, [ids]));
  }

  /**
   * Removes a batch of finished tasks with their attempts and events, oldest first. One whose
   * attempt still occupies an instance stays.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async clearSome(from: ClearanceStart = FROM_THE_START): Promise<Clearance> {
    const [step] = await inTerm(this.dataSource, this.term, (manager) =>
      manager.query<ClearedRow[]>(CLEAR, [from.submittedAt, from.id]),
    );
    if (!step?.last_id || !step.last_at) return { cleared: 0, next: undefined };
    const next = { id: step.last_id, submittedAt: step.last_at };
    return { cleared: step.cleared, next: step.seen < STEP ? undefined : next };
  }
}

interface ClearedRow {
  readonly cleared: number;
  readonly seen: number;
  readonly last_at: string | null;
  readonly last_id: TaskId | null;
}

const LIVE = `kind = 'model' AND ${LISTED_LIVE}`;
const FINISHED = `kind = 'model' AND finished_at IS NOT NULL`;

const NEWEST_FIRST = 'ORDER BY submitted_at DESC, id DESC';

/**
 * One statement, so that page and count are of one moment. Live and finished tasks have indexes of
 * their own: the counts come from these, and the page is a merge of the beginnings of both.
 */
export const PAGE = `
  SELECT (SELECT count(*) FROM tasks WHERE ${LIVE})::float8
         + (SELECT count(*) FROM tasks WHERE ${FINISHED})::float8 AS total,
         ARRAY(
           SELECT id FROM (
             (SELECT submitted_at, id FROM tasks WHERE ${LIVE}
               ${NEWEST_FIRST} LIMIT $1::bigint + $2::bigint)
             UNION ALL
             (SELECT submitted_at, id FROM tasks WHERE ${FINISHED}
               ${NEWEST_FIRST} LIMIT $1::bigint + $2::bigint)) AS newest
            ${NEWEST_FIRST} LIMIT $1::bigint OFFSET $2::bigint) AS ids`;

/** Goes through the finished tasks in their order, so that none is looked at twice. */
export const CLEAR = `
  WITH step AS (
    SELECT id, submitted_at FROM tasks
     WHERE ${FINISHED}
       AND (submitted_at, id) > ($1::timestamptz, $2::uuid)
     ORDER BY submitted_at, id
     LIMIT ${STEP}
  ), last AS (
    SELECT id, submitted_at FROM step ORDER BY submitted_at DESC, id DESC LIMIT 1
  ), gone AS (
    DELETE FROM tasks
     WHERE id IN (SELECT id FROM step)
       AND NOT EXISTS (
         SELECT FROM attempts a WHERE a.task_id = tasks.id AND a.state = 'abandoned')
    RETURNING id
  )
  SELECT (SELECT count(*)::int FROM gone) AS cleared,
         (SELECT count(*)::int FROM step) AS seen,
         (SELECT submitted_at::text FROM last) AS last_at,
         (SELECT id FROM last) AS last_id`;
