import type { Task } from '../../src/core/task';
import { instanceId, taskId } from '../../src/core/units';
import { systemIds } from '../../src/ops/system';
import { rowsOf, type NewTask } from '../../src/persistence/journal-rows';
import { UPSERT_ATTEMPTS } from '../../src/persistence/journal-sql';
import { StoreUnavailableError } from '../../src/persistence/store-unavailable.error';
import { codeOf } from '../support/code-of';
import {
  finish,
  heldOf,
  journalRig,
  PAYLOAD,
  SUCCESS,
  type JournalRig,
} from '../support/journal-rig';

let rig: JournalRig;

beforeEach(async () => {
  rig = await journalRig();
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await rig.close();
});

interface EventRow {
  readonly seq: number;
  readonly type: string;
  readonly epoch: string;
}

async function eventsOf({ id }: Task): Promise<EventRow[]> {
  return rig.query<EventRow>(
    'SELECT seq, type, epoch FROM task_events WHERE task_id = $1 ORDER BY id',
    [id],
  );
}

async function stateOf({ id }: Task): Promise<string | undefined> {
  const [row] = await rig.query<{ state: string }>('SELECT state FROM tasks WHERE id = $1', [id]);
  return row?.state;
}

/** Admits, submits and finishes a task, each step committed. */
async function live(): Promise<Task> {
  const { task, changes } = rig.admit();
  await rig.journal.submit(changes, PAYLOAD);
  await rig.journal.append(rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1'));
  await finish(rig, task);
  return task;
}

describe('what is written', () => {
  it('keeps a task with its attempt, its events and the exact text of its payloads', async () => {
    const payload = { taskInput: '{"b": 1,  "a":[1.0,2e3], "b":"\\u0041"}', metadata: '{ }' };
    const { task, changes } = rig.admit({ clientId: 'mine', priority: 3, payloadBytes: 42 });
    await rig.journal.submit(changes, payload);
    const [row] = await rig.query<Record<string, unknown>>(
      `SELECT kind, client_task_id, queue_name, priority, state, attempt_no, event_seq,
              task_input::text, metadata::text, payload_bytes, instance_id, epoch
         FROM tasks WHERE id = $1`,
      [task.id],
    );
    expect(row).toEqual({
      kind: 'model',
      client_task_id: 'mine',
      queue_name: 'm',
      priority: 3,
      state: 'dispatching',
      attempt_no: 1,
      event_seq: 2,
      task_input: payload.taskInput,
      metadata: payload.metadata,
      payload_bytes: 42,
      instance_id: task.attempts[0]?.instanceId,
      epoch: '1',
    });
    expect((await eventsOf(task)).map(({ type }) => type)).toEqual(['submitted', 'reserved']);
    const attempts = await rig.query('SELECT dispatch_id, state FROM attempts');
    expect(attempts).toEqual([{ dispatch_id: task.attempts[0]?.dispatchId, state: 'live' }]);
  });

  it('writes the last state and every event of what happened before one flush', async () => {
    const { task, changes } = rig.admit();
    const submitted = rig.journal.submit(changes, PAYLOAD);
    const { course } = rig.fleet;
    const held = heldOf(rig.fleet, task);
    const later = [
      rig.journal.append(course.confirmed(held, 'r-1')),
      rig.journal.append(course.started(held)),
      finish(rig, task, '{"n": 1}'),
    ];
    await Promise.all([submitted, ...later]);
    expect(rig.journal.stats().flushes).toBe(1);
    const [row] = await rig.query(
      `SELECT state, result::text, execution_ms, started_at IS NOT NULL AS started FROM tasks`,
    );
    expect(row).toEqual({
      state: 'succeeded',
      result: '{"n": 1}',
      execution_ms: 12.5,
      started: true,
    });
    const types = (await eventsOf(task)).map(({ type }) => type);
    expect(types).toEqual(['submitted', 'reserved', 'dispatched', 'running', 'succeeded']);
    expect(await rig.query('SELECT state, remote_id FROM attempts')).toEqual([
      { state: 'ended', remote_id: 'r-1' },
    ]);
  });

  it('keeps what was recorded first when a later change does not know it', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const owner = task.attempts[0]?.instanceId;
    await rig.journal.append(rig.fleet.course.lost(heldOf(rig.fleet, task), 'gone'));
    await rig.journal.append([rig.fleet.note(task, 'late_result', 'nothing new')]);
    const [row] = await rig.query(
      'SELECT state, instance_id, avoid_instance_id, not_before IS NOT NULL AS waits FROM tasks',
    );
    const expected = { state: 'queued', instance_id: owner, avoid_instance_id: owner, waits: true };
    expect(row).toEqual(expected);
  });

  it('writes a lost attempt and the next one in one flush', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const { course } = rig.fleet;
    const lost = rig.journal.append(course.lost(heldOf(rig.fleet, task), 'gone'));
    rig.rig.clock.advance(60_000);
    rig.fleet.stir();
    const { changes: placed } = rig.fleet.placeWaiting(1);
    await Promise.all([lost, rig.journal.append(placed)]);
    expect(rig.journal.stats().flushes).toBe(2);
    expect(await rig.query('SELECT attempt_no, state FROM attempts ORDER BY 1')).toEqual([
      { attempt_no: 1, state: 'lost' },
      { attempt_no: 2, state: 'live' },
    ]);
    expect(await stateOf(task)).toBe('dispatching');
  });

  it('writes the tasks of one call and of many calls in the order in which they came', async () => {
    const admitted = Array.from({ length: 20 }, () => rig.admit());
    await Promise.all(admitted.map(({ changes }) => rig.journal.submit(changes, PAYLOAD)));
    const rows = await rig.query<{ task_id: string }>(
      `SELECT task_id FROM task_events WHERE type = 'submitted' ORDER BY id`,
    );
    expect(rows.map((row) => row.task_id)).toEqual(admitted.map(({ task }) => task.id));
    expect(rig.journal.stats().flushes).toBe(1);
  });

  it('ends an abandoned attempt of an ended task without touching its record', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const held = heldOf(rig.fleet, task);
    await rig.journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    const before = await rig.query('SELECT xmin, * FROM tasks');
    await rig.journal.append(rig.fleet.course.ended(held, SUCCESS).changes);
    expect(await rig.query('SELECT xmin, * FROM tasks')).toEqual(before);
    expect(await rig.query('SELECT state FROM attempts')).toEqual([{ state: 'ended' }]);
    const types = (await eventsOf(task)).map(({ type }) => type);
    expect(types).toEqual(['submitted', 'reserved', 'stopping', 'cancelled', 'attempt_ended']);
  });

  it('keeps an attempt ended that a connection which was given up reports late', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const held = heldOf(rig.fleet, task);
    const stopped = rig.fleet.course.stop(task, 'cancelled', 'asked to');
    const late = rowsOf(stopped, task, null, null).attempts;
    expect(late.map(({ state }) => state)).toEqual(['abandoned']);
    await rig.journal.append(stopped);
    await rig.journal.append(rig.fleet.course.ended(held, SUCCESS).changes);
    await rig.query(UPSERT_ATTEMPTS.text, UPSERT_ATTEMPTS.parameters(late, 1));
    expect(await rig.query('SELECT state FROM attempts')).toEqual([{ state: 'ended' }]);
  });

  it('writes an end and what is said of it afterwards in one flush', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const held = heldOf(rig.fleet, task);
    const stopped = rig.journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    const ended = rig.journal.append(rig.fleet.course.ended(held, SUCCESS).changes);
    await Promise.all([stopped, ended]);
    expect(await stateOf(task)).toBe('cancelled');
    expect((await eventsOf(task)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('numbers notes on tasks that have left memory, and drops those on tasks that are gone', async () => {
    const task = await live();
    const note = {
      taskId: task.id,
      seq: null,
      type: 'duplicate_result',
      from: null,
      to: null,
      attemptNo: 1,
      instanceId: null,
      wallMs: 1_700_000_000_000,
      message: 'again',
      operator: null,
    } as const;
    const gone = { ...note, taskId: taskId(systemIds.next()) };
    await Promise.all([rig.journal.note(note), rig.journal.note(gone), rig.journal.note(note)]);
    await rig.journal.note({ ...note, message: 'once more' });
    expect((await eventsOf(task)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await rig.query('SELECT 1 FROM task_events WHERE task_id = $1', [gone.taskId])).toEqual(
      [],
    );
  });

  it('cuts batches at the limits, but never a task in two', async () => {
    const small = await rig.openJournal({ limits: { maxBatchRows: 6, maxBatchBytes: 1_000_000 } });
    const admitted = Array.from({ length: 9 }, () => rig.admit());
    await Promise.all(admitted.map(({ changes }) => small.submit(changes, PAYLOAD)));
    // Two of them were reserved (4 rows each), the others wait (2 rows each).
    expect(small.stats()).toMatchObject({ flushes: 4, rows: 22 });
    const narrow = await rig.openJournal({ limits: { maxBatchBytes: 1_000 } });
    const large = rig.admit({ payloadBytes: 5_000 });
    await Promise.all([
      narrow.submit(large.changes, PAYLOAD),
      narrow.submit(rig.admit().changes, PAYLOAD),
    ]);
    expect(narrow.stats().flushes).toBe(2);
  });
});

describe('client ids', () => {
  it('answers a repeat with the task that came first, and writes nothing of it', async () => {
    const first = rig.admit({ clientId: 'same' });
    expect(await rig.journal.submit(first.changes, PAYLOAD)).toEqual({ kind: 'committed' });
    rig.fleet.forget(first.task);
    const second = rig.admit({ clientId: 'same' });
    const other = rig.admit({ clientId: 'other' });
    const answers = await Promise.all([
      rig.journal.submit(second.changes, PAYLOAD),
      rig.journal.submit(other.changes, PAYLOAD),
    ]);
    expect(answers).toEqual([{ kind: 'duplicate', id: first.task.id }, { kind: 'committed' }]);
    expect(await eventsOf(second.task)).toEqual([]);
    expect(await stateOf(second.task)).toBeUndefined();
  });

  it('lets one of two twins in the same flush win', async () => {
    const one = rig.admit({ clientId: 'twin' });
    const task = { ...one.task, id: taskId(systemIds.next()), attempts: [] };
    const [entry] = one.changes;
    if (!entry) throw new Error('a submission begins with its entry');
    const twin = { task, attempts: [], event: { ...entry.event, taskId: task.id } };
    task.state = 'queued';
    task.attemptNo = 0;
    const answers = await Promise.all([
      rig.journal.submit(one.changes, PAYLOAD),
      rig.journal.submit([twin], PAYLOAD),
    ]);
    expect(answers).toEqual([{ kind: 'committed' }, { kind: 'duplicate', id: one.task.id }]);
  });

  it('refuses what is said later of a task that was a repeat', async () => {
    const first = rig.admit({ clientId: 'same' });
    await rig.journal.submit(first.changes, PAYLOAD);
    rig.fleet.forget(first.task);
    const second = rig.admit({ clientId: 'same' });
    const submitted = rig.journal.submit(second.changes, PAYLOAD);
    const stop = rig.fleet.course.stop(second.task, 'cancelled', 'changed my mind');
    const [answer, code] = await Promise.all([submitted, codeOf(rig.journal.append(stop))]);
    expect([answer.kind, code]).toEqual(['duplicate', 'duplicate_task']);
    const note = rig.fleet.note(second.task, 'late_result', 'too late');
    expect(await codeOf(rig.journal.append([note]))).toBe('duplicate_task');
  });
});

describe('rows that the database refuses', () => {
  it('refuses the one among many, and keeps all the others', async () => {
    const admitted = Array.from({ length: 100 }, (_, index) =>
      rig.admit({ clientId: index === 37 ? 'a\0b' : `c-${index}` }),
    );
    const outcomes = await Promise.allSettled(
      admitted.map(({ changes }) => rig.journal.submit(changes, PAYLOAD)),
    );
    const refused = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [[index, (outcome.reason as { code: string }).code]] : [],
    );
    expect(refused).toEqual([[37, 'rejected_by_store']]);
    expect(await rig.query('SELECT count(*)::int AS n FROM tasks')).toEqual([{ n: 99 }]);
    expect(rig.journal.stats().refused).toBe(1);
    expect(rig.journal.available).toBe(true);
  });

  it('keeps what was said of the task before, and takes the end without its result', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const held = heldOf(rig.fleet, task);
    const confirmed = rig.journal.append(rig.fleet.course.confirmed(held, 'r-1'));
    const end = rig.fleet.course.ended(held, SUCCESS).changes;
    const code = codeOf(rig.journal.append(end, '{"broken":'));
    await confirmed;
    expect(await code).toBe('rejected_by_store');
    expect((await eventsOf(task)).map(({ type }) => type)).not.toContain('succeeded');
    await rig.journal.append(end, null);
    expect(await stateOf(task)).toBe('succeeded');
    const types = (await eventsOf(task)).map(({ type }) => type);
    expect(types).toEqual(['submitted', 'reserved', 'dispatched', 'succeeded']);
  });

  it('refuses an impossible value before it is sent', async () => {
    const { changes } = rig.admit({ id: taskId('not-a-uuid') });
    const other = rig.admit();
    const outcomes = await Promise.all([
      codeOf(rig.journal.submit(changes, PAYLOAD)),
      rig.journal.submit(other.changes, PAYLOAD),
    ]);
    expect(outcomes).toEqual(['rejected_by_store', { kind: 'committed' }]);
  });

  it('refuses what is said of a task whose submission was refused', async () => {
    const { task, changes } = rig.admit({ clientId: '\0' });
    const submitted = rig.journal.submit(changes, PAYLOAD);
    const confirmed = rig.journal.append(
      rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1'),
    );
    expect(await Promise.all([codeOf(submitted), codeOf(confirmed)])).toEqual([
      'rejected_by_store',
      'rejected_by_store',
    ]);
    expect(await codeOf(finish(rig, task))).toBe('rejected_by_store');
  });

  it('does not accept an instance that is not in the table', async () => {
    const { changes } = rig.admit();
    const [attempt] = changes.flatMap((change) => change.attempts);
    if (!attempt) throw new Error('the task was not reserved');
    Object.assign(attempt, { instanceId: instanceId(systemIds.next()) });
    expect(await codeOf(rig.journal.submit(changes, PAYLOAD))).toBe('rejected_by_store');
  });
});

