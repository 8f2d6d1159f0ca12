import type { DataSource } from 'typeorm';
import { isSchedulerError } from '../../src/core/errors';
import type { Task, TaskDraft } from '../../src/core/task';
import { instant, taskId } from '../../src/core/units';
import { systemIds } from '../../src/ops/system';
import { CLEAR, ModelTasksRepository, PAGE } from '../../src/persistence/model-tasks.repository';
import { finish, heldOf, journalRig, submitted, type JournalRig } from '../support/journal-rig';

let rig: JournalRig;
let source: DataSource;
let tasks: ModelTasksRepository;
let ended: string[];

beforeEach(async () => {
  rig = await journalRig(1);
  source = await rig.openSource(3);
  ended = [];
  tasks = new ModelTasksRepository(source, { epoch: 1, end: (reason) => ended.push(reason) });
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await rig.close();
});

/** A task, a second younger than the one before it. */
function younger(overrides: Partial<TaskDraft> = {}): Promise<Task> {
  rig.rig.clock.advance(1_000);
  return submitted(rig, { submittedAt: rig.rig.clock.now(), ...overrides });
}

async function finished(): Promise<Task> {
  const task = await younger();
  await finish(rig, task, '{}');
  return task;
}

/** Finished tasks of history, a microsecond apart, of that kind. */
async function history(count: number, kind: 'model' | 'batch' = 'model'): Promise<void> {
  await rig.query(
    `INSERT INTO tasks (id, kind, queue_name, priority, state, attempt_no, event_seq, payload_bytes,
                        prediction_method, prediction_levels, prediction_quantiles, max_attempts,
                        attempt_timeout_ms, demand_slots, demand_cpu, demand_memory_gb,
                        demand_gpu_memory_gb, submitted_at, finished_at, epoch, updated_at)
     SELECT gen_random_uuid(), $2, 'm', 0, 'succeeded', 0, 0, 0, 'default', '{0.5}', '{1}', 1, 1,
            1, 0, 0, 0, '2020-01-01'::timestamptz + n * interval '1 microsecond', now(), 1, now()
       FROM generate_series(1, $1) n`,
    [count, kind],
  );
}

const clearedAll = async (): Promise<number[]> => {
  const steps: number[] = [];
  for (let next = undefined as Parameters<typeof tasks.clearSome>[0]; ;) {
    const step = await tasks.clearSome(next);
    steps.push(step.cleared);
    next = step.next;
    if (!next) return steps;
  }
};

describe('the list', () => {
  it('has live and finished tasks, the newest first, page by page', async () => {
    const all: Task[] = [await finished(), await finished(), await younger(), await younger()];
    const ids = all.map(({ id }) => id).reverse();
    expect(await tasks.page({ limit: 10, offset: 0 })).toEqual({ total: 4, ids });
    expect(await tasks.page({ limit: 2, offset: 1 })).toEqual({ total: 4, ids: ids.slice(1, 3) });
    expect(await tasks.page({ limit: 2, offset: 4 })).toEqual({ total: 4, ids: [] });
    expect(await tasks.page({ limit: 2, offset: Number.MAX_SAFE_INTEGER })).toMatchObject({
      ids: [],
    });
  });

  it('has model tasks only', async () => {
    await history(3, 'batch');
    const { id } = await finished();
    expect(await tasks.page({ limit: 10, offset: 0 })).toEqual({ total: 1, ids: [id] });
  });

  it('has an order also among tasks of one moment', async () => {
    const submittedAt = instant(rig.rig.clock.now());
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push((await younger({ submittedAt })).id);
    const pages = [];
    for (let offset = 0; offset < 5; offset += 1) {
      pages.push(...(await tasks.page({ limit: 1, offset })).ids);
    }
    expect(pages).toEqual([...ids].sort().reverse());
  });

  it('gives rows by id, and leaves out those that are gone', async () => {
    const { id } = await finished();
    const rows = await tasks.findAll([taskId(systemIds.next()), id]);
    expect(rows).toMatchObject([{ id, state: 'succeeded', result: '{}' }]);
    expect(await tasks.findAll([])).toEqual([]);
  });
});

describe('a clearance', () => {
  it('removes finished model tasks with their attempts and events, and nothing else', async () => {
    const gone = [await finished(), await finished()];
    const live = await younger();
    await history(2, 'batch');
    expect(await clearedAll()).toEqual([2]);
    const left = await rig.query<{ id: string }>(`SELECT id FROM tasks WHERE kind = 'model'`);
    expect(left).toEqual([{ id: live.id }]);
    expect(await rig.query(`SELECT FROM tasks WHERE kind = 'batch'`)).toHaveLength(2);
    const ids = gone.map(({ id }) => id);
    for (const table of ['attempts', 'task_events']) {
      expect(await rig.query(`SELECT FROM ${table} WHERE task_id = ANY ($1)`, [ids])).toEqual([]);
    }
    expect(await clearedAll()).toEqual([0]);
  });

  it('goes step by step, also where the clock of JavaScript sees one moment', async () => {
    await history(1_200);
    expect(await clearedAll()).toEqual([500, 500, 200]);
    await history(500);
    expect(await clearedAll()).toEqual([500, 0]);
  });

  it('counts each task once when two go on at once', async () => {
    await history(2_000);
    const both = await Promise.all([clearedAll(), clearedAll()]);
    expect(both.flat().reduce((sum, cleared) => sum + cleared, 0)).toBe(2_000);
    expect((await tasks.page({ limit: 1, offset: 0 })).total).toBe(0);
  });

  it('leaves a task alone whose attempt still occupies its instance, and passes it by', async () => {
    const task = await younger();
    const held = heldOf(rig.fleet, task);
    await rig.journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    await history(600);
    expect(await clearedAll()).toEqual([500, 100]);
    expect(await tasks.page({ limit: 9, offset: 0 })).toEqual({ total: 1, ids: [task.id] });
    const outcome = { kind: 'succeeded', executionMs: 1 } as const;
    await rig.journal.append(rig.fleet.course.ended(held, outcome).changes);
    expect(await clearedAll()).toEqual([1]);
  });

  it('is not done by a term that is over', async () => {
    await finished();
    await rig.query('UPDATE leadership SET epoch = 2');
    const error: unknown = await tasks.clearSome().catch((reason: unknown) => reason);
    expect(isSchedulerError(error, 'not_leading')).toBe(true);
    expect(ended).toEqual(['another process has begun a term']);
    expect((await tasks.page({ limit: 1, offset: 0 })).total).toBe(1);
  });
});

describe('the plans', () => {
  it.each([
    ['page', PAGE, ['10', '20']],
    ['clearance', CLEAR, [`'-infinity'`, `'00000000-0000-0000-0000-000000000000'`]],
  ])('of a %s go through indexes where it is worth it', async (_what, text, values) => {
    await history(5_000);
    await rig.query('VACUUM ANALYZE tasks');
    await rig.query('SET enable_seqscan = off');
    const [first = '', second = ''] = values;
    const statement = text.replaceAll('$1', first).replaceAll('$2', second);
    const lines = await rig.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`);
    const scans = lines
      .map((line) => line['QUERY PLAN'])
      .filter((line) => line.includes(' on tasks'));
    expect(scans).toContainEqual(expect.stringContaining('Index Only Scan'));
    expect(scans.filter((line) => line.includes('Seq Scan'))).toEqual([]);
  });
});
