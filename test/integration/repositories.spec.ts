import type { DataSource } from 'typeorm';
import { queueKey } from '../../src/core/queue';
import type { Task } from '../../src/core/task';
import { instanceId, taskId, type InstanceId } from '../../src/core/units';
import { systemIds } from '../../src/ops/system';
import type { Term } from '../../src/ops/term';
import { createDataSource } from '../../src/persistence/data-source';
import {
  InstancesRepository,
  type InstanceRegistration,
} from '../../src/persistence/instances.repository';
import { ModelTasksRepository } from '../../src/persistence/model-tasks.repository';
import { TasksRepository } from '../../src/persistence/tasks.repository';
import { codeOf } from '../support/code-of';
import {
  finish,
  heldOf,
  journalRig,
  PAYLOAD,
  submitted,
  SUCCESS,
  type JournalRig,
} from '../support/journal-rig';
import { PostgresProxy } from '../support/postgres-proxy';

let rig: JournalRig;
let source: DataSource;
let ended: string[];
let term: Term;

beforeEach(async () => {
  rig = await journalRig(1);
  source = await rig.openSource();
  ended = [];
  term = { epoch: 1, end: (reason) => ended.push(reason) };
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await rig.close();
});

describe('instances', () => {
  let instances: InstancesRepository;

  beforeEach(() => {
    instances = new InstancesRepository(source, term);
  });

  function registration(overrides: Partial<InstanceRegistration> = {}): InstanceRegistration {
    return {
      id: instanceId(systemIds.next()),
      kind: 'task_instance',
      queue: queueKey('model', 'llama/3'),
      host: 'gpu-1',
      port: 8000,
      name: 'one',
      protocol: 'enqueue',
      isAnew: true,
      ...overrides,
    };
  }

  async function find(id: InstanceId) {
    return (await instances.all()).find((instance) => instance.id === id);
  }

  it('keeps the id of an address and counts its registrations', async () => {
    const first = await instances.register(registration());
    expect(first).toMatchObject({
      registration: 1,
      drainAsked: false,
      notifies: false,
      removed: false,
    });
    expect(first.queue).toBe('model/llama/3');
    await instances.setNotifies(first.id);
    await instances.setDrainAsked(first.id, true);
    const again = registration({ name: 'two', protocol: 'submit', queue: queueKey('model', 'm2') });
    const second = await instances.register(again);
    expect(second).toEqual({
      ...first,
      name: 'two',
      protocol: 'submit',
      queue: 'model/m2',
      registration: 2,
      notifies: true,
      drainAsked: true,
    });
    expect(await find(first.id)).toEqual(second);
    const other = await instances.register(registration({ port: 8001 }));
    expect(other.id).not.toBe(first.id);
  });

  it('gives two registrations at once one row', async () => {
    const rows = await Promise.all([
      instances.register(registration()),
      instances.register(registration()),
    ]);
    expect(rows[0].id).toBe(rows[1].id);
    expect(rows.map((row) => row.registration).sort()).toEqual([1, 2]);
  });

  it('forgets an instance that is out of service until it comes back, but not its drain', async () => {
    const { id } = await instances.register(registration());
    await instances.setDrainAsked(id, true);
    await instances.markRemoved(id);
    expect(await find(id)).toBeUndefined();
    const back = await instances.register(registration());
    expect(back).toMatchObject({ id, registration: 2, drainAsked: true, removed: false });
    await instances.setDrainAsked(id, false);
    expect(await find(id)).toMatchObject({ drainAsked: false });
  });

  it('finds the one that left last by its name or address', async () => {
    const first = await instances.register(registration({ name: 'gpu' }));
    const second = await instances.register(registration({ name: 'gpu', port: 8001 }));
    const third = await instances.register(registration({ name: 'gpu', port: 8002 }));
    expect(await instances.lastRemoved('gpu')).toBeUndefined();
    await instances.markRemoved(second.id);
    await instances.markRemoved(first.id);

    expect(await instances.lastRemoved('gpu')).toBe(first.id);
    expect(await instances.lastRemoved('gpu-1:8001')).toBe(second.id);
    expect(await instances.lastRemoved(`gpu-1:${third.port}`)).toBeUndefined();
  });

  it('keeps how fast they are, and forgets what was learned on another model', async () => {
    const seen = { declared: 2, surplus: -0.25, outcomes: 40 };
    const unseen = { declared: 1, surplus: 0, outcomes: 0 };
    const one = await instances.register(registration());
    const other = await instances.register(registration({ port: 8001 }));
    expect(one.speed).toEqual(unseen);
    await instances.saveSpeeds(new Map([[one.id, seen]]));
    expect((await find(one.id))?.speed).toEqual(seen);
    expect((await find(other.id))?.speed).toEqual(unseen);
    await instances.markRemoved(one.id);
    expect((await instances.register(registration())).speed).toEqual(seen);
    const forgotten = { ...seen, surplus: 0, outcomes: 0 };
    const elsewhere = registration({ queue: queueKey('model', 'm2') });
    expect((await instances.register(elsewhere)).speed).toEqual(forgotten);
    await instances.saveSpeeds(new Map([[one.id, seen]]));
    await instances.setQueue(one.id, queueKey('model', 'm3'));
    expect((await find(one.id))?.speed).toEqual(forgotten);
  });

  it('still knows one that is out of service while an attempt occupies it', async () => {
    const task = await submitted(rig);
    const owner = task.attempts[0]?.instanceId ?? instanceId('');
    await instances.markRemoved(owner);
    expect(await find(owner)).toMatchObject({ removed: true });
    const held = heldOf(rig.fleet, task);
    await rig.journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    expect(await find(owner)).toMatchObject({ removed: true });
    await rig.journal.append(rig.fleet.course.ended(held, SUCCESS).changes);
    expect(await find(owner)).toBeUndefined();
  });

  it('is not written by a term that is over', async () => {
    await rig.query('UPDATE leadership SET epoch = 2');
    expect(await codeOf(instances.register(registration()))).toBe('not_leading');
    expect(ended).toEqual(['another process has begun a term']);
    expect(await instances.all()).toHaveLength(1);
  });
});

