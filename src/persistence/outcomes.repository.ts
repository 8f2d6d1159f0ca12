import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { QuantileDistribution, type Distribution } from '../core/distribution';
import type { InstanceId, TaskId } from '../core/units';
import { answered } from './store';

/** What was predicted of a task, and how long it ran at speed 1, in ms. */
export interface StoredOutcome {
  readonly model: string;
  readonly method: string;
  readonly instanceId: InstanceId;
  readonly serviceTime: Distribution;
  readonly actualMs: number;
}

/** How long a task ran that ended then, and what was known of it. */
export interface FinishedTask {
  readonly id: TaskId;
  readonly model: string;
  /** JSON text. */
  readonly metadata: string;
  /** Unix ms, with fractions. */
  readonly finishedMs: number;
  /** At speed 1, in ms. */
  readonly actualMs: number;
}

/** How long a job ran, whose it was, and how long it might have run. */
export interface FinishedJob {
  readonly owner: string;
  /** `Infinity`: none. */
  readonly limitMs: number;
  readonly runMs: number;
}

/** A span of ends of tasks: Unix ms, with fractions, the first excluded and the last included. */
export interface TimeSpan {
  readonly afterMs: number;
  readonly untilMs: number;
}

/** How long tasks ran, and what was known of them before. Reads only. */
@Injectable()
export class OutcomesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Predictions and outcomes of model tasks that succeeded, newest last.
   * @param among how many of the tasks that ended, newest submissions first, are looked at
   */
  async recent(among: number): Promise<readonly StoredOutcome[]> {
    const rows = await answered(() =>
      this.dataSource.query<OutcomeRow[]>(RECENT_OUTCOMES, [among]),
    );
    return rows.reverse().map((row) => ({
      model: row.queue_name,
      method: row.prediction_method,
      instanceId: row.instance_id,
      serviceTime: new QuantileDistribution(row.prediction_levels, row.prediction_quantiles),
      actualMs: row.actual_ms,
    }));
  }

  /**
   * Jobs that ended by themselves, in the order of their ends; those whose owner is not known are left
   * out.
   * @param among how many of the jobs that ended, newest submissions first, are looked at
   */
  async recentJobs(among: number): Promise<readonly FinishedJob[]> {
    const rows = await answered(() =>
      this.dataSource.query<JobRow[]>(RECENT_JOBS, [among, MOST_BYTES]),
    );
    return rows.map(({ owner, limit_ms: limitMs, run_ms: runMs }) => ({ owner, limitMs, runMs }));
  }

  /** From before the oldest of the newest `most` ends up to the newest; undefined without any. */
  async newestEnds(most: number): Promise<TimeSpan | undefined> {
    const [row] = await answered(() => this.dataSource.query<SpanRow[]>(NEWEST_ENDS, [most]));
    const { oldest_ms: oldestMs = null, newest_ms: untilMs = null } = row ?? {};
    return oldestMs === null || untilMs === null ? undefined : { afterMs: oldestMs - 1, untilMs };
  }

  /**
   * Model tasks that succeeded in that span, in the order of their ends, some at a time; those
   * whose metadata cannot be read back are left out.
   */
  async *finishedIn({ afterMs, untilMs }: TimeSpan): AsyncGenerator<readonly FinishedTask[]> {
    let behind: readonly [ms: number, id: string] | undefined = [afterMs, LAST_ID];
    while (behind !== undefined) {
      const parameters: unknown[] = [...behind, untilMs, MOST_BYTES, PAGE];
      const rows = await answered(() => this.dataSource.query<FinishedRow[]>(FINISHED, parameters));
      yield rows.map(finishedTask);
      const last = rows.at(-1);
      behind = last && rows.length === PAGE ? [last.finished_ms, last.id] : undefined;
    }
  }

  /** JSON texts; tasks without metadata, or with so many that none are facts, are left out. */
  async metadataOf(ids: readonly TaskId[]): Promise<ReadonlyMap<TaskId, string>> {
    if (ids.length === 0) return new Map();
    const rows = await answered(() =>
      this.dataSource.query<MetadataRow[]>(METADATA, [ids, MOST_BYTES]),
    );
    return new Map(rows.map(({ id, metadata }) => [id, metadata]));
  }
}

/** Metadata that take more than this, as they are stored, are payload: they are not read back. */
const MOST_BYTES = 16_384;

