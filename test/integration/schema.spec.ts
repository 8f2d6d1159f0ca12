import { Client, DatabaseError } from 'pg';
import {
  FIND_EVENTS,
  FIND_STANDINGS,
  FIND_TWINS,
  INSERT_NOTES,
  SETTINGS,
  UPDATE_TASKS,
} from '../../src/persistence/journal-sql';
import { LISTED_LIVE } from '../../src/persistence/task-list.repository';
import { freshDatabase, type TestDatabase } from '../support/database';

const ID = '01900000-0000-7000-8000-000000000001';
const OTHER_ID = '01900000-0000-7000-8000-000000000002';
const INSTANCE_ID = '01900000-0000-7000-8000-00000000000a';

let database: TestDatabase;
let client: Client;

beforeEach(async () => {
  database = await freshDatabase();
  client = new Client({ connectionString: database.url, application_name: 'tests' });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await database.drop();
});

async function query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]> {
  return (await client.query<Row>(text, values)).rows;
}

/** Name of the constraint or index that refuses the statement. */
async function refusedBy(work: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await work.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  if (error instanceof DatabaseError) return error.constraint;
  throw error;
}

async function planOf(text: string): Promise<string[]> {
  const lines = await query<Record<'QUERY PLAN', string>>(`EXPLAIN ${text}`);
  return lines.map((line) => line['QUERY PLAN']);
}

type Columns = Readonly<Record<string, unknown>>;

