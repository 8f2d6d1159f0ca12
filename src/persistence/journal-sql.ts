import { arrayParameter, type Element, type ElementType } from './array-parameter';
import type { AttemptRow, BirthRow, EventRow, StandingRow } from './journal-rows';

/** One column of an array of rows. */
interface Column<Row> {
  readonly name: string;
  readonly type: ElementType;
  /** Type of the table's column, where the elements have to be cast to it. */
  readonly cast?: string;
  readonly of: (row: Row) => Element;
}

/** A statement that writes many rows, each column being one array. The session prepares it by its name. */
export interface BatchStatement<Row> {
  readonly name: string;
  readonly text: string;
  /** Parameters for these rows, the term's number last. Throws `RangeError` on an impossible value. */
  parameters(rows: readonly Row[], epoch: number): (Buffer | string)[];
}

/** A new task: what is written once, and where it stands already. */
export interface NewTaskRow {
  readonly birth: BirthRow;
  readonly standing: StandingRow;
}

const BIRTH: readonly Column<BirthRow>[] = [
  { name: 'id', type: 'uuid', of: (row) => row.id },
  { name: 'kind', type: 'text', of: (row) => row.kind },
  { name: 'client_task_id', type: 'text', of: (row) => row.clientTaskId },
  { name: 'queue_name', type: 'text', of: (row) => row.queueName },
  { name: 'priority', type: 'int4', of: (row) => row.priority },
  { name: 'task_input', type: 'json', of: (row) => row.taskInput },
  { name: 'metadata', type: 'json', of: (row) => row.metadata },
  { name: 'payload_bytes', type: 'int4', of: (row) => row.payloadBytes },
  { name: 'prediction_method', type: 'text', of: (row) => row.predictionMethod },
  { name: 'prediction_levels', type: 'text', cast: 'float8[]', of: (row) => row.predictionLevels },
  {
    name: 'prediction_quantiles',
    type: 'text',
    cast: 'float8[]',
    of: (row) => row.predictionQuantiles,
  },
  { name: 'max_attempts', type: 'int4', of: (row) => row.maxAttempts },
  { name: 'job', type: 'text', cast: 'jsonb', of: (row) => row.job },
  { name: 'attempt_timeout_ms', type: 'float8', of: (row) => row.attemptTimeoutMs },
  { name: 'demand_slots', type: 'float8', of: (row) => row.demandSlots },
  { name: 'demand_cpu', type: 'float8', of: (row) => row.demandCpu },
  { name: 'demand_memory_gb', type: 'float8', of: (row) => row.demandMemoryGb },
  { name: 'demand_gpu_memory_gb', type: 'float8', of: (row) => row.demandGpuMemoryGb },
  { name: 'submitted_at', type: 'timestamptz', of: (row) => row.submittedAt },
];

const STANDING: readonly Column<StandingRow>[] = [
  { name: 'state', type: 'text', of: (row) => row.state },
  { name: 'attempt_no', type: 'int4', of: (row) => row.attemptNo },
  { name: 'retries', type: 'int4', of: (row) => row.retries },
  { name: 'event_seq', type: 'int4', of: (row) => row.eventSeq },
  { name: 'not_before', type: 'timestamptz', of: (row) => row.notBefore },
  { name: 'instance_id', type: 'uuid', of: (row) => row.instanceId },
  { name: 'avoid_instance_id', type: 'uuid', of: (row) => row.avoidInstanceId },
  { name: 'stop_reason', type: 'text', of: (row) => row.stopReason },
  { name: 'failure_kind', type: 'text', of: (row) => row.failureKind },
  { name: 'failure_message', type: 'text', of: (row) => row.failureMessage },
  { name: 'result', type: 'json', of: (row) => row.result },
  { name: 'started_at', type: 'timestamptz', of: (row) => row.startedAt },
  { name: 'finished_at', type: 'timestamptz', of: (row) => row.finishedAt },
  { name: 'execution_ms', type: 'float8', of: (row) => row.executionMs },
];

