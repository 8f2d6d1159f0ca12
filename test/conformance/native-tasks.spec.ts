import { ConformanceRig, UUID } from '../support/conformance-rig';
import type { Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(120_000);

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const NOBODY = '01900000-0000-7000-8000-000000000000';

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

const listed = async (query: string): Promise<Json[]> => {
  const { status, body } = await rig.get(`/v1/tasks?${query}`);
  expect([status, body]).toEqual([200, expect.objectContaining({ tasks: expect.any(Array) })]);
  return body.tasks as Json[];
};
const namesIn = (tasks: Json[]): string[] =>
  tasks.map(({ client_task_id: name }: { client_task_id: string }) => name);

describe('GET /v1/tasks', () => {
  let instanceId: string;

  beforeAll(async () => {
    const [instance, id] = await rig.registered({ name: 'gpu7', model: 'list' });
    instanceId = id;
    for (const name of ['done', 'here-1', 'here-2', 'waits-1', 'waits-2']) {
      await rig.submit(name, { model_name: 'list' });
    }
    await until(() => instance.given.length > 0, 'the first task to be sent');
    instance.finish(instance.given[0]!.remoteId, { ok: true });
    await rig.completed('done');
    // One runs, and one was sent ahead: an instance like the original's never notifies.
    await until(
      async () => namesIn(await listed('state=dispatched')).join() === 'here-2,here-1',
      'the next tasks to be at the instance',
    );
  });

  it('lists live and finished tasks, newest first', async () => {
    const { status, headers, body } = await rig.get('/v1/tasks');
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(namesIn(body.tasks)).toEqual(['waits-2', 'waits-1', 'here-2', 'here-1', 'done']);
    expect(body.next_cursor).toBeNull();
    expect((body.tasks as Json[]).at(-1)).toEqual({
      id: expect.stringMatching(UUID),
      client_task_id: 'done',
      kind: 'model',
      model: 'list',
      state: 'succeeded',
      instance_id: instanceId,
      attempt: 1,
      submitted_at: ISO_TIME,
      started_at: ISO_TIME,
      finished_at: ISO_TIME,
      execution_ms: 1,
      wait_ms: expect.any(Number),
      failure: null,
    });
    expect(body.tasks[0]).toMatchObject({
      state: 'queued',
      instance_id: null,
      attempt: 0,
      started_at: null,
      finished_at: null,
      execution_ms: null,
      wait_ms: null,
    });
  });

  it('goes on behind the last one', async () => {
    const first = (await rig.get('/v1/tasks?limit=2')).body;
    expect(namesIn(first.tasks)).toEqual(['waits-2', 'waits-1']);
    await rig.submit('comes-between', { model_name: 'list' });
    const second = (await rig.get(`/v1/tasks?limit=2&cursor=${first.next_cursor}`)).body;
    expect(namesIn(second.tasks)).toEqual(['here-2', 'here-1']);
    const third = (await rig.get(`/v1/tasks?limit=2&cursor=${second.next_cursor}`)).body;
    expect([namesIn(third.tasks), third.next_cursor]).toEqual([['done'], null]);
    await rig.post('/v1/tasks/comes-between/cancel', {});
  });

  it.each([
    ['state=queued', ['waits-2', 'waits-1']],
    ['state=succeeded,dispatched', ['here-2', 'here-1', 'done']],
    ['state=live', ['waits-2', 'waits-1', 'here-2', 'here-1']],
    ['state=finished', ['comes-between', 'done']],
    ['state=finished&state-of=mind', ['comes-between', 'done']],
    ['state=failed', []],
    ['state=cancelled', ['comes-between']],
    ['kind=model&state=succeeded', ['done']],
    ['kind=batch', []],
    ['queue=list&state=succeeded', ['done']],
    ['queue=nobody', []],
    ['instance=gpu7', ['here-2', 'here-1', 'done']],
    [`instance=${NOBODY}`, []],
    ['createdAfter=1h&state=succeeded', ['done']],
    ['createdBefore=1h', []],
    ['createdAfter=2999-01-01', []],
    ['createdBefore=2999-01-01T00:00:00Z&state=succeeded', ['done']],
  ])('filters by %s', async (query, names) => {
    expect(namesIn(await listed(query))).toEqual(names);
  });

  it('knows an instance by any of its names', async () => {
    const { host, port } = (await rig.get('/v1/instances')).body.instances[0];
    for (const ref of [instanceId, `${host}:${port}`]) {
      expect(namesIn(await listed(`instance=${ref}`))).toEqual(['here-2', 'here-1', 'done']);
    }
  });

  it.each([
    ['state=done', 'state'],
    ['state=', 'state'],
    ['state=failed,,queued', 'state'],
    ['kind=job', 'kind'],
    ['queue=', 'queue'],
    [`queue=${'x'.repeat(513)}`, 'queue'],
    ['instance=', 'instance'],
    ['createdAfter=yesterday', 'createdAfter'],
    ['createdAfter=2026-11-21T10:00:00', 'createdAfter'],
    ['createdBefore=', 'createdBefore'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=many', 'limit'],
    ['cursor=', 'cursor'],
    ['cursor=eyJ9', 'cursor'],
    [`cursor=${Buffer.from('["tasks",1,"x"]').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('["instances",1]').toString('base64url')}`, 'cursor'],
    ['queue=%00', 'queue'],
    ['state=live&state=failed', 'state'],
  ])('refuses %s', async (query, name) => {
    const { status, headers, body } = await rig.get(`/v1/tasks?${query}`);
    expect([status, headers['content-type']]).toEqual([422, 'application/problem+json']);
    expect(body).toMatchObject({ code: 'invalid_input', errors: [{ loc: ['query', name] }] });
  });

  it('knows an instance that was removed, as it was called last', async () => {
    const [instance] = await rig.registered({ name: 'gone', model: 'gone' });
    await rig.submit('left', { model_name: 'gone' });
    await until(() => instance.given.length > 0, 'the task to be sent');
    instance.finish(instance.given[0]!.remoteId, { ok: true });
    await rig.completed('left');
    const { host, port } = instance;
    await rig.post('/ti/remove', { host, port });
    for (const ref of ['gone', `${host}:${port}`]) {
      expect(namesIn(await listed(`instance=${ref}`))).toEqual(['left']);
    }
  });

  it('knows no instance of which it never heard', async () => {
    const { status, body } = await rig.get('/v1/tasks?instance=gpu99');
    expect([status, body.code]).toEqual([404, 'unknown_instance']);
    expect(body.detail).toContain('"gpu99"');
  });
});

const lastEvent = ({ events }: { events: Json[] }): Json => events.at(-1);

describe('POST /v1/tasks/{id}/cancel', () => {
  it('cancels a task that waits, says who did it and why, and shows it', async () => {
    await rig.registered({ model: 'cancel' });
    for (const name of ['first', 'second', 'third']) {
      await rig.submit(name, { model_name: 'cancel' });
    }
    const { status, headers, body } = await rig.post('/v1/tasks/third/cancel', {
      reason: 'not needed',
    });
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toMatchObject({ client_task_id: 'third', state: 'cancelled', failure: null });
    expect(lastEvent(body)).toMatchObject({
      type: 'cancelled',
      from: 'queued',
      to: 'cancelled',
      message: 'cancelled by 127.0.0.1: not needed',
    });
    expect((await rig.get('/v1/tasks/third')).body).toEqual(body);
    expect((await rig.query('third')).task_status).toBe('completed');
  });

  it('takes no body for an empty one', async () => {
    await rig.submit('no-body', { model_name: 'cancel' });
    const { status, body } = await rig.service.send(
      'POST',
      '/v1/tasks/no-body/cancel',
      undefined,
      {},
    );
    expect([status, lastEvent(body).message]).toEqual([200, 'cancelled by 127.0.0.1']);
  });

  it('refuses what has ended, and changes nothing', async () => {
    await rig.submit('twice', { model_name: 'cancel' });
    expect((await rig.post('/v1/tasks/twice/cancel', {})).status).toBe(200);
    const before = await rig.rows();
    const { status, headers, body } = await rig.post('/v1/tasks/twice/cancel', {});
    expect([status, headers['content-type']]).toEqual([409, 'application/problem+json']);
    expect(body).toMatchObject({
      code: 'forbidden_transition',
      detail: 'task "twice" is cancelled: it has ended, and stays so',
    });
    expect(await rig.rows()).toEqual(before);
  });

  it('is done once, whoever else asks at the same moment', async () => {
    await rig.submit('at-once', { model_name: 'cancel' });
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => rig.post('/v1/tasks/at-once/cancel', {})),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    for (const { status, body } of answers) {
      if (status === 409) expect(body.detail).toContain('is cancelled');
    }
  });

  it.each([
    ['nobody', '{}', 404, 'unknown_task'],
    ['%00', '{}', 422, 'invalid_input'],
    ['x'.repeat(513), '{}', 422, 'invalid_input'],
    ['nobody', '{"reason":1}', 422, 'invalid_input'],
    ['nobody', `{"reason":"${'x'.repeat(501)}"}`, 422, 'invalid_input'],
    ['nobody', '[]', 422, 'invalid_input'],
    ['nobody', '{', 400, 'malformed_body'],
  ])('refuses %s %s', async (id, text, status, code) => {
    const answer = await rig.service.send('POST', `/v1/tasks/${id}/cancel`, text);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it.each(['GET', 'PUT', 'DELETE'])('is not there for %s', async (method) => {
    const { status, headers } = await rig.service.send(method, '/v1/tasks/x/cancel');
    expect([status, headers['allow']]).toEqual([405, 'POST']);
  });
});

describe('GET /v1/tasks/{id}: why it waits, and when it will run', () => {
  const shown = async (name: string): Promise<Json> => (await rig.get(`/v1/tasks/${name}`)).body;
  const FORECAST = {
    start_p50: ISO_TIME,
    start_p90: ISO_TIME,
    end_p50: ISO_TIME,
    end_p90: ISO_TIME,
  };
  /** Long, so that nobody is asked for a result, and times are told apart. */
  const submit = (name: string, model: string, predictedMs = 100_000): Promise<Json> =>
    rig.submit(name, { model_name: model, metadata: { predicted_ms: predictedMs } });
  const timesOf = ({ forecast }: { forecast: Record<string, string> }): number[] =>
    ['start_p50', 'end_p50'].map((name) => Date.parse(forecast[name]!));

  it('tells of a task that runs, of those behind it, and of one that has ended', async () => {
    const [instance, id] = await rig.registered({ model: 'soon' });
    // One runs, and one is sent ahead: an instance like the original's never notifies.
    for (const name of ['soon-1', 'soon-2', 'soon-3', 'soon-4']) await submit(name, 'soon');
    await until(() => instance.given.length === 2, 'two tasks to be at the instance');

    const [runs, ahead, third, fourth] = await Promise.all(
      ['soon-1', 'soon-2', 'soon-3', 'soon-4'].map(shown),
    );
    for (const task of [runs, ahead]) {
      expect(task).toMatchObject({ waiting: null, forecast: FORECAST });
    }
    const waiting = { because: { busy: 1 }, planned_instance_id: id };
    expect(third).toMatchObject({ state: 'queued', waiting: { ...waiting, ahead: 0 } });
    expect(fourth).toMatchObject({ state: 'queued', waiting: { ...waiting, ahead: 1 } });
    expect(fourth.forecast).toEqual(FORECAST);

    const [began, ends] = timesOf(runs);
    expect(began).toBe(Date.parse(runs.attempts[0].running_since));
    // But for what rounding to ms takes; the others follow one after the other.
    expect(Math.abs(ends! - began! - 100_000)).toBeLessThanOrEqual(2);
    [ahead, third, fourth].forEach((task, i) => {
      const [start, end] = timesOf(task);
      expect(Math.abs(start! - ends! - i * 100_000)).toBeLessThanOrEqual(2);
      expect(Math.abs(end! - start! - 100_000)).toBeLessThanOrEqual(2);
    });

    await rig.post('/v1/tasks/soon-4/cancel', {});
    expect(await shown('soon-4')).toMatchObject({ waiting: null, forecast: null });
  });

  it('has nothing to say of a task that has succeeded', async () => {
    const [instance] = await rig.registered({ model: 'ended' });
    await submit('ended', 'ended', 10);
    await until(() => instance.given.length === 1, 'the task to be sent');
    instance.finish(instance.given[0]!.remoteId, { ok: true });
    await rig.completed('ended');
    expect(await shown('ended')).toMatchObject({
      state: 'succeeded',
      waiting: null,
      forecast: null,
    });
  });

  it('says that there are no replicas', async () => {
    const [, id] = await rig.registered({ model: 'none', slots: 1 });
    await rig.post(`/v1/instances/${id}/models/stop`, {});
    await submit('none', 'none');
    expect(await shown('none')).toMatchObject({
      state: 'queued',
      waiting: { because: { no_replicas: 1 }, ahead: 0 },
      forecast: null,
    });
  });

  it('says that the queue is paused', async () => {
    const [, id] = await rig.registered({ model: 'held' });
    await rig.post('/v1/queues/held/pause', {});
    await submit('held-1', 'held');
    await submit('held-2', 'held');
    expect(await shown('held-2')).toMatchObject({
      waiting: { because: { paused: 1 }, planned_instance_id: id, ahead: 1 },
      forecast: null,
    });
    await rig.post('/v1/queues/held/resume', {});
    await until(async () => (await shown('held-1')).waiting === null, 'the first to be placed');
    expect(await shown('held-1')).toMatchObject({ forecast: FORECAST });
  });
});

describe('GET /v1/tasks/{id}: why it went where it went', () => {
  const attemptsOf = async (name: string): Promise<Json[]> =>
    (await rig.get(`/v1/tasks/${name}`)).body.attempts as Json[];

  it('tells what the strategy knew when a slot was reserved', async () => {
    const [, busyId] = await rig.registered({ model: 'chosen' });
    // One runs, and one is sent ahead: an instance like the original's never notifies.
    for (const name of ['chosen-1', 'chosen-2']) {
      await rig.submit(name, { model_name: 'chosen', metadata: { predicted_ms: 100_000 } });
    }
    const [, drainedId] = await rig.registered({ model: 'chosen' });
    await rig.post(`/v1/instances/${drainedId}/drain`, {});
    const [, freeId] = await rig.registered({ model: 'chosen' });
    await rig.submit('chosen-3', { model_name: 'chosen', metadata: { predicted_ms: 100_000 } });

    const [first, second, third] = await Promise.all(
      ['chosen-1', 'chosen-2', 'chosen-3'].map(attemptsOf),
    );
    expect(first).toMatchObject([
      {
        instance_id: busyId,
        decision: {
          strategy: 'earliest',
          decided_at: ISO_TIME,
          candidates: 1,
          wait_ms: 0,
          completion_ms: 100_000,
          runner_up: null,
          unfit_because: {},
        },
      },
    ]);
    expect(Object.keys(first![0].decision).sort()).toEqual([
      'candidates',
      'completion_ms',
      'decided_at',
      'runner_up',
      'strategy',
      'unfit_because',
      'wait_ms',
    ]);
    const [{ decision: ahead }] = second as [Json];
    expect(ahead).toMatchObject({ candidates: 1, runner_up: null });
    expect(ahead.wait_ms).toBeGreaterThan(0);
    expect(ahead.completion_ms - ahead.wait_ms).toBeCloseTo(100_000, 6);
    expect(third).toMatchObject([
      { instance_id: freeId, decision: { unfit_because: { draining: 1, busy: 1 } } },
    ]);
  });

  it('keeps what it knew when a task was bound early, through a restart', async () => {
    const [instance, id] = await rig.registered({ model: 'bound' });
    await rig.patch('/v1/queues/bound', { strategy: 'shortest_queue' });
    // The first is short, so that its result is asked for soon.
    for (const [name, ms] of [
      ['bound-1', 10],
      ['bound-2', 60_000],
      ['bound-3', 60_000],
    ] as const) {
      await rig.submit(name, { model_name: 'bound', metadata: { predicted_ms: ms } });
    }
    await until(() => instance.given.length === 2, 'two tasks to be at the instance');
    const [, other] = await rig.registered({ model: 'bound' });
    expect(await attemptsOf('bound-3')).toEqual([]);
    instance.finish(instance.given[0]!.remoteId, {});
    await until(async () => (await attemptsOf('bound-3')).length === 1, 'the third to be sent');
    const [{ decision, instance_id: at, reserved_at: reserved }] = (await attemptsOf(
      'bound-3',
    )) as [Json];
    expect(at).toBe(id);
    expect(at).not.toBe(other);
    // Bound when there was one instance, behind two tasks.
    expect(decision).toMatchObject({ strategy: 'shortest_queue', candidates: 1, runner_up: null });
    expect(decision.wait_ms).toBeGreaterThanOrEqual(60_000);
    expect(Date.parse(decision.decided_at)).toBeLessThan(Date.parse(reserved));
    await rig.restart();
    expect((await attemptsOf('bound-3'))[0].decision).toEqual(decision);
  });
});
