import type { Client } from 'pg';
import { withDatabase } from './database';

/** Of the client ids of these tasks, before the eight digits of their number. */
export const HISTORY_PREFIX = 'history';
const CHUNK = 50_000;
/** Nothing of it is as old as what a service removes. */
const MOST_DAYS = 6;
/** Without a divisor in common with the number of models: each of them has some that failed. */
const EVERY_FAILED = 9;

/**
 * Puts finished tasks on the record as the journal would have left them, one attempt and three events each,
 * a second apart or, where they are very many, less, and the newest a minute old. Every ninth has failed.
 * @param models how many models there are, in turn: `model-0`, `model-1` …
 */
export async function fillHistory(url: string, tasks: number, models: number): Promise<void> {
  await withDatabase(url, async (client) => {
    // The rows fit together by construction: looking each key and each condition up would take as long again.
    await client.query("SET session_replication_role = 'replica'");
    await client.query('SET synchronous_commit = off');
    for (let from = 0; from < tasks; from += CHUNK) {
      await insert(client, { from, to: Math.min(tasks, from + CHUNK) - 1, tasks, models });
    }
    await client.query('VACUUM (ANALYZE) tasks, attempts, task_events');
    await client.query('CHECKPOINT');
  });
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly tasks: number;
  readonly models: number;
}

async function insert(client: Client, { from, to, tasks, models }: Chunk): Promise<void> {
  const apartS = Math.min(1, (MOST_DAYS * 86_400) / tasks);
  await client.query(INSERT, [from, to, tasks, models, HISTORY_PREFIX, EVERY_FAILED, apartS]);
}

const INSERT = `
  WITH made AS MATERIALIZED (
    SELECT n,
           n % $6 = 0 AS failed,
           uuidv7(make_interval(secs => (n - $3) * $7::float8 - 60)) AS id,
           now() + make_interval(secs => (n - $3) * $7::float8 - 60) AS at,
           worker.id AS instance,
           worker.registration,
           term.epoch
      FROM generate_series($1::integer, $2::integer) AS n,
           (SELECT id, registration FROM instances ORDER BY id LIMIT 1) AS worker,
           (SELECT epoch FROM leadership) AS term
  ), task AS (
    INSERT INTO tasks (
      id, kind, client_task_id, queue_name, priority, state, attempt_no, event_seq, instance_id,
      failure_kind, failure_message, task_input, metadata, result, payload_bytes,
      prediction_method, prediction_levels, prediction_quantiles, max_attempts, attempt_timeout_ms,
      demand_slots, demand_cpu, demand_memory_gb, demand_gpu_memory_gb,
      submitted_at, started_at, finished_at, execution_ms, epoch, updated_at)
    SELECT id, 'model', $5 || '-' || lpad(n::text, 8, '0'), 'model-' || n % $4, 0,
           CASE WHEN failed THEN 'failed' ELSE 'succeeded' END, 1, 3, instance,
           CASE WHEN failed THEN 'worker_error' END, CASE WHEN failed THEN 'out of memory' END,
           json_build_object('prompt', repeat('x', 150)),
           json_build_object('service_ms', 500, 'priority', 0),
           CASE WHEN NOT failed THEN json_build_object('output', 'done') END, 300,
           'default', '{0.5}', '{1000}', 3, 3600000, 1, 0, 0, 0,
           at, at + interval '5 ms', at + interval '505 ms', 500, epoch, at + interval '505 ms'
      FROM made
  ), attempt AS (
    INSERT INTO attempts (
      task_id, attempt_no, dispatch_id, instance_id, registration, state, remote_id,
      reserved_at, sent_at, running_since, ended_at, execution_ms, speed)
    SELECT id, 1, uuidv7(), instance, registration, 'ended', $5 || '-remote-' || n,
           at, at, at + interval '5 ms', at + interval '505 ms', 500, 1
      FROM made
  )
  INSERT INTO task_events (
    task_id, seq, type, from_state, to_state, attempt_no, instance_id, at, message, epoch)
  SELECT id, step.seq, coalesce(step.type, ended), step.from_state, coalesce(step.to_state, ended),
         1, instance, at, '', epoch
    FROM (SELECT *, CASE WHEN failed THEN 'failed' ELSE 'succeeded' END AS ended FROM made) AS life,
         (VALUES (1, 'submitted', NULL, 'dispatching'),
                 (2, 'dispatched', 'dispatching', 'dispatched'),
                 (3, NULL, 'dispatched', NULL)) AS step (seq, type, from_state, to_state)`;