describe('tasks', () => {
  let tasks: TasksRepository;

  beforeEach(() => {
    tasks = new TasksRepository(source);
  });

  it('are found by any of their names', async () => {
    const task = await submitted(rig, { clientId: 'mine' });
    await rig.journal.append(rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1'));
    const owner = task.attempts[0]?.instanceId;
    const found = [
      await tasks.findById(task.id),
      await tasks.findByClientId('model', 'mine'),
      await tasks.findByRemoteId('r-1'),
      await tasks.findByRemoteId('r-1', owner),
    ];
    expect(found.map((row) => row?.id)).toEqual(Array(4).fill(task.id));
    expect(found[0]).toMatchObject({
      state: 'dispatched',
      predictionQuantiles: [100],
    });
    expect((await tasks.timeline(task.id)).attempts).toMatchObject([
      { attemptNo: 1, state: 'live', remoteId: 'r-1' },
    ]);
    expect(await tasks.findByClientId('batch', 'mine')).toBeNull();
    // As in memory, where ids are compared as they are written.
    expect(await tasks.findById(task.id.toUpperCase())).toBeNull();
    expect(await tasks.findByRemoteId('r-1', instanceId(systemIds.next()))).toBeNull();
  });

  it('are found together, each by its own name', async () => {
    const names = ['a', 'a,b', '{a}', '"a"', `it's`, 'back\\slash', 'null', 'NULL', ' ', 'ä€😀'];
    const ids = new Map<string, string>();
    for (const clientId of names) ids.set(clientId, (await submitted(rig, { clientId })).id);
    const asked = ['unknown', ...names, ...names];
    const [byName, byId, ofAnotherKind] = await Promise.all([
      Promise.all(asked.map((name) => tasks.findByClientId('model', name))),
      Promise.all([...ids.values()].map((id) => tasks.findById(id))),
      Promise.all(names.map((name) => tasks.findByClientId('batch', name))),
    ]);
    expect(byName.map((row) => row?.id)).toEqual(asked.map((name) => ids.get(name)));
    expect(byId.map((row) => row?.clientTaskId)).toEqual(names);
    expect(ofAnotherKind).toEqual(names.map(() => null));
  });

  it.each(['', 'no-uuid', 'a\0b', '../..', systemIds.next()])(
    'are not found by %j',
    async (ref) => {
      expect(await tasks.findById(ref)).toBeNull();
      expect(await tasks.findByClientId('model', ref)).toBeNull();
      expect(await tasks.findByRemoteId(ref)).toBeNull();
    },
  );

  it('are found by the newest attempt of a remote id that was given twice', async () => {
    const first = await submitted(rig);
    await rig.journal.append(rig.fleet.course.confirmed(heldOf(rig.fleet, first), 'r-1'));
    await finish(rig, first);
    rig.rig.clock.advance(1_000);
    const second = await submitted(rig);
    await rig.journal.append(rig.fleet.course.confirmed(heldOf(rig.fleet, second), 'r-1'));
    expect((await tasks.findByRemoteId('r-1'))?.id).toBe(second.id);
  });

  it('give their payloads back exactly as they were stored', async () => {
    const { task, changes } = rig.admit();
    const payload = {
      taskInput: '{"b":1,  "a":[1.0,1e2], "b":"\\u00e4"}',
      metadata: '{"x" : null}',
    };
    await rig.journal.submit(changes, payload);
    await finish(rig, task, '{"out":  1.50}');
    expect(await tasks.payloadOf([task.id, taskId(systemIds.next())])).toEqual(
      new Map([[task.id, payload]]),
    );
    expect(await tasks.payloadOf([])).toEqual(new Map());
    expect(await tasks.findById(task.id)).toMatchObject({
      result: '{"out":  1.50}',
      executionMs: 12.5,
    });
    const [row] = await new ModelTasksRepository(source, term).findAll([task.id]);
    expect(row).not.toHaveProperty('taskInput');
  });

  it('tell what happened to them', async () => {
    const task = await submitted(rig);
    await rig.journal.append(rig.fleet.course.lost(heldOf(rig.fleet, task), 'gone'));
    const { events, attempts } = await tasks.timeline(task.id);
    expect(
      events.map(({ seq, type, fromState, toState }) => [seq, type, fromState, toState]),
    ).toEqual([
      [1, 'submitted', null, 'queued'],
      [2, 'reserved', 'queued', 'dispatching'],
      [3, 'requeued', 'dispatching', 'queued'],
    ]);
    expect(events[2]).toMatchObject({ message: 'gone', attemptNo: 1, epoch: 1 });
    expect(attempts.map(({ state }) => state)).toEqual(['lost']);
    expect(attempts[0]?.decision).toEqual(task.attempts[0]?.decision);
    expect(attempts[0]?.decision).toMatchObject({ strategy: 'earliest', candidates: 1, waitMs: 0 });
    await rig.query('UPDATE attempts SET decision = NULL');
    expect((await tasks.timeline(task.id)).attempts[0]?.decision).toBeNull();
    expect(await tasks.timeline(taskId(systemIds.next()))).toEqual({ events: [], attempts: [] });
  });
});

describe('retention', () => {
  const DAY_MS = 86_400_000;
  let tasks: TasksRepository;

  beforeEach(() => {
    tasks = new TasksRepository(source);
  });

  /** Finishes that many tasks, one a day. */
  async function history(days: number): Promise<Task[]> {
    const done: Task[] = [];
    for (let i = 0; i < days; i++) {
      const task = await submitted(rig);
      await finish(rig, task);
      rig.rig.clock.advance(DAY_MS);
      done.push(task);
    }
    return done;
  }

  function daysAgo(days: number): Date {
    return new Date(rig.rig.clock.wallMs() - days * DAY_MS - 1);
  }

  it('takes payloads, then history, in small batches and the oldest first', async () => {
    const [first, second, third, , fifth] = await history(5);
    const live = await submitted(rig);
    const limits = { payloadBefore: daysAgo(2), historyBefore: daysAgo(3), limit: 2 };
    expect(await tasks.retain(limits)).toEqual({ payloads: 2, tasks: 2 });
    expect(await tasks.retain(limits)).toEqual({ payloads: 1, tasks: 0 });
    expect(await tasks.retain(limits)).toEqual({ payloads: 0, tasks: 0 });
    expect(await tasks.findById(first?.id ?? '')).toBeNull();
    expect(await tasks.timeline(second?.id ?? taskId(''))).toEqual({ events: [], attempts: [] });
    expect(await tasks.findById(third?.id ?? '')).toMatchObject({
      state: 'succeeded',
      result: null,
    });
    expect(await tasks.findById(fifth?.id ?? '')).toMatchObject({ result: '{"ok":true}' });
    expect(await tasks.payloadOf([live.id])).toEqual(new Map([[live.id, PAYLOAD]]));
  });

  it('takes the payload with the history when the history is shorter', async () => {
    await history(3);
    const limits = { payloadBefore: daysAgo(30), historyBefore: daysAgo(1), limit: 10 };
    expect(await tasks.retain(limits)).toEqual({ payloads: 2, tasks: 2 });
  });

  it('leaves a task alone whose attempt still occupies its instance', async () => {
    const task = await submitted(rig);
    const held = heldOf(rig.fleet, task);
    await rig.journal.append(rig.fleet.course.stop(task, 'cancelled', 'asked to'));
    rig.rig.clock.advance(DAY_MS);
    const limits = { payloadBefore: daysAgo(0), historyBefore: daysAgo(0), limit: 10 };
    expect(await tasks.retain(limits)).toEqual({ payloads: 1, tasks: 0 });
    await rig.journal.append(rig.fleet.course.ended(held, SUCCESS).changes);
    expect(await tasks.retain(limits)).toEqual({ payloads: 0, tasks: 1 });
  });
});

describe('while PostgreSQL is away', () => {
  it('says so in the words of the domain', async () => {
    const proxy = await PostgresProxy.listen(rig.url);
    const behind = await createDataSource(proxy.url, { poolSize: 1 }).initialize();
    const tasks = new TasksRepository(behind);
    expect(await tasks.findByClientId('model', 'x')).toBeNull();
    proxy.refuse();
    expect(await codeOf(tasks.findByClientId('model', 'x'))).toBe('store_unavailable');
    expect(await codeOf(tasks.findByClientId('model', 'x'))).toBe('store_unavailable');
    proxy.admit();
    expect(await tasks.findByClientId('model', 'x')).toBeNull();
    await behind.destroy();
    await proxy.close();
  });
});
