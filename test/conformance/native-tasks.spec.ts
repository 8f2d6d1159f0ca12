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