const ATTEMPT: readonly Column<AttemptRow>[] = [
  { name: 'task_id', type: 'uuid', of: (row) => row.taskId },
  { name: 'attempt_no', type: 'int4', of: (row) => row.attemptNo },
  { name: 'dispatch_id', type: 'uuid', of: (row) => row.dispatchId },
  { name: 'instance_id', type: 'uuid', of: (row) => row.instanceId },
  { name: 'registration', type: 'int4', of: (row) => row.registration },
  { name: 'speed', type: 'float8', of: (row) => row.speed },
  { name: 'decision', type: 'text', cast: 'jsonb', of: (row) => row.decision },
  { name: 'state', type: 'text', of: (row) => row.state },
  { name: 'remote_id', type: 'text', of: (row) => row.remoteId },
  { name: 'reserved_at', type: 'timestamptz', of: (row) => row.reservedAt },
  { name: 'sent_at', type: 'timestamptz', of: (row) => row.sentAt },
  { name: 'running_since', type: 'timestamptz', of: (row) => row.runningSince },
  { name: 'ended_at', type: 'timestamptz', of: (row) => row.endedAt },
  { name: 'execution_ms', type: 'float8', of: (row) => row.executionMs },
  { name: 'vacated', type: 'int4', cast: 'boolean', of: (row) => Number(row.vacated) },
];

const EVENT: readonly Column<EventRow>[] = [
  { name: 'task_id', type: 'uuid', of: (row) => row.taskId },
  { name: 'seq', type: 'int4', of: (row) => row.seq },
  { name: 'type', type: 'text', of: (row) => row.type },
  { name: 'from_state', type: 'text', of: (row) => row.from },
  { name: 'to_state', type: 'text', of: (row) => row.to },
  { name: 'attempt_no', type: 'int4', of: (row) => row.attemptNo },
  { name: 'instance_id', type: 'uuid', of: (row) => row.instanceId },
  { name: 'at', type: 'timestamptz', of: (row) => row.at },
  { name: 'message', type: 'text', of: (row) => row.message },
  { name: 'operator', type: 'text', of: (row) => row.operator },
];

const NEW_TASK: readonly Column<NewTaskRow>[] = [
  ...BIRTH.map((column) => ({ ...column, of: ({ birth }: NewTaskRow) => column.of(birth) })),
  ...STANDING.map((column) => ({
    ...column,
    of: ({ standing }: NewTaskRow) => column.of(standing),
  })),
];

const KEYED_STANDING: readonly Column<StandingRow>[] = [
  { name: 'id', type: 'uuid', of: (row) => row.id },
  ...STANDING,
];

/** How long a transaction of the lane may take, in ms. */
export const TRANSACTION_TIMEOUT_MS = 15_000;

/**
 * A flush of which only a part arrives holds its locks, the one on the lease too, and the limit of idle
 * transactions begins behind its last statement only. Servers from version 17 on have a limit for the
 * whole; with older ones the keepalive finds a host that is gone, but no process that stands still.
 */
const LIMITS = [
  `SELECT set_config(name, '${TRANSACTION_TIMEOUT_MS}', false)
     FROM pg_settings WHERE name = 'transaction_timeout';`,
  'SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;',
];

/**
 * Settings of the lane's session. Its statements are planned once, so no plan may depend on how full a
 * table was then: whatever reads a table names the keys that it wants (`= ANY`), finds them by an
 * index, and only then joins the two small sets by hash. Left to itself the planner reads a table
 * that is still small from end to end, and goes on so when it has grown.
 */
export const SETTINGS = ['seqscan', 'bitmapscan', 'nestloop', 'mergejoin']
  .map((kind) => `SET enable_${kind} = off;`)
  .concat('SET plan_cache_mode = force_generic_plan;', LIMITS)
  .join(' ');

/**
 * Takes the lease row of the term, so that a takeover and this transaction exclude each other. No
 * row: another term has begun. (A subquery without the lock would not do: a statement that began
 * before a takeover still sees the old term.) Key share is enough, since the epoch is part of a key,
 * and lets renewals pass: behind `FOR SHARE` they would starve while transactions overlap.
 */
export const FENCE_SQL = `SELECT 1 FROM leadership WHERE name = 'scheduler' AND epoch = $1 FOR KEY SHARE`;

