import { isSchedulerError } from '../../src/core/errors';
import type { Task } from '../../src/core/task';
import { JournalLane } from '../../src/persistence/journal-lane';
import { StoreUnavailableError } from '../../src/persistence/store-unavailable.error';
import type { TaskJournal } from '../../src/persistence/task-journal';
import { heldOf, journalRig, PAYLOAD, SUCCESS, type JournalRig } from '../support/journal-rig';
import { PostgresProxy } from '../support/postgres-proxy';
import { SeededRandom } from '../support/seeded-random';
import { until } from '../support/until';

let rig: JournalRig;
let proxy: PostgresProxy;
/** Goes through the proxy. */
let journal: TaskJournal;

beforeEach(async () => {
  rig = await journalRig(3);
  proxy = await PostgresProxy.listen(rig.url);
  journal = await rig.openJournal({ url: proxy.url });
});

afterEach(async () => {
  proxy.admit();
  expect(await rig.violations()).toEqual([]);
  await rig.close();
  await proxy.close();
});

/** The error of a promise that must reject with one of ours. */
async function unavailable(work: Promise<unknown>): Promise<StoreUnavailableError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StoreUnavailableError) return error;
  throw new Error(`not a StoreUnavailableError: ${String(error)}`);
}

async function typesOf({ id }: Task): Promise<string[]> {
  const text = 'SELECT type FROM task_events WHERE task_id = $1 ORDER BY seq';
  return (await rig.query<{ type: string }>(text, [id])).map(({ type }) => type);
}

