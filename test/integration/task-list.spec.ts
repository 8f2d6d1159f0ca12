import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { isTerminal, type TaskKind, type TaskState } from '../../src/core/task';
import { instanceId, type InstanceId } from '../../src/core/units';
import { createDataSource } from '../../src/persistence/data-source';
import {
  TaskListRepository,
  type ListedTask,
  type TaskListFilter,
} from '../../src/persistence/task-list.repository';
import { freshDatabase, type TestDatabase } from '../support/database';
import { SeededRandom } from '../support/seeded-random';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 21);
const KINDS: readonly TaskKind[] = ['model', 'batch', 'placement'];
const QUEUES = ['a', 'b'];
const INSTANCES = [1, 2].map((n) => instanceId(`00000000-0000-7000-8000-00000000000${n}`));
const STATES: readonly TaskState[] = [
  'queued',
  'dispatched',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'released',
];

/** A row as the test made it. */
interface Made {
  readonly id: string;
  readonly kind: TaskKind;
  readonly queue: string;
  readonly state: TaskState;
  readonly instance: InstanceId | null;
  readonly submittedUs: number;
}

let database: TestDatabase;
let client: Client;
let source: DataSource;
let list: TaskListRepository;
let made: readonly Made[];

beforeAll(async () => {
  database = await freshDatabase();
  client = new Client({ connectionString: database.url, application_name: 'tests' });
  await client.connect();
  source = await createDataSource(database.url, { poolSize: 2 }).initialize();
  list = new TaskListRepository(source);
  made = await fill(600);
});

afterAll(async () => {
  await source.destroy();
  await client.end();
  await database.drop();
});

/** Many tasks within few microseconds of each other: the place of each depends on its id too. */
async function fill(count: number): Promise<Made[]> {
  const random = new SeededRandom(7);
  const one = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!;
  const rows: Made[] = [];
  for (let n = 0; n < count; n++) {
    const state = one(STATES);
    const kind = state === 'released' ? 'placement' : one(KINDS);
    const id = `01900000-0000-7000-8000-${Math.floor(random.next() * 1e12)
      .toString()
      .padStart(12, '0')}`;
    const instance = state === 'queued' ? null : one(INSTANCES);
    const submittedUs = (START_MS + one([0, 1, 2]) * HOUR_MS) * 1_000 + one([0, 1, 2, 999]);
    const row = { id, kind, queue: one(QUEUES), state, instance, submittedUs };
    rows.push(row);
    await insert(row);
  }
  return rows;
}

async function insert({ id, kind, queue, state, instance, submittedUs }: Made): Promise<void> {
  const isStopped = state === 'cancelled' || state === 'timed_out';
  await client.query(
    `INSERT INTO tasks (id, kind, queue_name, priority, state, attempt_no, event_seq, instance_id,
                        task_input, metadata, payload_bytes, prediction_method, prediction_levels,
                        prediction_quantiles, max_attempts, attempt_timeout_ms, demand_slots,
                        demand_cpu, demand_memory_gb, demand_gpu_memory_gb, stop_reason,
                        failure_kind, failure_message, submitted_at, started_at, finished_at,
                        execution_ms, epoch, updated_at)
     SELECT $1, $2, $3, 0, $4::text, 1, 0, $5, '{}', '{}', 0, 'default', '{0.5}', '{1}', 1, 1, 1, 0,
            0, 0, $6, $7, $8, at, at + interval '15.5 ms',
            CASE WHEN $9 THEN at + interval '1 s' END, 7.5, 1, now()
       FROM (SELECT timestamptz 'epoch' + $10 * interval '1 microsecond') t(at)`,
    [
      id,
      kind,
      queue,
      state,
      instance,
      isStopped ? state : null,
      state === 'failed' ? 'lost' : null,
      state === 'failed' ? 'gone' : null,
      isTerminal(state),
      submittedUs,
    ],
  );
}

