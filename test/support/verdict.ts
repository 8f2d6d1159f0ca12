import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { INVARIANT_QUERIES } from '../../src/persistence/invariant-queries';
import { canonicalJson } from '../../src/worker/canonical-json';
import type { LedgerEntry } from '../../src/worker/ledger';

/** One execution, as a worker's own ledger has it. */
export type Execution = LedgerEntry;

/** A task that the service accepted, as the client's own ledger has it. */
export interface AcceptedTask {
  /** The id that the client gave it. */
  readonly taskId: string;
  readonly input: object;
  /** How it has to end. Default: `succeeded`, with the result of its input. */
  readonly ending?: Ending;
}

/** A terminal state; `without_result` is a success of which no result was to be had. */
export type Ending = 'succeeded' | 'without_result' | 'failed' | 'timed_out' | 'cancelled';

/** What is compared: what clients were promised, what workers did, and what is on record. */
export interface Evidence {
  readonly databaseUrl: string;
  readonly accepted: readonly AcceptedTask[];
  readonly executions: readonly Execution[];
}

/** What the comparison found. */
export interface Verdict {
  readonly accepted: number;
  readonly executions: number;
  /** Executions beyond the first one of their task. */
  readonly executedTwice: number;
  readonly attempts: number;
  readonly lostAttempts: number;
  /** Everything that contradicts a promise; empty when all were kept. */
  readonly faults: readonly string[];
}

/**
 * Compares ledgers with the database (RELIABILITY_MODEL, sections 1, 9 and 11): every accepted task
 * has one row, one end and the right result; every execution belongs to a recorded attempt of its
 * task at its worker; nothing is recorded that nobody asked for, or that nobody executed.
 */
export async function verdictOf(evidence: Evidence): Promise<Verdict> {
  const record = await readRecord(evidence.databaseUrl);
  const executions = distinct(evidence.executions);
  const executed = new Set(executions.map(({ task_id: id }) => id));
  return {
    accepted: evidence.accepted.length,
    executions: executions.length,
    executedTwice: executions.length - executed.size,
    attempts: record.attempts.length,
    lostAttempts: record.attempts.filter(({ state }) => state === 'lost').length,
    faults: [
      ...faultsOfTasks(evidence.accepted, record),
      ...faultsOfExecutions(executions, record),
      ...faultsOfAttempts(record),
      ...record.violations,
    ],
  };
}

/** How many tasks have not ended, and how many attempts still occupy a worker. */
export async function openWork(databaseUrl: string): Promise<{ tasks: number; attempts: number }> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ tasks: number; attempts: number }>(`
      SELECT (SELECT count(*)::int FROM tasks WHERE finished_at IS NULL) AS tasks,
             (SELECT count(*)::int FROM attempts WHERE state IN ('live', 'abandoned')) AS attempts`);
    return rows[0] ?? { tasks: 0, attempts: 0 };
  });
}

/** A line each on the oldest tasks that have not ended, and on attempts that occupy a worker. */
export async function openWorkInWords(databaseUrl: string): Promise<string> {
  const rows = await rowsOf<{ line: string }>(
    databaseUrl,
    `SELECT concat_ws(' ', t.client_task_id, t.state, 'attempt', a.attempt_no, a.state,
              'registration', a.registration, 'remote id', coalesce(a.remote_id, 'none'),
              'at', i.name, CASE WHEN i.removed_at IS NULL THEN '' ELSE '(removed)' END,
              'of registration', i.registration, '| last event', e.type, e.message,
              extract(epoch FROM now() - e.at)::int || ' s ago in term ' || e.epoch) AS line
       FROM tasks t
       LEFT JOIN attempts a ON a.task_id = t.id AND a.state IN ('live', 'abandoned')
       LEFT JOIN instances i ON i.id = a.instance_id
       LEFT JOIN LATERAL (
         SELECT * FROM task_events e WHERE e.task_id = t.id ORDER BY e.seq DESC LIMIT 1) e ON true
      WHERE t.finished_at IS NULL OR a.task_id IS NOT NULL
      ORDER BY a.task_id IS NULL, e.at
      LIMIT 12`,
  );
  return rows.map(({ line }) => line).join('\n');
}

/** Names of the invariants that do not hold, with what breaks them (RELIABILITY_MODEL, section 9). */
export function violationsIn(databaseUrl: string): Promise<readonly string[]> {
  return withClient(databaseUrl, violations);
}

/** Runs one statement on a connection of its own. */
export function rowsOf<Row extends object>(
  databaseUrl: string,
  text: string,
  values: unknown[] = [],
): Promise<readonly Row[]> {
  return withClient(databaseUrl, async (client) => (await client.query<Row>(text, values)).rows);
}

interface TaskRow {
  readonly id: string;
  readonly client_task_id: string | null;
  readonly state: string;
  readonly failure: string | null;
  readonly digest: string | null;
  readonly ends: number;
}