describe('a connection that breaks around the commit', () => {
  it('finds that the batch was committed, and writes nothing twice', async () => {
    const { task, changes } = rig.admit();
    proxy.cutNext('after-commit');
    expect(await journal.submit(changes, PAYLOAD)).toEqual({ kind: 'committed' });
    expect(proxy.cuts).toBe(1);
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
    proxy.cutNext('after-commit');
    await journal.append(rig.fleet.course.ended(heldOf(rig.fleet, task), SUCCESS).changes, '{}');
    expect(proxy.cuts).toBe(2);
    expect(await typesOf(task)).toEqual(['submitted', 'reserved', 'succeeded']);
    expect(journal.stats().disconnects).toBe(2);
  });

  it('finds that the batch was not committed, and writes it', async () => {
    const { task, changes } = rig.admit();
    proxy.cutNext('before-commit');
    expect(await journal.submit(changes, PAYLOAD)).toEqual({ kind: 'committed' });
    expect(proxy.cuts).toBe(1);
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
  });

  it('does not take for its own what the next term has written', async () => {
    const { task, changes } = rig.admit();
    await journal.submit(changes, PAYLOAD);
    await rig.query('UPDATE leadership SET epoch = epoch + 1');
    await rig.query(
      `INSERT INTO task_events (task_id, seq, type, attempt_no, at, message, epoch)
       VALUES ($1, 3, 'late_result', 1, now(), 'of the next term', 2)`,
      [task.id],
    );
    proxy.cutNext('before-commit');
    const ended = journal.append(rig.fleet.course.ended(heldOf(rig.fleet, task), SUCCESS).changes);
    const answers = await Promise.allSettled([ended, journal.submit(rig.admit().changes, PAYLOAD)]);
    expect(proxy.cuts).toBe(1);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'not_leading' } });
    }
  });

  it('still tells twins apart when the answer was lost', async () => {
    const first = rig.admit({ clientId: 'same' });
    await journal.submit(first.changes, PAYLOAD);
    rig.fleet.forget(first.task);
    const second = rig.admit({ clientId: 'same' });
    const other = rig.admit();
    proxy.cutNext('after-commit');
    const answers = await Promise.all([
      journal.submit(second.changes, PAYLOAD),
      journal.submit(other.changes, PAYLOAD),
    ]);
    expect(proxy.cuts).toBe(1);
    expect(answers).toEqual([{ kind: 'duplicate', id: first.task.id }, { kind: 'committed' }]);
  });

  it('writes a note once although nothing else was in its batch', async () => {
    const { task, changes } = rig.admit();
    await journal.submit(changes, PAYLOAD);
    proxy.cutNext('after-commit');
    await journal.note({
      taskId: task.id,
      seq: null,
      type: 'foreign_result',
      from: null,
      to: null,
      attemptNo: 1,
      instanceId: null,
      wallMs: 1_700_000_000_123,
      message: 'not yours',
      operator: null,
    });
    expect(proxy.cuts).toBe(1);
    expect(await typesOf(task)).toEqual(['submitted', 'reserved', 'foreign_result']);
  });

  it('does not take an equal note from before for the batch', async () => {
    const { task, changes } = rig.admit();
    await journal.submit(changes, PAYLOAD);
    const note = (): Promise<void> =>
      journal.note({
        taskId: task.id,
        seq: null,
        type: 'foreign_result',
        from: null,
        to: null,
        attemptNo: 1,
        instanceId: null,
        wallMs: 1_700_000_000_123,
        message: 'not yours',
        operator: null,
      });
    await note();
    proxy.cutNext('before-commit');
    const other = rig.admit();
    const answers = await Promise.all([note(), journal.submit(other.changes, PAYLOAD)]);
    expect(proxy.cuts).toBe(1);
    expect(answers[1]).toEqual({ kind: 'committed' });
    expect(await typesOf(other.task)).toEqual(['submitted', 'reserved']);
    expect(await typesOf(task)).toHaveLength(4);
  });

  it('finds that the transaction which it lost sight of came through after all', async () => {
    await rig.query('BEGIN');
    await rig.query('LOCK TABLE task_events IN SHARE MODE');
    const { task, changes } = rig.admit();
    const submitted = journal.submit(changes, PAYLOAD);
    await until(async () => (await rig.blocked()) === 1, 'the first try, up to its commit');
    proxy.cutClients();
    await until(async () => (await rig.blocked()) === 2, 'the second try, which meets the first');
    await rig.query('COMMIT');
    expect(await submitted).toEqual({ kind: 'committed' });
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
    expect(journal.stats()).toMatchObject({ disconnects: 1, refused: 0 });
  });

  it('tells a submitter after a while that the outcome is unknown, and later what it was', async () => {
    const impatient = await rig.openJournal({ url: proxy.url, answerWithinMs: 50 });
    const { task, changes } = rig.admit();
    proxy.cutNext('after-commit', true);
    const error = await unavailable(impatient.submit(changes, PAYLOAD));
    expect(error.outcome).toBe('unknown');
    expect(error.message).toContain('repeat with the same task_id');
    await until(() => proxy.cuts === 1, 'the cut');
    proxy.admit();
    expect(await error.settled).toEqual({ kind: 'committed' });
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
  });

  it('writes a task of unknown outcome when it turns out not to be there', async () => {
    const impatient = await rig.openJournal({ url: proxy.url, answerWithinMs: 50 });
    const { task, changes } = rig.admit();
    proxy.cutNext('before-commit', true);
    const error = await unavailable(impatient.submit(changes, PAYLOAD));
    expect(error.outcome).toBe('unknown');
    await until(() => proxy.cuts === 1, 'the cut');
    expect(await typesOf(task)).toEqual([]);
    const confirmed = impatient.append(rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1'));
    proxy.admit();
    expect(await error.settled).toEqual({ kind: 'committed' });
    await confirmed;
    expect(await typesOf(task)).toEqual(['submitted', 'reserved', 'dispatched']);
  });
});