/** The fence of the lane: it fails (`UNMET`) when another term has begun. */
export const FENCE = {
  name: 'journal_fence',
  text: `SELECT ${failUnless('count(*) = 1')} FROM (${FENCE_SQL}) AS held`,
} as const;

/** Violates a unique key when a client's id (or our own) is taken. */
export const INSERT_TASKS = statement('journal_insert_tasks', NEW_TASK, ({ names, values, rows }) =>
  [
    `INSERT INTO tasks (${names}, epoch, updated_at)`,
    `SELECT ${values}, $${NEW_TASK.length + 1}::bigint, now() FROM ${rows}`,
  ].join(' '),
);

/** Columns of which a change may know nothing, and then says null. */
const KEPT: Readonly<Record<string, string>> = {
  instance_id: 'coalesce(t.instance_id, tasks.instance_id)',
  started_at: 'coalesce(tasks.started_at, t.started_at)',
};

/**
 * The conditional update: a row that is final, or further than ours, is not met, and then the
 * statement fails (`UNMET`). The caller sends one row per task.
 */
export const UPDATE_TASKS = statement('journal_update_tasks', KEYED_STANDING, ({ rows }) =>
  [
    'WITH updated AS (UPDATE tasks SET',
    STANDING.map(({ name }) => `${name} = ${KEPT[name] ?? `t.${name}`}`).join(', '),
    `, epoch = $${KEYED_STANDING.length + 1}::bigint, updated_at = now()`,
    `FROM ${rows} WHERE tasks.id = t.id AND tasks.id = ANY ($1)`,
    'AND tasks.finished_at IS NULL AND tasks.attempt_no <= t.attempt_no RETURNING 1)',
    `SELECT ${failUnless('count(*) = cardinality($1)')} FROM updated`,
  ].join(' '),
);

/**
 * In the order of their numbers: the older attempt must cease to be live before the newer begins. One
 * that is over stays over, also when a connection that was given up delivers its last batch late.
 */
export const UPSERT_ATTEMPTS = statement(
  'journal_upsert_attempts',
  ATTEMPT,
  (parts) =>
    [
      `INSERT INTO attempts (${parts.names}) SELECT ${parts.values} FROM ${parts.rows}`,
      'ORDER BY t.attempt_no ON CONFLICT (task_id, attempt_no) DO UPDATE SET',
      ['state', 'remote_id', 'sent_at', 'running_since', 'ended_at', 'execution_ms', 'vacated']
        .map((name) => `${name} = excluded.${name}`)
        .join(', '),
      'WHERE attempts.ended_at IS NULL OR excluded.ended_at IS NOT NULL',
    ].join(' '),
  false,
);

export const INSERT_EVENTS = statement('journal_insert_events', EVENT, ({ names, values, rows }) =>
  [
    `INSERT INTO task_events (${names}, epoch)`,
    `SELECT ${values}, $${EVENT.length + 1}::bigint FROM ${rows}`,
  ].join(' '),
);

const NEXT_SEQ = `
  (SELECT coalesce(max(e.seq), 0) FROM task_events e WHERE e.task_id = t.task_id)
  + row_number() OVER (PARTITION BY t.task_id ORDER BY t.place)`;

/** Notes on tasks that left memory: numbered after what is there. A task that is gone gets none. */
export const INSERT_NOTES = statement('journal_insert_notes', EVENT, ({ names, values, rows }) =>
  [
    `INSERT INTO task_events (${names}, epoch)`,
    `SELECT ${values.replace('t.seq', NEXT_SEQ)}, $${EVENT.length + 1}::bigint`,
    `FROM ${rows} JOIN tasks ON tasks.id = t.task_id AND tasks.id = ANY ($1) ORDER BY t.place`,
  ].join(' '),
);

/**
 * Makes the session ready for a transaction of the lane, one query after the other: whenever the server
 * begins with a statement it reads the whole text that this was prepared in.
 */
export const SESSION: readonly string[] = [
  SETTINGS,
  ...[FENCE, UPDATE_TASKS, INSERT_TASKS, UPSERT_ATTEMPTS, INSERT_EVENTS, INSERT_NOTES].map(
    ({ name, text }) => `PREPARE ${name} AS ${text}`,
  ),
];

