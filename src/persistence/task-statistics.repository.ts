import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { answered } from './store';

/** How times are spread, in ms. */
export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** What finished tasks took. A spread is null when none of them has that time. */
export interface TaskTimes {
  /** How many were looked at. */
  readonly tasks: number;
  /** From the submission until an instance first began; of those that began. */
  readonly wait: Spread | null;
  /** Running, by the instance's word; of those of which it gave it. */
  readonly service: Spread | null;
  /** From the submission to the end. */
  readonly total: Spread | null;
}

/** Figures from the history of tasks. */
@Injectable()
export class TaskStatisticsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * What the finished model tasks of a queue took.
   * @param limit the newest ends that are looked at, at most
   * @param since ends before this are not looked at; null: however old
   */
  async timesOf(queueName: string, limit: number, since: Date | null): Promise<TaskTimes> {
    const values = [queueName, since ?? '-infinity', limit];
    // Raw, because the query builder knows no ordered-set aggregates.
    const [row] = await answered(() => this.dataSource.query<TimesRow[]>(TIMES, values));
    if (!row) throw new Error('an aggregate answers one row');
    return {
      tasks: row.tasks,
      wait: spreadOf(row.wait, row.wait_max, row.wait_mean),
      service: spreadOf(row.service, row.service_max, row.service_mean),
      total: spreadOf(row.total, row.total_max, row.total_mean),
    };
  }
}

interface TimesRow {
  readonly tasks: number;
  readonly wait: readonly number[] | null;
  readonly wait_max: number | null;
  readonly wait_mean: number | null;
  readonly service: readonly number[] | null;
  readonly service_max: number | null;
  readonly service_mean: number | null;
  readonly total: readonly number[] | null;
  readonly total_max: number | null;
  readonly total_mean: number | null;
}

// greatest() passes over null, so what never began is left out by hand. Clocks are set now and
// then, and no time is below 0.
const TIMES = `
  WITH finished AS (
    SELECT CASE WHEN started_at IS NOT NULL
                THEN greatest(0, date_part('epoch', started_at - submitted_at) * 1000) END AS wait,
           execution_ms AS service,
           greatest(0, date_part('epoch', finished_at - submitted_at) * 1000) AS total
      FROM tasks
     WHERE kind = 'model' AND queue_name = $1 AND finished_at IS NOT NULL AND finished_at >= $2
     ORDER BY finished_at DESC
     LIMIT $3)
  SELECT count(*)::int AS tasks,
         ${['wait', 'service', 'total'].map(spreadColumns).join(', ')}
    FROM finished`;

function spreadColumns(time: string): string {
  const levels = `percentile_cont('{0.5, 0.9, 0.95, 0.99}'::float8[]) WITHIN GROUP (ORDER BY ${time})`;
  return `${levels} AS ${time}, max(${time}) AS ${time}_max, avg(${time}) AS ${time}_mean`;
}

function spreadOf(
  levels: readonly number[] | null,
  max: number | null,
  mean: number | null,
): Spread | null {
  if (levels === null || max === null || mean === null) return null;
  const [p50 = max, p90 = max, p95 = max, p99 = max] = levels;
  return { p50, p90, p95, p99, max, mean };
}
