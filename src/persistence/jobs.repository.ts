import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isTerminal, type JobNeeds, type Task, type TaskState } from '../core/task';
import type { InstanceId, Instant, TaskId } from '../core/units';
import { answered } from './store';
import { LISTED_LIVE } from './task-list.repository';

/** A batch job as the record has it. The record of a live job is at most one commit behind memory. */
export interface StoredJob {
  readonly id: TaskId;
  readonly state: TaskState;
  readonly stopReason: Task['stopReason'];
  readonly attemptNo: number;
  readonly retries: number;
  /** Unix ms; it is not placed before. */
  readonly notBefore: number | null;
  /** Of its newest attempt. */
  readonly instanceId: InstanceId | null;
  /** The name of that host. */
  readonly hostName: string | null;
  /** Raw JSON text; null when it is no longer kept. */
  readonly taskInput: string | null;
  /** Raw JSON text; null when it is no longer kept. */
  readonly metadata: string | null;
  /** Raw JSON text; null while it is live, without one, or when it is no longer kept. */
  readonly result: string | null;
  readonly priority: number;
  readonly job: JobNeeds;
  readonly slots: number;
  readonly cpu: number;
  readonly memoryGb: number;
  /** `Infinity`: none. */
  readonly attemptTimeoutMs: number;
  readonly submittedAt: Date;
  /** When it first ran. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly updatedAt: Date;
  /** What was said of its last change of state. */
  readonly message: string;
}

/** Which jobs are listed: those to which everything that is named here applies. */
export interface JobFilter {
  readonly states?: readonly TaskState[];
  /** Of those that wait only who stands aside after a try that failed (true), or does not (false). */
  readonly isRetrying?: boolean;
  readonly owner?: string;
  readonly project?: string;
}

/** Which part of a list. */
export interface JobBounds {
  readonly limit: number;
  readonly offset: number;
}

/** Jobs that were submitted under a client's id. */
export interface NamedJob {
  readonly id: TaskId;
  readonly clientId: string;
  /** Raw JSON text; null when it is no longer kept. */
  readonly taskInput: string | null;
}

/** Jobs that stand alike. */
export interface JobCount {
  readonly state: TaskState;
  readonly isRetrying: boolean;
  readonly jobs: number;
}

/** Batch jobs on the record, live and finished ones. */
@Injectable()
export class JobsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest submission first; of one submission the last job first. @throws {StoreUnavailableError} */
  async page(
    filter: JobFilter,
    { limit, offset }: JobBounds,
    now: Instant,
  ): Promise<readonly TaskId[]> {
    const values: unknown[] = [limit, offset];
    const conditions = conditionsOf(filter, now, (value) => `$${values.push(value)}`);
    const text = `
      SELECT id FROM tasks WHERE ${conditions.join(' AND ')}
       ORDER BY submitted_at DESC, id DESC LIMIT $1 OFFSET $2`;
    const rows = await answered(() => this.dataSource.query<{ id: TaskId }[]>(text, values));
    return rows.map(({ id }) => id);
  }

  /** These jobs, in this order; those that are gone are left out. @throws {StoreUnavailableError} */
  async findAll(ids: readonly TaskId[]): Promise<readonly StoredJob[]> {
    if (ids.length === 0) return [];
    const rows = await answered(() => this.dataSource.query<StoredJob[]>(FIND_ALL, [ids]));
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => byId.get(id) ?? []);
  }

  /** The jobs that have these clients' ids, in their order. @throws {StoreUnavailableError} */
  async named(clientIds: readonly string[]): Promise<readonly NamedJob[]> {
    const rows = await answered(() => this.dataSource.query<NamedJob[]>(FIND_NAMED, [clientIds]));
    const byName = new Map(rows.map((row) => [row.clientId, row]));
    return clientIds.flatMap((name) => byName.get(name) ?? []);
  }

  /** How many jobs stand how. @throws {StoreUnavailableError} */
  async counts(now: Instant): Promise<readonly JobCount[]> {
    return answered(() => this.dataSource.query<JobCount[]>(COUNTS, [new Date(now)]));
  }
}

/**
 * Every batch task is one. Not by the kind: the planner would use the indexes of jobs for other lists.
 */
const ARE_JOBS = 'job IS NOT NULL';

function conditionsOf(
  { states, isRetrying, owner, project }: JobFilter,
  now: Instant,
  given: (value: unknown) => string,
): readonly string[] {
  const conditions = [ARE_JOBS];
  if (states) {
    conditions.push(`state = ANY (${given(states)}::text[])`);
    // Few of many jobs are live: they have an index of their own.
    if (!states.some(isTerminal)) conditions.push(`kind = 'batch' AND ${LISTED_LIVE}`);
  }
  if (isRetrying !== undefined) {
    const test = isRetrying ? 'IS TRUE' : 'IS NOT TRUE';
    const retrying = retryingAt(`${given(new Date(now))}::timestamptz`);
    conditions.push(`(state <> 'queued' OR (${retrying}) ${test})`);
  }
  if (owner !== undefined) conditions.push(`metadata ->> 'owner' = ${given(owner)}`);
  if (project !== undefined) conditions.push(`metadata ->> 'project' = ${given(project)}`);
  return conditions;
}

/** A start that was refused is tried again, too, but is no retry of the job. */
function retryingAt(now: string): string {
  return `state = 'queued' AND retries > 0 AND not_before > ${now}`;
}

// Raw, because each of these is one statement over several tables, or without an entity per row.

const FIND_ALL = `
  SELECT t.id, t.state, t.stop_reason AS "stopReason", t.attempt_no AS "attemptNo", t.retries,
         date_part('epoch', t.not_before) * 1000 AS "notBefore", t.instance_id AS "instanceId", i.name AS "hostName",
         t.task_input::text AS "taskInput", t.metadata::text AS metadata, t.result::text AS result,
         t.priority, t.job, t.demand_slots AS slots, t.demand_cpu AS cpu,
         t.demand_memory_gb AS "memoryGb", t.attempt_timeout_ms AS "attemptTimeoutMs",
         t.submitted_at AS "submittedAt", t.started_at AS "startedAt",
         t.finished_at AS "finishedAt", t.updated_at AS "updatedAt",
         (SELECT e.message FROM task_events e
           WHERE e.task_id = t.id AND e.to_state IS NOT NULL
           ORDER BY e.seq DESC LIMIT 1) AS message
    FROM tasks t LEFT JOIN instances i ON i.id = t.instance_id
   WHERE t.id = ANY ($1::uuid[]) AND t.${ARE_JOBS}`;

const FIND_NAMED = `
  SELECT id, client_task_id AS "clientId", task_input::text AS "taskInput" FROM tasks
   WHERE kind = 'batch' AND client_task_id = ANY ($1::text[])`;

/** Finished ones come from an index of their own; the live ones are looked at. */
const COUNTS = `
  SELECT state, false AS "isRetrying", count(*)::float8 AS jobs FROM tasks
   WHERE ${ARE_JOBS} AND finished_at IS NOT NULL
   GROUP BY state
   UNION ALL
  SELECT state, (${retryingAt('$1::timestamptz')}) IS TRUE, count(*)::float8 FROM tasks
   WHERE kind = 'batch' AND ${LISTED_LIVE}
   GROUP BY 1, 2`;