interface AttemptRow {
  readonly task_id: string;
  readonly attempt_no: number;
  readonly dispatch_id: string;
  readonly state: string;
  readonly worker: string;
}

interface OnRecord {
  readonly tasks: readonly TaskRow[];
  readonly attempts: readonly AttemptRow[];
  readonly violations: readonly string[];
}

function readRecord(databaseUrl: string): Promise<OnRecord> {
  return withClient(databaseUrl, async (client) => {
    const { rows: tasks } = await client.query<TaskRow>(`
      SELECT t.id, t.client_task_id, t.state, t.result ->> 'input_sha256' AS digest,
             t.failure_kind || ': ' || t.failure_message AS failure,
             (SELECT count(*)::int FROM task_events e
               WHERE e.task_id = t.id
                 AND e.to_state IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'released')
             ) AS ends
        FROM tasks t`);
    const { rows: attempts } = await client.query<AttemptRow>(`
      SELECT a.task_id, a.attempt_no, a.dispatch_id, a.state, i.name AS worker
        FROM attempts a JOIN instances i ON i.id = a.instance_id`);
    return { tasks, attempts, violations: await violations(client) };
  });
}

function faultsOfTasks(accepted: readonly AcceptedTask[], { tasks }: OnRecord): string[] {
  const byClientId = new Map(tasks.map((row) => [row.client_task_id, row]));
  const known = new Set<string | null>(accepted.map(({ taskId }) => taskId));
  const uninvited = tasks
    .filter((row) => !known.has(row.client_task_id))
    .map((row) => `${row.id} (${String(row.client_task_id)}) is recorded, and was never accepted`);
  const broken = accepted.flatMap((task) => faultsOfTask(task, byClientId.get(task.taskId)));
  return [...broken, ...uninvited];
}

function faultsOfTask(task: AcceptedTask, row: TaskRow | undefined): string[] {
  const { taskId, ending = 'succeeded' } = task;
  if (!row) return [`I1 ${taskId} was accepted and is not recorded`];
  const faults: string[] = [];
  if (row.ends !== 1) faults.push(`${taskId} has ended ${row.ends} times`);
  const state = ending === 'without_result' ? 'succeeded' : ending;
  const digest = ending === 'succeeded' ? digestOf(task.input) : null;
  if (row.state !== state) {
    faults.push(`${taskId} is ${row.state}, not ${state} (${row.failure ?? 'no failure'})`);
  } else if (row.digest !== digest) {
    faults.push(`${taskId} has the result of another input, or of none: ${String(row.digest)}`);
  }
  return faults;
}

function faultsOfExecutions(
  executions: readonly Execution[],
  { tasks, attempts }: OnRecord,
): string[] {
  const byDispatchId = new Map(attempts.map((row) => [row.dispatch_id, row]));
  const uncovered = executions.flatMap((execution) => {
    const { task_id: task, dispatch_id: dispatch, worker } = execution;
    const attempt = byDispatchId.get(dispatch ?? '');
    if (!attempt) return [`${worker} executed ${String(task)} without an attempt on record`];
    if (attempt.task_id === task && attempt.worker === worker) return [];
    const recorded = `attempt of ${attempt.task_id} at ${attempt.worker}`;
    return [`${worker} executed ${String(task)} under the id of an ${recorded}`];
  });
  const seen = new Set<string>();
  const repeated = executions.flatMap(({ dispatch_id: dispatch, worker }) => {
    const isFirst = dispatch === null || !seen.has(dispatch);
    seen.add(dispatch ?? '');
    return isFirst ? [] : [`${worker} executed attempt ${dispatch} twice`];
  });
  const succeeded = new Set(executions.filter(({ ok }) => ok).map(({ task_id: id }) => id));
  const invented = tasks
    .filter(({ id, state }) => state === 'succeeded' && !succeeded.has(id))
    .map(({ id }) => `${id} succeeded, and nobody executed it`);
  return [...uncovered, ...repeated, ...invented];
}

function faultsOfAttempts({ attempts }: OnRecord): string[] {
  return attempts
    .filter(({ state }) => state === 'live' || state === 'abandoned')
    .map((row) => `attempt ${row.attempt_no} of ${row.task_id} is still ${row.state}`);
}

/** A ledger may have been read twice; an execution is one by its worker and the worker's times. */
function distinct(executions: readonly Execution[]): readonly Execution[] {
  return [...new Map(executions.map((entry) => [JSON.stringify(entry), entry])).values()];
}

/** What the engines answer for that input. */
function digestOf(input: object): string {
  return createHash('sha256').update(canonicalJson(input)).digest('hex');
}

async function violations(client: Client): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const { name, sql } of INVARIANT_QUERIES) {
    const { rows } = await client.query<{ subject: string; detail: string }>(sql);
    broken.push(...rows.map(({ subject, detail }) => `${name}: ${subject} ${detail}`));
  }
  return broken;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'tests' });
  // The server may be killed under it; the statement under way fails then.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