/** Ends per page: their metadata may be some MiB together. */
const PAGE = 100;
/** Behind every task that ended in the same microsecond. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

interface SpanRow {
  readonly oldest_ms: number | null;
  readonly newest_ms: number | null;
}

interface FinishedRow {
  readonly id: TaskId;
  readonly queue_name: string;
  readonly metadata: string;
  readonly finished_ms: number;
  readonly actual_ms: number;
}

function finishedTask(row: FinishedRow): FinishedTask {
  const { id, queue_name: model, metadata, finished_ms: finishedMs, actual_ms: actualMs } = row;
  return { id, model, metadata, finishedMs, actualMs };
}

interface OutcomeRow {
  readonly queue_name: string;
  readonly prediction_method: string;
  readonly instance_id: InstanceId;
  readonly prediction_levels: number[];
  readonly prediction_quantiles: number[];
  readonly actual_ms: number;
}

interface JobRow {
  readonly owner: string;
  readonly limit_ms: number;
  readonly run_ms: number;
}

interface MetadataRow {
  readonly id: TaskId;
  readonly metadata: string;
}

/** Of which attempt the time is, its own word tells: a lost one may have had the last word. */
const TIMED_ATTEMPT = `
  SELECT a.instance_id, a.speed FROM attempts a
   WHERE a.task_id = t.id AND a.execution_ms = t.execution_ms
   ORDER BY a.attempt_no DESC LIMIT 1`;

const RECENT_OUTCOMES = `
  SELECT queue_name, prediction_method, prediction_levels, prediction_quantiles,
         coalesce(timed.instance_id, t.instance_id) AS instance_id,
         execution_ms * coalesce(timed.speed, 1) AS actual_ms
    FROM (
      SELECT * FROM tasks
       WHERE kind = 'model' AND finished_at IS NOT NULL
       ORDER BY submitted_at DESC, id DESC
       LIMIT $1) AS t
    LEFT JOIN LATERAL (${TIMED_ATTEMPT}) AS timed ON true
   WHERE state = 'succeeded' AND execution_ms IS NOT NULL
   ORDER BY submitted_at DESC, id DESC`;

const RECENT_JOBS = `
  SELECT metadata ->> 'owner' AS owner, attempt_timeout_ms AS limit_ms, execution_ms AS run_ms
    FROM (
      SELECT * FROM tasks
       WHERE kind = 'batch' AND finished_at IS NOT NULL
       ORDER BY submitted_at DESC, id DESC
       LIMIT $1) AS t
   WHERE state IN ('succeeded', 'failed') AND execution_ms IS NOT NULL
     AND pg_column_size(metadata) <= $2 AND metadata ->> 'owner' IS NOT NULL
   ORDER BY finished_at, id`;

const METADATA = `
  SELECT id, metadata FROM tasks
   WHERE id = ANY ($1::uuid[]) AND metadata IS NOT NULL AND pg_column_size(metadata) <= $2`;

/** Of those that still have what they were sent with: there is an index of their ends. */
const WITH_PAYLOAD = 'finished_at IS NOT NULL AND task_input IS NOT NULL';

const NEWEST_ENDS = `
  SELECT (extract(epoch FROM min(finished_at)) * 1000)::float8 AS oldest_ms,
         (extract(epoch FROM max(finished_at)) * 1000)::float8 AS newest_ms
    FROM (
      SELECT finished_at FROM tasks
       WHERE ${WITH_PAYLOAD}
       ORDER BY finished_at DESC
       LIMIT $1) AS newest`;

const FINISHED = `
  SELECT id, queue_name, metadata,
         (extract(epoch FROM finished_at) * 1000)::float8 AS finished_ms,
         execution_ms * coalesce(timed.speed, 1) AS actual_ms
    FROM tasks t
    LEFT JOIN LATERAL (${TIMED_ATTEMPT}) AS timed ON true
   WHERE ${WITH_PAYLOAD}
     AND (finished_at, id) > (to_timestamp($1::float8 / 1000), $2::uuid)
     AND finished_at <= to_timestamp($3::float8 / 1000)
     AND kind = 'model' AND state = 'succeeded' AND execution_ms IS NOT NULL
     AND pg_column_size(metadata) <= $4
   ORDER BY finished_at, id
   LIMIT $5`;