describe('while PostgreSQL is away', () => {
  it('turns submissions away at once, and keeps what is said of recorded tasks', async () => {
    const { task, changes } = rig.admit();
    await journal.submit(changes, PAYLOAD);
    proxy.refuse();
    await until(() => !journal.available, 'the loss of the connection');
    const error = await unavailable(journal.submit(rig.admit().changes, PAYLOAD));
    expect(error).toMatchObject({ outcome: 'not_written', details: { retryAfterSeconds: 1 } });
    const ended = journal.append(
      rig.fleet.course.ended(heldOf(rig.fleet, task), SUCCESS).changes,
      '{}',
    );
    proxy.admit();
    await ended;
    expect(await typesOf(task)).toEqual(['submitted', 'reserved', 'succeeded']);
    expect(journal.available).toBe(true);
  });

  it('turns away what was submitted but is not under way, with what was said of it since', async () => {
    const first = rig.admit();
    await rig.query('BEGIN');
    await rig.query('LOCK TABLE tasks IN SHARE MODE');
    const underWay = journal.submit(first.changes, PAYLOAD);
    await until(async () => (await rig.blocked()) === 1, 'the first flush');
    const { task, changes } = rig.admit();
    const waiting = unavailable(journal.submit(changes, PAYLOAD));
    const stop = rig.fleet.course.stop(task, 'cancelled', 'asked to');
    const later = unavailable(journal.append(stop));
    proxy.refuse();
    expect((await waiting).outcome).toBe('not_written');
    expect((await later).outcome).toBe('not_written');
    await rig.query('COMMIT');
    proxy.admit();
    expect(await underWay).toEqual({ kind: 'committed' });
    expect(await typesOf(task)).toEqual([]);
  });

  it('keeps no more than its buffer holds', async () => {
    const small = await rig.openJournal({ url: proxy.url, limits: { maxBufferedRows: 8 } });
    const { task, changes } = rig.admit();
    await small.submit(changes, PAYLOAD);
    proxy.refuse();
    await until(() => !small.available, 'the loss of the connection');
    const note = (): Promise<void> => small.append([rig.fleet.note(task, 'late_result', 'a note')]);
    expect(small.spareRows).toBe(7); // Nine tenths.
    const kept = [note()]; // Two rows each: the task's and the event's.
    expect(small.spareRows).toBe(5);
    kept.push(note(), note(), note());
    expect(small.spareRows).toBe(0);
    expect((await unavailable(note())).outcome).toBe('not_written');
    task.eventSeq--; // What was refused did not happen.
    proxy.admit();
    await Promise.all(kept);
    await note();
    expect(await typesOf(task)).toHaveLength(7);
  });

  it('keeps a quarter of its buffer for what happens to tasks that are there', async () => {
    const small = await rig.openJournal({ limits: { maxBufferedRows: 20 } });
    const { task, changes } = rig.admit();
    await small.submit(changes, PAYLOAD);
    await rig.query('BEGIN');
    await rig.query('LOCK TABLE tasks IN SHARE MODE');
    const note = (): Promise<void> => small.append([rig.fleet.note(task, 'late_result', 'a note')]);
    const notes = Array.from({ length: 6 }, note); // Two rows each: the task's and the event's.
    expect((await unavailable(small.submit(rig.admit().changes, PAYLOAD))).outcome).toBe(
      'not_written',
    );
    notes.push(...Array.from({ length: 4 }, note));
    expect((await unavailable(note())).outcome).toBe('not_written');
    task.eventSeq--; // What was refused did not happen.
    await rig.query('COMMIT');
    await Promise.all(notes);
  });

  it('gives up what is not written when it is stopped', async () => {
    const { task, changes } = rig.admit();
    await journal.submit(changes, PAYLOAD);
    proxy.refuse();
    await until(() => !journal.available, 'the loss of the connection');
    const held = heldOf(rig.fleet, task);
    const ended = unavailable(journal.append(rig.fleet.course.ended(held, SUCCESS).changes, '{}'));
    await journal.stop(50);
    expect((await ended).outcome).toBe('unknown');
  });
});