// What is rarely asked has no name: it is planned each time, for tables as large as they are then.

/**
 * Which of these events this term has written: tells whether a batch was committed whose answer was
 * lost. The next term may have written an event of the same number.
 */
export const FIND_EVENTS = {
  text: `
    SELECT DISTINCT t.task_id
      FROM unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[]) AS t(task_id, seq, type, at)
      JOIN task_events e ON e.task_id = t.task_id AND e.task_id = ANY ($1)
       AND (e.seq = t.seq OR (t.seq IS NULL AND e.type = t.type AND e.at = t.at))
       AND e.epoch = $5`,
  parameters: (events: readonly EventRow[], epoch: number) => [
    arrayParameter(
      'uuid',
      events.map(({ taskId }) => taskId),
    ),
    arrayParameter(
      'int4',
      events.map(({ seq }) => seq),
    ),
    arrayParameter(
      'text',
      events.map(({ type }) => type),
    ),
    arrayParameter(
      'timestamptz',
      events.map(({ at }) => at),
    ),
    epoch,
  ],
} as const;

/** Whose client ids these are: the tasks that new ones collided with. */
export const FIND_TWINS = {
  text: `
    WITH t AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t(id, kind, client_id))
    SELECT t.id, twin.id AS twin FROM t
      JOIN tasks twin ON twin.kind = t.kind AND twin.client_task_id = t.client_id
       AND twin.kind IN ('model', 'batch') AND twin.client_task_id = ANY ($3)
       AND twin.kind <> 'placement'
    UNION ALL
    SELECT t.id, twin.id FROM t
      JOIN tasks twin ON twin.client_task_id = t.client_id AND twin.client_task_id = ANY ($3)
       AND twin.kind = 'placement' AND twin.finished_at IS NULL
     WHERE t.kind = 'placement'
    UNION ALL
    SELECT t.id, twin.id FROM t JOIN tasks twin ON twin.id = t.id AND twin.id = ANY ($1)`,
  parameters: (births: readonly BirthRow[]) => [
    arrayParameter(
      'uuid',
      births.map(({ id }) => id),
    ),
    arrayParameter(
      'text',
      births.map(({ kind }) => kind),
    ),
    arrayParameter(
      'text',
      births.map(({ clientTaskId }) => clientTaskId),
    ),
  ],
} as const;

/** How the rows stand that an update did not meet. */
export const FIND_STANDINGS = {
  text: `
    SELECT id, state, attempt_no AS "attemptNo", epoch FROM tasks WHERE id = ANY ($1::uuid[])`,
} as const;

/** SQLSTATE of a statement whose condition was not met. */
export const UNMET = '22012';

/** A division by zero: plain SQL has no other way to fail, and so to undo what stands around it. */
function failUnless(condition: string): string {
  return `1 / (${condition})::int`;
}

interface Parts {
  /** `a, b` */
  readonly names: string;
  /** `t.a, t.b::float8[]` */
  readonly values: string;
  /** `(SELECT place, ($1::uuid[])[place] AS a, … FROM generate_series(…) AS place) AS t` */
  readonly rows: string;
}

function statement<Row>(
  name: string,
  columns: readonly Column<Row>[],
  write: (parts: Parts) => string,
  hasEpoch = true,
): BatchStatement<Row> {
  const names = columns.map((column) => column.name).join(', ');
  const values = columns.map(({ name: column, cast }) =>
    cast === undefined ? `t.${column}` : `t.${column}::${cast}`,
  );
  // `unnest` of many arrays is many functions to the server, each of which keeps what it returns.
  const elements = columns.map(
    ({ name: column, type }, index) => `($${index + 1}::${type}[])[place] AS ${column}`,
  );
  const places = `generate_series(1, cardinality($1::${columns[0]?.type}[])) AS place`;
  const rows = `(SELECT place, ${elements.join(', ')} FROM ${places}) AS t`;
  return {
    name,
    text: write({ names, values: values.join(', '), rows }),
    parameters: (batch, epoch) => {
      const parameters = columns.map(({ type, of }) => arrayParameter(type, batch.map(of)));
      return hasEpoch ? [...parameters, String(epoch)] : parameters;
    },
  };
}