describe('tasks that are submitted together', () => {
  const many = (count: number, clientId: (index: number) => string | null): NewTask[] =>
    Array.from({ length: count }, (_, index) => ({
      changes: rig.admit({ clientId: clientId(index) }).changes,
      payload: PAYLOAD,
    }));
  const kept = (): Promise<object[]> => rig.query('SELECT count(*)::int AS n FROM tasks');

  it('are one commit, however many they are', async () => {
    const before = rig.admit();
    const answers = await Promise.all([
      rig.journal.submit(before.changes, PAYLOAD),
      ...rig.journal.submitTogether(many(700, () => null)),
    ]);
    expect(answers).toHaveLength(701);
    expect(answers.every(({ kind }) => kind === 'committed')).toBe(true);
    const [row] = await rig.query('SELECT count(DISTINCT xmin::text)::int AS n FROM tasks');
    expect(row).toEqual({ n: 1 });
  });

  it('are all refused with the one that the database refuses, and others are kept', async () => {
    const others = [rig.admit(), rig.admit()];
    const first = rig.journal.submit(others[0]!.changes, PAYLOAD);
    const codes = rig.journal
      .submitTogether(many(250, (index) => (index === 213 ? 'a\0b' : `c-${index}`)))
      .map(codeOf);
    const last = rig.journal.submit(others[1]!.changes, PAYLOAD);
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['rejected_by_store']));
    expect(await Promise.all([first, last])).toEqual([
      { kind: 'committed' },
      { kind: 'committed' },
    ]);
    expect(await kept()).toEqual([{ n: 2 }]);
    expect(rig.journal.available).toBe(true);
  });

  it('are not taken where they do not all fit into the buffer', async () => {
    const small = await rig.openJournal({ limits: { maxBufferedRows: 20 } });
    const codes = small.submitTogether(many(10, () => null)).map(codeOf);
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['store_unavailable']));
    expect(await kept()).toEqual([{ n: 0 }]);
  });
});

