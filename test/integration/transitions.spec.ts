import { Client, DatabaseError } from 'pg';
import { isLegalMove, isTerminal, TASK_STATES, type TaskState } from '../../src/core/task';
import { systemIds } from '../../src/ops/system';
import { freshDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await freshDatabase();
  client = new Client({ connectionString: database.url, application_name: 'tests' });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Name of the constraint that refuses the event; undefined when it is taken. */
async function refusalOf(
  taskId: string,
  seq: number,
  from: TaskState | null,
  to: TaskState | null,
): Promise<string | undefined> {
  try {
    await client.query(
      `INSERT INTO task_events (task_id, seq, type, from_state, to_state, attempt_no, at, message, epoch)
       VALUES ($1, $2, 'step', $3, $4, 0, now(), '', 1)`,
      [taskId, seq, from, to],
    );
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseError) return error.constraint;
    throw error;
  }
}

async function newTask(): Promise<string> {
  const id = systemIds.next();
  await client.query(
    `INSERT INTO tasks (id, kind, queue_name, priority, state, attempt_no, event_seq, task_input,
                        metadata, payload_bytes, prediction_method, prediction_levels,
                        prediction_quantiles, max_attempts, attempt_timeout_ms, demand_slots,
                        demand_cpu, demand_memory_gb, demand_gpu_memory_gb, submitted_at, epoch,
                        updated_at)
     VALUES ($1, 'model', 'm', 0, 'queued', 0, 0, '{}', '{}', 0, 'default', '{0.5}', '{1}', 1, 1, 1,
             0, 0, 0, now(), 1, now())`,
    [id],
  );
  return id;
}

const SIDES: readonly (TaskState | null)[] = [null, ...TASK_STATES];
const PAIRS = SIDES.flatMap((from) => SIDES.map((to) => [from, to] as const));

describe('the table of moves', () => {
  it.each(PAIRS)('says of %s to %s what the core says', async (from, to) => {
    const isNote = from === null && to === null;
    const isLegal = isNote || (to !== null && isLegalMove(from, to));
    const refusal = await refusalOf(await newTask(), 1, from, to);
    expect(refusal).toBe(isLegal ? undefined : 'task_events_move_legal');
  });

  it('has no state that only one of the two knows', async () => {
    const { rows } = await client.query<{ definition: string }>(
      `SELECT pg_get_functiondef('refuse_impossible_tasks'::regproc) AS definition`,
    );
    const rules = (rows[0]?.definition ?? '').split('WHEN NOT');
    const [rule] = rules.flatMap((text) => text.split("THEN 'tasks_state_known'").slice(0, -1));
    const named = [...(rule ?? '').matchAll(/'(\w+)'/g)].map(([, name]) => name);
    expect([...named].sort()).toEqual([...TASK_STATES].sort());
  });

  it('refuses a state that nobody knows, on either side', async () => {
    const bogus = 'resting' as TaskState;
    const id = await newTask();
    expect(await refusalOf(id, 1, bogus, 'queued')).toBe('task_events_move_legal');
    expect(await refusalOf(id, 1, 'queued', bogus)).toBe('task_events_move_legal');
    expect(await refusalOf(id, 1, '' as TaskState, 'queued')).toBe('task_events_move_legal');
  });
});

describe('the end of a task', () => {
  const ends = PAIRS.flatMap(([from, to]) =>
    from !== null && to !== null && isTerminal(to) && isLegalMove(from, to)
      ? [[from, to] as const]
      : [],
  );

  it.each(ends)('is recorded once: a second one after %s to %s is refused', async (from, to) => {
    const id = await newTask();
    expect(await refusalOf(id, 1, from, to)).toBeUndefined();
    const refusals: (string | undefined)[] = [];
    for (const [f, t] of ends) refusals.push(await refusalOf(id, refusals.length + 2, f, t));
    expect(new Set(refusals)).toEqual(new Set(['task_events_one_end']));
    expect(await refusalOf(id, 99, null, null)).toBeUndefined();
  });

  it('numbers its events once', async () => {
    const id = await newTask();
    expect(await refusalOf(id, 1, null, null)).toBeUndefined();
    expect(await refusalOf(id, 1, null, null)).toBe('task_events_seq_key');
    expect(await refusalOf(id, 0, null, null)).toBe('task_events_seq_positive');
    expect(await refusalOf(systemIds.next(), 1, null, null)).toBe('task_events_task_fkey');
  });
});