async function insert(table: string, columns: Columns): Promise<void> {
  const names = Object.keys(columns);
  const places = names.map((_, index) => `$${index + 1}`);
  const text = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`;
  await query(text, Object.values(columns));
}

const QUEUED_TASK: Columns = {
  id: ID,
  kind: 'model',
  client_task_id: null,
  queue_name: 'm',
  priority: 0,
  state: 'queued',
  attempt_no: 0,
  event_seq: 1,
  task_input: '{"a": 1}',
  metadata: '{}',
  payload_bytes: 10,
  prediction_method: 'default',
  prediction_levels: [0.5],
  prediction_quantiles: [100],
  max_attempts: 3,
  attempt_timeout_ms: 1000,
  demand_slots: 1,
  demand_cpu: 0,
  demand_memory_gb: 0,
  demand_gpu_memory_gb: 0,
  submitted_at: new Date(0),
  epoch: 1,
  updated_at: new Date(0),
};
const DONE = { state: 'succeeded', finished_at: new Date(0) };
const FAILED = { state: 'failed', failure_kind: 'lost', finished_at: new Date(0) };

function insertTask(columns: Columns = {}): Promise<void> {
  return insert('tasks', { ...QUEUED_TASK, ...columns });
}

async function insertInstance(): Promise<void> {
  await insert('instances', {
    id: INSTANCE_ID,
    kind: 'task_instance',
    queue_kind: 'model',
    queue_name: 'm',
    host: 'h',
    port: 1,
    name: 'n',
    protocol: 'enqueue',
    registration: 1,
    registered_at: new Date(0),
  });
}

function insertAttempt(columns: Columns = {}): Promise<void> {
  return insert('attempts', {
    task_id: ID,
    attempt_no: 1,
    dispatch_id: OTHER_ID,
    instance_id: INSTANCE_ID,
    registration: 1,
    state: 'live',
    reserved_at: new Date(0),
    ...columns,
  });
}

describe('rows that cannot be', () => {
  it.each<[string, Columns]>([
    ['tasks_state_known', { state: 'lost' }],
    ['tasks_kind_known', { kind: 'job' }],
    ['tasks_terminal_iff_finished', { state: 'succeeded' }],
    ['tasks_terminal_iff_finished', { finished_at: new Date(0) }],
    ['tasks_active_has_owner', { state: 'running', attempt_no: 1 }],
    ['tasks_active_has_owner', { state: 'dispatching', instance_id: INSTANCE_ID }],
    ['tasks_released_is_placement', { state: 'released', finished_at: new Date(0) }],
    ['tasks_failed_iff_reason', { state: 'failed', finished_at: new Date(0) }],
    ['tasks_failed_iff_reason', { failure_kind: 'lost' }],
    ['tasks_failure_kind_known', { ...FAILED, failure_kind: 'bad luck' }],
    ['tasks_stopping_has_reason', { state: 'stopping', instance_id: INSTANCE_ID, attempt_no: 1 }],
    ['tasks_stop_reason_known', { stop_reason: 'bored' }],
    ['tasks_stopped_as_asked', { ...DONE, state: 'cancelled' }],
    ['tasks_stopped_as_asked', { ...DONE, state: 'timed_out', stop_reason: 'cancelled' }],
    ['tasks_attempts_positive', { attempt_no: -1 }],
    ['tasks_attempts_positive', { max_attempts: 0 }],
    ['tasks_durations_possible', { attempt_timeout_ms: 0 }],
    ['tasks_durations_possible', { ...DONE, execution_ms: -1 }],
    ['tasks_live_has_payload', { task_input: null }],
    ['tasks_result_is_final', { result: '{}' }],
    ['tasks_quantiles_match', { prediction_levels: [0.5, 0.9] }],
    ['tasks_job_is_batch', { job: '{}' }],
    ['tasks_retries_possible', { retries: -1 }],
  ])('%s', async (constraint, columns) => {
    expect(await refusedBy(insertTask(columns))).toBe(constraint);
  });

  it('lets a client id be used once, and by placements once at a time', async () => {
    await insertTask({ client_task_id: 'c' });
    expect(await refusedBy(insertTask({ id: OTHER_ID, client_task_id: 'c' }))).toBe(
      'tasks_client_key',
    );
    await insertTask({ id: OTHER_ID, client_task_id: 'c', kind: 'batch' });
    const placement = { client_task_id: 'c', kind: 'placement' };
    await insertTask({ ...placement, ...DONE, id: '01900000-0000-7000-8000-000000000003' });
    await insertTask({ ...placement, id: '01900000-0000-7000-8000-000000000004' });
    const twin = { ...placement, id: '01900000-0000-7000-8000-000000000005' };
    expect(await refusedBy(insertTask(twin))).toBe('tasks_live_placement_key');
  });

  it('keeps attempts in order', async () => {
    await insertInstance();
    await insertTask();
    await insertAttempt();
    const second = { attempt_no: 2, dispatch_id: ID };
    expect(await refusedBy(insertAttempt(second))).toBe('attempts_one_live');
    expect(await refusedBy(insertAttempt({ ...second, state: 'lost' }))).toBe(
      'attempts_over_iff_ended',
    );
    const ended = { ...second, state: 'ended', ended_at: new Date(0) };
    expect(await refusedBy(insertAttempt({ ...second, state: 'gone' }))).toBe(
      'attempts_state_known',
    );
    expect(await refusedBy(insertAttempt({ ...ended, dispatch_id: OTHER_ID }))).toBe(
      'attempts_dispatch_id_key',
    );
    expect(await refusedBy(insertAttempt({ ...ended, attempt_no: 0 }))).toBe(
      'attempts_no_positive',
    );
    expect(await refusedBy(insertAttempt({ ...ended, instance_id: ID }))).toBe(
      'attempts_instance_fkey',
    );
    expect(await refusedBy(insertAttempt({ ...ended, task_id: OTHER_ID }))).toBe(
      'attempts_task_fkey',
    );
    expect(await refusedBy(insertAttempt({ ...ended, execution_ms: -1 }))).toBe(
      'attempts_execution_possible',
    );
    expect(await refusedBy(insertAttempt({ ...ended, decision: '[]' }))).toBe(
      'attempts_decision_is_object',
    );
    expect(await refusedBy(insertAttempt({ ...ended, speed: 0 }))).toBe('attempts_speed_positive');
    await insertAttempt(ended);
  });

  it('may not come to be by a change either', async () => {
    await insertInstance();
    await insertTask();
    await insertAttempt();
    await query(`
      INSERT INTO task_events (task_id, seq, type, attempt_no, at, message, epoch)
      VALUES ('${ID}', 1, 'note', 0, now(), '', 1)`);
    for (const [change, constraint] of [
      ['tasks SET max_attempts = 0', 'tasks_attempts_positive'],
      [`tasks SET state = 'resting'`, 'tasks_state_known'],
      [`attempts SET state = 'ended'`, 'attempts_over_iff_ended'],
      ['task_events SET seq = 0', 'task_events_seq_positive'],
      [`task_events SET from_state = 'running'`, 'task_events_move_legal'],
    ] as const) {
      expect(await refusedBy(query(`UPDATE ${change}`))).toBe(constraint);
    }
  });

  it('has one row of leadership, whose term never falls', async () => {
    const row = { name: 'other', epoch: 1, expires_at: new Date(0), renewed_at: new Date(0) };
    expect(await refusedBy(insert('leadership', row))).toBe('leadership_one_row');
    await query('UPDATE leadership SET epoch = 5');
    expect(await refusedBy(query('UPDATE leadership SET epoch = 4'))).toBe(
      'leadership_epoch_never_falls',
    );
  });

  it('keeps one row per address of an instance', async () => {
    await insertInstance();
    const twin = query(`
      INSERT INTO instances (id, kind, queue_kind, queue_name, host, port, name, protocol,
                             registration, registered_at)
      SELECT '${OTHER_ID}', kind, queue_kind, queue_name, host, port, name, protocol,
             registration, registered_at FROM instances`);
    expect(await refusedBy(twin)).toBe('instances_address_key');
    const mixed = query(`UPDATE instances SET queue_kind = 'batch'`);
    expect(await refusedBy(mixed)).toBe('instances_queue_kind_fits');
  });
});

describe('the guard of task records', () => {
  it.each<[string, Columns]>([
    ['succeeded', DONE],
    ['failed', FAILED],
    ['cancelled', { ...DONE, state: 'cancelled', stop_reason: 'cancelled' }],
    ['timed_out', { ...DONE, state: 'timed_out', stop_reason: 'timed_out' }],
    ['released', { ...DONE, state: 'released', kind: 'placement' }],
  ])('keeps a record that is %s as it is', async (_, columns) => {
    await insertTask({ ...columns, result: '{"r": 1}' });
    for (const change of [
      `state = 'queued', finished_at = NULL, failure_kind = NULL, result = NULL`,
      `finished_at = now()`,
      `priority = 1`,
      `epoch = 2`,
      `updated_at = now()`,
      `result = '{"r": 2}'`,
      `task_input = '{"a":1}'`,
      `metadata = '{"a":1}'`,
    ]) {
      expect(await refusedBy(query(`UPDATE tasks SET ${change}`))).toBe('tasks_terminal_is_final');
    }
    await query('UPDATE tasks SET priority = priority');
    await query('UPDATE tasks SET result = NULL');
    await query('UPDATE tasks SET task_input = NULL, metadata = NULL');
    expect(await refusedBy(query(`UPDATE tasks SET result = '{"r": 1}'`))).toBe(
      'tasks_terminal_is_final',
    );
    await query('DELETE FROM tasks');
  });

  it('never lets the number of attempts fall', async () => {
    await insertTask({ attempt_no: 2 });
    await query('UPDATE tasks SET attempt_no = 3');
    expect(await refusedBy(query('UPDATE tasks SET attempt_no = 2'))).toBe(
      'tasks_attempt_no_never_falls',
    );
  });
});

const NEWEST = 'ORDER BY submitted_at DESC, id DESC LIMIT 10';

describe('indexes', () => {
  it.each([
    ['tasks_client_key', `SELECT * FROM tasks WHERE kind = 'model' AND client_task_id = 'c'`],
    [
      'tasks_client_key',
      `SELECT * FROM tasks WHERE kind = 'batch' AND client_task_id = ANY ('{a,b,c,d,e,f,g,h}'::text[])`,
    ],
    [
      'tasks_live_placement_key',
      `SELECT * FROM tasks WHERE kind = 'placement' AND client_task_id = 'c' AND finished_at IS NULL`,
    ],
    [
      'tasks_live_placement_key',
      `SELECT * FROM tasks WHERE kind = 'placement' AND client_task_id = ANY ('{a,b}'::text[]) AND finished_at IS NULL`,
    ],
    [
      'tasks_live',
      `SELECT * FROM tasks WHERE finished_at IS NULL AND state = 'queued' AND id > '${ID}' ORDER BY id LIMIT 10`,
    ],
    ['tasks_live_of_kind', `SELECT * FROM tasks WHERE kind = 'batch' AND ${LISTED_LIVE} ${NEWEST}`],
    [
      'tasks_live_placed',
      `SELECT * FROM tasks WHERE finished_at IS NULL AND instance_id IS NOT NULL ${NEWEST}`,
    ],
    [
      'tasks_finished_of_kind',
      `SELECT * FROM tasks WHERE kind = 'model' AND finished_at IS NOT NULL ${NEWEST}`,
    ],
    [
      'tasks_finished_of_queue',
      `SELECT * FROM tasks WHERE queue_name = 'm' AND finished_at IS NOT NULL ${NEWEST}`,
    ],
    [
      'tasks_finished_on_instance',
      `SELECT * FROM tasks WHERE instance_id = '${ID}' AND finished_at IS NOT NULL ${NEWEST}`,
    ],
    [
      'tasks_failed',
      `SELECT * FROM tasks WHERE finished_at IS NOT NULL AND failure_kind IS NOT NULL ${NEWEST}`,
    ],
    [
      'tasks_stopped',
      `SELECT * FROM tasks WHERE finished_at IS NOT NULL AND stop_reason = 'cancelled' ${NEWEST}`,
    ],
    [
      'tasks_finished_with_payload',
      `SELECT id FROM tasks WHERE finished_at < now() AND finished_at IS NOT NULL
          AND task_input IS NOT NULL ORDER BY finished_at LIMIT 10`,
    ],
    [
      'tasks_finished_without_payload',
      `SELECT id FROM tasks WHERE finished_at < now() AND finished_at IS NOT NULL
          AND task_input IS NULL ORDER BY finished_at LIMIT 10`,
    ],
    ['tasks_jobs', `SELECT id FROM tasks WHERE job IS NOT NULL ${NEWEST}`],
    [
      'tasks_jobs_of_owner',
      `SELECT id FROM tasks WHERE job IS NOT NULL AND metadata ->> 'owner' = 'ada' ${NEWEST}`,
    ],
    [
      'tasks_jobs_of_project',
      `SELECT id FROM tasks WHERE job IS NOT NULL AND metadata ->> 'project' = 'P1' ${NEWEST}`,
    ],
    [
      'tasks_ended_jobs',
      `SELECT state FROM tasks WHERE job IS NOT NULL AND finished_at IS NOT NULL`,
    ],
    ['attempts_one_live', `SELECT instance_id FROM attempts WHERE state = 'live'`],
    ['attempts_abandoned', `SELECT task_id FROM attempts WHERE state = 'abandoned'`],
    [
      'attempts_remote_id',
      `SELECT * FROM attempts WHERE remote_id = 'r' AND instance_id = '${ID}'
        ORDER BY reserved_at DESC LIMIT 1`,
    ],
    ['task_events_seq_key', `SELECT * FROM task_events WHERE task_id = '${ID}' ORDER BY seq`],
  ])('%s serves its query', async (index, text) => {
    await query('SET enable_seqscan = off');
    expect((await planOf(text)).join('\n')).toContain(index);
  });
});

describe('plans of the journal', () => {
  it.each([INSERT_NOTES, UPDATE_TASKS])(
    'look rows up by their key, however empty the tables were then: $name',
    async ({ text }) => {
      await query('VACUUM ANALYZE tasks, task_events');
      await expectLookups(text);
    },
  );

  it.each([
    ['events', FIND_EVENTS],
    ['standings', FIND_STANDINGS],
    ['twins', FIND_TWINS],
  ])('look rows up by their key when they are planned each time: %s', async (_, { text }) => {
    await fill(5_000);
    await expectLookups(text);
  });

  async function expectLookups(text: string): Promise<void> {
    await query(SETTINGS);
    await query(`PREPARE it AS ${text}`);
    const places = new Set([...text.matchAll(/\$(\d+)/g)].map(([place]) => place));
    const nulls = [...places].map(() => 'NULL').join(', ');
    const plan = await planOf(`EXECUTE it (${nulls})`);
    const scans = plan.filter((line) => /Scan.* on (tasks|task_events)/.test(line));
    expect(scans).not.toEqual([]);
    expect(scans.filter((line) => !line.includes('Index'))).toEqual([]);
    const conditions = plan.filter((line) =>
      /Index Cond: .*(ANY \(\$\d\)|= \(\$1\)\[place)/.test(line),
    );
    expect(conditions).toHaveLength(scans.length);
    expect(plan.join('\n')).not.toContain('Nested Loop');
  }

  /** Half of them live placements, half of them finished model tasks, with one event each. */
  async function fill(tasks: number): Promise<void> {
    const columns = Object.keys(QUEUED_TASK).filter((name) => !CHOSEN.includes(name));
    await insertTask({ id: OTHER_ID });
    await query(`
      INSERT INTO tasks (id, kind, client_task_id, state, finished_at, ${columns.join(', ')})
      SELECT lpad(to_hex(n), 32, '0')::uuid, (ARRAY['model', 'placement'])[n % 2 + 1], 'c' || n,
             (ARRAY['succeeded', 'queued'])[n % 2 + 1], (ARRAY[now(), NULL])[n % 2 + 1],
             ${columns.join(', ')}
        FROM tasks, generate_series(1, ${tasks}) n`);
    await query(`
      INSERT INTO task_events (task_id, seq, type, attempt_no, at, message, epoch)
      SELECT id, 1, 'note', 0, now(), '', 1 FROM tasks`);
  }
});

const CHOSEN: readonly string[] = ['id', 'kind', 'client_task_id', 'state'];
