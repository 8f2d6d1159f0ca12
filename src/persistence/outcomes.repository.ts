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

interface OutcomeRow {
  readonly queue_name: string;
  readonly prediction_method: string;
  readonly instance_id: InstanceId;
  readonly prediction_levels: number[];
  readonly prediction_quantiles: number[];
  readonly actual_ms: number;
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

const METADATA = `
  SELECT id, metadata FROM tasks
   WHERE id = ANY ($1::uuid[]) AND metadata IS NOT NULL AND pg_column_size(metadata) <= $2`;