/** What the list should say, found without it. */
function expected({ states, kind, queueName, instanceId: at, ...when }: TaskListFilter): string[] {
  const from = (when.submittedFrom?.getTime() ?? 0) * 1_000;
  const before = (when.submittedBefore?.getTime() ?? Number.POSITIVE_INFINITY) * 1_000;
  return made
    .filter((task) => states?.includes(task.state) ?? true)
    .filter((task) => kind === undefined || task.kind === kind)
    .filter((task) => queueName === undefined || task.queue === queueName)
    .filter((task) => at === undefined || task.instance === at)
    .filter(({ submittedUs }) => submittedUs >= from && submittedUs < before)
    .sort((a, b) => b.submittedUs - a.submittedUs || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
}

/** Every id, page by page. */
async function paged(filter: TaskListFilter, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let last: ListedTask | undefined;
  do {
    const behind = last && ([last.submittedMs, last.id] as const);
    const page = await list.newest(filter, behind, limit);
    ids.push(...page.map(({ id }) => id));
    last = page.length < limit ? undefined : page.at(-1);
  } while (last);
  return ids;
}

const [A] = INSTANCES as [InstanceId];
const LIVE: readonly TaskState[] = ['queued', 'dispatching', 'dispatched', 'running'];
const FINISHED = STATES.filter(isTerminal);
const FROM = { submittedFrom: new Date(START_MS + HOUR_MS) };
const BEFORE = { submittedBefore: new Date(START_MS + 2 * HOUR_MS) };

const FILTERS: readonly TaskListFilter[] = [
  {},
  ...STATES.map((state) => ({ states: [state] })),
  { states: LIVE },
  { states: FINISHED },
  { states: ['queued', 'failed', 'cancelled'] },
  { kind: 'batch' },
  { kind: 'batch', states: LIVE, queueName: 'a' },
  { kind: 'placement', states: ['dispatched'], instanceId: A },
  { kind: 'model', states: ['released'] },
  { queueName: 'a' },
  { queueName: 'none' },
  { instanceId: A },
  FROM,
  BEFORE,
  { ...FROM, ...BEFORE },
  { states: ['succeeded'], kind: 'model', queueName: 'b', instanceId: A, ...FROM, ...BEFORE },
  { states: ['failed', 'timed_out'], queueName: 'a', ...FROM },
  { states: FINISHED, kind: 'placement', instanceId: A },
];

describe('the list of tasks', () => {
  it.each(FILTERS)('shows each task once, newest first: %j', async (filter) => {
    const all = expected(filter);
    expect(await paged(filter, 1_000)).toEqual(all);
    expect(await paged(filter, 17)).toEqual(all);
  });

  it('tells what the record says of a task', async () => {
    const failed = made.find(({ state }) => state === 'failed')!;
    const all = await list.newest({ states: ['failed'] }, undefined, 1_000);
    expect(all.find(({ id }) => id === failed.id)).toMatchObject({
      kind: failed.kind,
      clientId: null,
      queueName: failed.queue,
      instanceId: failed.instance,
      attemptNo: 1,
      startedAt: expect.any(Date),
      finishedAt: expect.any(Date),
      executionMs: 7.5,
      waitMs: 15.5,
      failureKind: 'lost',
      failureMessage: 'gone',
    });
  });

  it('neither repeats nor skips what stays while tasks come and end between two pages', async () => {
    const before = await list.newest({}, undefined, 300);
    const newest = START_MS * 1_000 + 5 * HOUR_MS * 1_000;
    const base = { kind: 'model', queue: 'a', instance: A } as const;
    for (const n of [1, 2, 3]) {
      const id = `01900000-0000-7000-9000-00000000000${n}`;
      await insert({ ...base, id, state: 'dispatched', submittedUs: newest + n });
    }
    await client.query(
      `UPDATE tasks SET state = 'succeeded', finished_at = now() WHERE state = 'dispatched'`,
    );
    const last = before.at(-1)!;
    const after = await list.newest({}, [last.submittedMs, last.id], 1_000);
    expect([...before, ...after].map(({ id }) => id)).toEqual(expected({}));
  });
});