describe('failures that pass', () => {
  it.each([
    ['a deadlock', '40P01'],
    ['a failed serialisation', '40001'],
    ['a cancelled statement', '57014'],
    ['a lock that was waited for too long', '55P03'],
    ['a full disk', '53100'],
  ])('repeats the batch after %s', async (_, state) => {
    await failOnce(state);
    const { task, changes } = rig.admit();
    expect(await journal.submit(changes, PAYLOAD)).toEqual({ kind: 'committed' });
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
    expect(journal.stats().disconnects).toBe(0);
    expect(journal.available).toBe(true);
  });

  it.each([
    ['the server ends the session', '57P01'],
    ['nobody knows what went wrong', '0A000'],
  ])('gets a new connection when %s', async (_, state) => {
    await failOnce(state);
    const { task, changes } = rig.admit();
    expect(await journal.submit(changes, PAYLOAD)).toEqual({ kind: 'committed' });
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
    expect(journal.stats().disconnects).toBe(1);
  });

  it('repeats the batch whose statements all went well, and whose commit did not', async () => {
    await failOnce(
      '40001',
      'CONSTRAINT TRIGGER fail AFTER INSERT',
      'DEFERRABLE INITIALLY DEFERRED',
    );
    const { task, changes } = rig.admit();
    expect(await journal.submit(changes, PAYLOAD)).toEqual({ kind: 'committed' });
    expect(await typesOf(task)).toEqual(['submitted', 'reserved']);
    expect(await rig.query('SELECT last_value FROM failures')).toEqual([{ last_value: '3' }]);
    expect(journal.stats()).toMatchObject({ disconnects: 0, refused: 0 });
  });

  it('reads a batch back whose commit was answered by an error: it may be there', async () => {
    await failOnce(
      '53100',
      'CONSTRAINT TRIGGER fail AFTER INSERT',
      'DEFERRABLE INITIALLY DEFERRED',
    );
    const asked: string[] = [];
    const find = jest.spyOn(JournalLane.prototype, 'findRecorded').mockImplementation(() => {
      asked.push('recorded');
      find.mockRestore();
      return Promise.resolve(new Set());
    });
    expect(await journal.submit(rig.admit().changes, PAYLOAD)).toEqual({ kind: 'committed' });
    expect(asked).toEqual(['recorded']);
  });

  it('refuses a row that only the commit finds wrong', async () => {
    await failOnce(
      '23514',
      'CONSTRAINT TRIGGER fail AFTER INSERT',
      'DEFERRABLE INITIALLY DEFERRED',
    );
    const { task, changes } = rig.admit();
    await expect(journal.submit(changes, PAYLOAD)).rejects.toMatchObject({
      code: 'rejected_by_store',
    });
    expect(await typesOf(task)).toEqual([]);
  });

  /** The next event is refused with that state, and only that one: a sequence is not rolled back. */
  async function failOnce(
    state: string,
    trigger = 'TRIGGER fail BEFORE INSERT',
    when = '',
  ): Promise<void> {
    await rig.query('CREATE SEQUENCE failures');
    await rig.query(`
      CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('failures') = 1 THEN RAISE EXCEPTION 'once' USING ERRCODE = '${state}'; END IF;
        RETURN NEW;
      END $$`);
    await rig.query(
      `CREATE ${trigger} ON task_events ${when} FOR EACH ROW EXECUTE FUNCTION fail_once()`,
    );
  }
});

describe('a lane that is killed again and again', () => {
  it('loses nothing, writes nothing twice and forgets no refusal', async () => {
    await rig.addInstance(1_000); // So that every task is reserved at once.
    const random = new SeededRandom(20_261_121);
    const fates = new Map<Task, 'done' | 'not_written'>();
    let busy = true;
    const workers = Array.from({ length: 40 }, async () => {
      while (busy) await oneLife(fates);
    });
    while (fates.size < 500) {
      const { flushes } = journal.stats();
      const pause = Math.floor(random.next() * 4);
      await until(() => journal.stats().flushes >= flushes + pause, 'flushes between two kills');
      await killLane();
    }
    busy = false;
    await Promise.all(workers);
    expect(journal.stats().disconnects).toBeGreaterThan(10);
    const rows = await rig.query<{ id: string; state: string }>('SELECT id, state FROM tasks');
    const done = [...fates].flatMap(([{ id }, fate]) => (fate === 'done' ? [id] : []));
    expect(new Map(rows.map(({ id, state }) => [id, state]))).toEqual(
      new Map(done.map((id) => [id, 'succeeded'])),
    );
    const twice = 'SELECT task_id FROM task_events GROUP BY task_id HAVING count(*) <> 4';
    expect(await rig.query(twice)).toEqual([]);
  }, 60_000);

  async function killLane(): Promise<void> {
    await rig.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'foresail-journal'`,
    );
  }

  async function oneLife(fates: Map<Task, 'done' | 'not_written'>): Promise<void> {
    const { task, changes } = rig.admit();
    try {
      await journal.submit(changes, PAYLOAD);
    } catch (error) {
      const settled = error instanceof StoreUnavailableError ? await error.settled : undefined;
      if (!isSchedulerError(error, 'store_unavailable') || settled?.kind === 'duplicate')
        throw error;
      if (settled?.kind !== 'committed') {
        rig.fleet.revert(task);
        fates.set(task, 'not_written');
        return until(() => journal.available, 'the return of the connection');
      }
    }
    const held = heldOf(rig.fleet, task);
    await journal.append(rig.fleet.course.confirmed(held, `r-${task.id}`));
    await journal.append(rig.fleet.course.ended(held, SUCCESS).changes, '{}');
    rig.fleet.forget(task);
    fates.set(task, 'done');
  }
});
