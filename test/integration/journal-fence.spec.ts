import { Client } from 'pg';
import { FENCE_SQL } from '../../src/persistence/journal-sql';
import { LeadershipLease } from '../../src/persistence/leadership-lease';
import { codeOf } from '../support/code-of';
import { heldOf, journalRig, PAYLOAD, type JournalRig } from '../support/journal-rig';
import { until } from '../support/until';

let rig: JournalRig;
/** Another process. */
let other: Client;

beforeEach(async () => {
  rig = await journalRig();
  other = new Client({ connectionString: rig.url, application_name: 'other' });
  await other.connect();
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await other.end();
  await rig.close();
});

async function countOf(table: string): Promise<number> {
  const [row] = await rig.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return row?.n ?? -1;
}

const TAKE_OVER = 'UPDATE leadership SET epoch = epoch + 1';

describe('a term that is over', () => {
  it('writes nothing any more, says so once, and takes nothing more', async () => {
    const first = rig.admit();
    await rig.journal.submit(first.changes, PAYLOAD);
    await other.query(TAKE_OVER);
    const second = rig.admit();
    const codes = await Promise.all([
      codeOf(rig.journal.submit(second.changes, PAYLOAD)),
      codeOf(rig.journal.append(rig.fleet.course.stop(first.task, 'cancelled', 'asked to'))),
    ]);
    expect(codes).toEqual(['not_leading', 'not_leading']);
    expect(rig.told.epochLost).toBe(1);
    expect(rig.journal.available).toBe(false);
    expect(await codeOf(rig.journal.submit(rig.admit().changes, PAYLOAD))).toBe('not_leading');
    expect([await countOf('tasks'), await countOf('task_events')]).toEqual([1, 2]);
    expect(rig.told.epochLost).toBe(1);
  });

  it('rejects what waits behind the flush that finds out', async () => {
    const narrow = await rig.openJournal({ limits: { maxBatchRows: 1 } });
    await other.query(TAKE_OVER);
    const admitted = Array.from({ length: 5 }, () => rig.admit());
    const codes = admitted.map(({ changes }) => codeOf(narrow.submit(changes, PAYLOAD)));
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['not_leading']));
    expect(await countOf('tasks')).toBe(0);
  });

  it('does not slip through while a takeover is being committed', async () => {
    await other.query('BEGIN');
    await other.query(TAKE_OVER);
    const submitted = codeOf(rig.journal.submit(rig.admit().changes, PAYLOAD));
    await until(async () => (await rig.blocked()) === 1, 'the fence');
    await other.query('COMMIT');
    expect(await submitted).toBe('not_leading');
    expect(await countOf('tasks')).toBe(0);
  });

  it('goes on when the takeover is rolled back', async () => {
    await other.query('BEGIN');
    await other.query(TAKE_OVER);
    const { changes } = rig.admit();
    const submitted = rig.journal.submit(changes, PAYLOAD);
    await until(async () => (await rig.blocked()) === 1, 'the fence');
    await other.query('ROLLBACK');
    expect(await submitted).toEqual({ kind: 'committed' });
  });

  it('keeps a takeover waiting until the flush that began before it is committed', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    await rig.query('BEGIN');
    await rig.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [task.id]);
    const confirmed = rig.journal.append(
      rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1'),
    );
    await until(async () => (await rig.blocked()) === 1, 'the flush, which holds the fence');
    const takeover = other.query(TAKE_OVER);
    await until(async () => (await rig.blocked()) >= 2, 'the takeover');
    await rig.query('COMMIT');
    await confirmed;
    await takeover;
    const end = rig.fleet.course.stop(task, 'cancelled', 'asked to');
    expect(await codeOf(rig.journal.append(end))).toBe('not_leading');
    const rows = await rig.query('SELECT state, epoch FROM tasks');
    expect(rows).toEqual([{ state: 'dispatched', epoch: '1' }]);
  });

  it('lets the next leader go on where the last one stopped', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    await other.query(TAKE_OVER);
    const next = await rig.openJournal({ epoch: 2 });
    await next.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    expect(await rig.query('SELECT epoch FROM task_events ORDER BY id')).toEqual(
      ['1', '1', '2', '2'].map((epoch) => ({ epoch })),
    );
  });
});

describe('a lease that is renewed', () => {
  it('is not held up by a transaction of its own term, which holds up a takeover', async () => {
    const options = { url: rig.url, leaseMs: 60_000, renewMs: 20, marginMs: 1_000 };
    const lease = new LeadershipLease({ ...options, logger: rig.log });
    expect(await lease.acquire()).toBe(2);
    const writer = new Client({ connectionString: rig.url, application_name: 'writer' });
    await writer.connect();
    await writer.query('BEGIN');
    expect((await writer.query(FENCE_SQL, [2])).rowCount).toBe(1);
    const seen = new Set<number>();
    await until(async () => seen.add(await renewedAt()).size > 3, 'three renewals');
    const takeover = other.query(TAKE_OVER);
    await until(async () => (await rig.blocked()) >= 1, 'the takeover, which waits');
    await writer.query('COMMIT');
    await takeover;
    expect((await writer.query(FENCE_SQL, [2])).rowCount).toBe(0);
    await writer.end();
    await lease.close();
  });

  it('is not held up by a lane that never pauses', async () => {
    const options = { url: rig.url, leaseMs: 1_000, renewMs: 50, marginMs: 200, logger: rig.log };
    const lease = new LeadershipLease(options);
    expect(await lease.acquire()).toBe(2);
    const journal = await rig.openJournal({ epoch: 2 });
    const lost: string[] = [];
    lease.onLost((reason) => lost.push(reason));
    await rig.addInstance(100);
    let busy = true;
    const writers = Array.from({ length: 20 }, async () => {
      while (busy) {
        const { task, changes } = rig.admit();
        await journal.submit(changes, PAYLOAD);
        await journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
        await journal.append(
          rig.fleet.course.ended(abandoned(task.id), { kind: 'succeeded', executionMs: 1 }).changes,
        );
        rig.fleet.forget(task);
      }
    });
    const seen = new Set<number>();
    await until(async () => seen.add(await renewedAt()).size > 20, 'twenty renewals');
    busy = false;
    await Promise.all(writers);
    expect(lost).toEqual([]);
    await lease.resign();
    await lease.close();
  }, 30_000);

  async function renewedAt(): Promise<number> {
    const [row] = await rig.query<{ renewed: number }>(
      `SELECT extract(epoch FROM renewed_at)::float8 AS renewed FROM leadership`,
    );
    return row?.renewed ?? 0;
  }

  function abandoned(id: string) {
    const held = [...rig.fleet.attempts.all()].find(
      ({ attempt }) => attempt.taskId === id && attempt.state === 'abandoned',
    );
    if (!held) throw new Error(`task ${id} has no abandoned attempt`);
    return held;
  }
});