describe('memory and table disagree', () => {
  it('writes nothing, tells where, and ends', async () => {
    const one = rig.admit();
    const other = rig.admit();
    await rig.journal.submit(one.changes, PAYLOAD);
    await rig.journal.submit(other.changes, PAYLOAD);
    // The record is ended behind the journal's back, as only a defect could.
    await rig.query(
      `WITH ended AS (UPDATE attempts SET state = 'ended', ended_at = now() WHERE task_id = $1),
            noted AS (INSERT INTO task_events (task_id, seq, type, from_state, to_state, attempt_no,
                                               at, message, epoch)
                      VALUES ($1, 3, 'failed', 'dispatching', 'failed', 1, now(), '', 1))
       UPDATE tasks SET state = 'failed', failure_kind = 'lost', finished_at = now() WHERE id = $1`,
      [one.task.id],
    );
    const steps = [one, other].map(({ task }, index) =>
      rig.journal.append(rig.fleet.course.confirmed(heldOf(rig.fleet, task), `r-${index}`)),
    );
    expect(await Promise.all(steps.map(codeOf))).toEqual(['not_leading', 'not_leading']);
    expect(rig.told.mismatches).toEqual([
      [
        {
          taskId: one.task.id,
          wanted: { state: 'dispatched', attemptNo: 1 },
          found: { state: 'failed', attemptNo: 1, epoch: 1 },
        },
      ],
    ]);
    expect(await stateOf(other.task)).toBe('dispatching');
    expect(rig.journal.available).toBe(false);
    expect(await codeOf(rig.journal.submit(rig.admit().changes, PAYLOAD))).toBe('not_leading');
  });
});

describe('the end of the journal', () => {
  it('writes what it has, and takes nothing more', async () => {
    const admitted = Array.from({ length: 30 }, () => rig.admit());
    const written = admitted.map(({ changes }) => rig.journal.submit(changes, PAYLOAD));
    await rig.journal.stop();
    expect(await Promise.all(written)).toEqual(admitted.map(() => ({ kind: 'committed' })));
    const late = rig.journal.submit(rig.admit().changes, PAYLOAD);
    const error: unknown = await late.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error).toMatchObject({ outcome: 'not_written' });
  });
});
