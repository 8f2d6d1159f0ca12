import { DataSource } from 'typeorm';
import type { TaskId } from '../core/units';
import { answered } from './store';

/** A model task that succeeded, as history has it. */
export interface FinishedTask {
  /** Unix ms, with fractions. */
  readonly submittedMs: number;
  readonly model: string;
  /** Running time at speed 1 in ms, by the worker's word. */
  readonly serviceMs: number;
  /** JSON text, as it was sent; null when retention has removed it. */
  readonly metadata: string | null;
}

interface Row extends FinishedTask {
  readonly id: TaskId;
  /** To the microsecond, as a number cannot say it. */
  readonly submittedAt: string;
}

/** Tasks per page: some MiB at most. */
const PAGE = 1_000;
const BEGINNING: Place = ['-infinity', '00000000-0000-0000-0000-000000000000' as TaskId];

type Place = readonly [submittedAt: string, id: TaskId];

/** Finished model tasks, read from the beginning to the end. */
export class HistoryRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Names in the metadata that stand for a number, a text or a truth value, the most frequent first.
   * @param most names at most
   * @throws {StoreUnavailableError}
   */
  async metadataNames(most: number): Promise<readonly string[]> {
    const rows = await answered(() => this.dataSource.query<{ name: string }[]>(NAMES, [most]));
    return rows.map(({ name }) => name);
  }

  /**
   * Tasks that succeeded and whose worker said for how long they ran, in the order of submission.
   * @throws {StoreUnavailableError}
   */
  async *finished(): AsyncGenerator<FinishedTask, void, undefined> {
    let behind: Place | undefined = BEGINNING;
    while (behind !== undefined) {
      const from: Place = behind;
      const rows = await answered(() => this.dataSource.query<Row[]>(FINISHED, [...from, PAGE]));
      yield* rows;
      const last = rows.length === PAGE ? rows.at(-1) : undefined;
      behind = last && [last.submittedAt, last.id];
    }
  }
}

const OF_USE = `kind = 'model' AND finished_at IS NOT NULL AND state = 'succeeded' AND execution_ms IS NOT NULL`;

const NAMES = `
  SELECT member.key AS name
    FROM tasks, json_each(metadata) AS member
   WHERE ${OF_USE} AND json_typeof(member.value) IN ('number', 'string', 'boolean')
   GROUP BY member.key
   ORDER BY count(*) DESC, member.key
   LIMIT $1`;

/** Of which attempt the time is, its own word tells: a lost one may have had the last word. */
const FINISHED = `
  SELECT id, queue_name AS model, metadata, submitted_at::text AS "submittedAt",
         date_part('epoch', submitted_at) * 1000 AS "submittedMs",
         execution_ms * coalesce(
           (SELECT a.speed FROM attempts a
             WHERE a.task_id = tasks.id AND a.execution_ms = tasks.execution_ms
             ORDER BY a.attempt_no DESC LIMIT 1), 1) AS "serviceMs"
    FROM tasks
   WHERE ${OF_USE}
     AND (submitted_at, id) > ($1::timestamptz, $2::uuid)
   ORDER BY submitted_at, id
   LIMIT $3`;
