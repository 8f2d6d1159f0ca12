import type { DataSource } from 'typeorm';
import { QuantileDistribution } from '../../src/core/distribution';
import type { Task } from '../../src/core/task';
import { TasksRepository } from '../../src/persistence/tasks.repository';
import { exactly, quartiles } from '../support/builders';
import {
  finish,
  heldOf,
  journalRig,
  PAYLOAD,
  submitted,
  SUCCESS,
  type JournalRig,
} from '../support/journal-rig';

let rig: JournalRig;
let source: DataSource;

beforeEach(async () => {
  rig = await journalRig(1);
  source = await rig.openSource();
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await rig.close();
});

async function loaded(): Promise<Task[]> {
  const all: Task[] = [];
  await new TasksRepository(source).eachLive((page) => all.push(...page));
  return all;
}

/** How many rows of tasks were ever read; a session tells it when it rests. */
async function rowsRead(): Promise<number> {
  await source.query('SELECT pg_stat_force_next_flush()');
  const text = `SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_user_tables WHERE relname = 'tasks'`;
  return Number((await source.query<{ rows: string }[]>(text))[0]?.rows);
}

describe('what memory has to know again', () => {
  it('is every live task as it was in memory', async () => {
    await rig.addInstance(2);
    const active = await submitted(rig, {
      clientId: 'a',
      prediction: quartiles(10, 20.5, 40),
      priority: 2,
    });
    await rig.journal.append(rig.fleet.course.confirmed(heldOf(rig.fleet, active), 'r-1'));
    const lost = await submitted(rig);
    await rig.journal.append(rig.fleet.course.lost(heldOf(rig.fleet, lost), 'gone'));
    const waits = await submitted(rig);
    await finish(rig, await submitted(rig));
    const back = await loaded();
    expect(back).toHaveLength(3);
    for (const task of [active, lost, waits]) {
      const found = back.find(({ id }) => id === task.id);
      // Instants are kept to the microsecond.
      const notBefore = task.notBefore && expect.closeTo(task.notBefore, 2);
      expect(found).toEqual({ ...task, plannedOn: null, notBefore });
    }
  });

  it('begins with those that occupy an instance, in the order of their reservation', async () => {
    await rig.addInstance(2);
    const admitted = [rig.admit(), rig.admit(), rig.admit()];
    for (const { task, changes } of [...admitted].reverse()) {
      for (const { attempt } of [heldOf(rig.fleet, task)]) {
        Object.assign(attempt, { reservedAt: rig.rig.clock.now() });
      }
      rig.rig.clock.advance(10);
      await rig.journal.submit(changes, PAYLOAD);
    }
    await submitted(rig);
    const ids = (await loaded()).map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual(admitted.map(({ task }) => task.id).reverse());
  });

  it('knows ended tasks whose abandoned attempt still occupies its instance', async () => {
    const task = await submitted(rig);
    const held = heldOf(rig.fleet, task);
    await rig.journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    const note = rig.fleet.note(task, 'late_result', 'a note after the end');
    await rig.journal.append([note]);
    const [back] = await loaded();
    expect(back).toMatchObject({ id: task.id, state: 'cancelled', eventSeq: task.eventSeq });
    expect(back?.attempts).toEqual([held.attempt]);
    await rig.journal.append(rig.fleet.course.ended(held, SUCCESS).changes);
    expect(await loaded()).toEqual([]);
  });

  it('shares the levels of predictions', async () => {
    await submitted(rig, { prediction: quartiles(1, 2, 3) });
    await submitted(rig, { prediction: quartiles(2, 3, 4) });
    await submitted(rig, { prediction: exactly(7) });
    const levels = (await loaded()).map(({ prediction: { serviceTime } }) =>
      serviceTime instanceof QuantileDistribution ? serviceTime.quantiles.levels : undefined,
    );
    expect(new Set(levels).size).toBe(2);
  });

  it('comes in pages, each task once', async () => {
    await rig.query(`
      INSERT INTO tasks (id, kind, queue_name, priority, state, attempt_no, event_seq, task_input,
                         metadata, payload_bytes, prediction_method, prediction_levels,
                         prediction_quantiles, max_attempts, attempt_timeout_ms, demand_slots,
                         demand_cpu, demand_memory_gb, demand_gpu_memory_gb, submitted_at, epoch,
                         updated_at)
      SELECT lpad(to_hex(n), 32, '0')::uuid, 'model', 'm', 0, 'queued', 0, 0, '{}', '{}', 0,
             'default', '{0.5}', '{1}', 1, 1, 1, 0, 0, 0, now(), 1, now()
        FROM generate_series(1, 20005) n`);
    const readBefore = await rowsRead();
    const ids = (await loaded()).map(({ id }) => id);
    expect(ids).toHaveLength(20_005);
    expect([...new Set(ids)].sort()).toEqual(ids);
    // Twice, for the two groups, and not a share of the table per page: nobody has analysed it yet.
    expect((await rowsRead()) - readBefore).toBeLessThan(3 * 20_005);
  });

  it('passes on what fails while a page is taken in, and can be asked again', async () => {
    const task = await submitted(rig);
    await rig.journal.append(rig.fleet.course.lost(heldOf(rig.fleet, task), 'gone'));
    expect(task.state).toBe('queued');
    const defect = new Error('no instance for its attempt');
    const taking = new TasksRepository(source).eachLive((page) => {
      if (page.length > 0) throw defect;
    });
    await expect(taking).rejects.toBe(defect);
    expect((await loaded()).map(({ id }) => id)).toEqual([task.id]);
  });
});
