import { ConformanceRig, UUID } from '../support/conformance-rig';
import type { Answer, Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(60_000);

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start({ FORESAIL_STATUS_POLL_MS: '200' });
});
afterAll(() => rig.close());

async function shown(ref: string): Promise<Json> {
  return (await rig.get(`/v1/instances/${encodeURIComponent(ref)}`)).body;
}

function expectProblem({ status, headers, body }: Answer, expected: object): void {
  expect(headers['content-type']).toBe('application/problem+json');
  expect({ status, code: body.code, detail: body.detail }).toMatchObject(expected);
  expect(body).toMatchObject({ status, instance: headers['x-request-id'] });
}

describe('GET /v1/instances', () => {
  it('lists the instances in service by model and name', async () => {
    const { body: empty } = await rig.get('/v1/instances?model=list');
    expect(empty).toEqual({ instances: [], next_cursor: null });
    const [second] = await rig.registered({ name: 'b', model: 'list', slots: 2 });
    const [first, firstId] = await rig.registered({ name: 'a', model: 'list' });
    const { status, headers, body } = await rig.get('/v1/instances?model=list&health=online');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const common = {
      id: expect.stringMatching(UUID),
      kind: 'task_instance',
      host: '127.0.0.1',
      tags: [],
      model: 'list',
      health: 'online',
      unfit_because: null,
      draining: false,
      drained_by: [],
      occupied: 0,
      waiting: 0,
      speed: 1,
      declared_speed: 1,
      speed_outcomes: 0,
      last_contact_at: ISO_TIME,
      registered_at: ISO_TIME,
    };
    expect(body).toEqual({
      instances: [
        { ...common, id: firstId, name: 'a', port: first.port, slots: 1 },
        { ...common, name: 'b', port: second.port, slots: 2 },
      ],
      next_cursor: null,
    });
    const { body: lost } = await rig.get('/v1/instances?model=list&health=lost');
    expect(lost).toEqual({ instances: [], next_cursor: null });
  });

  it('pages through them, whatever comes and goes meanwhile', async () => {
    const names = ['p1', 'p2', 'p3', 'p4', 'p5'];
    for (const name of [...names].reverse()) await rig.registered({ name, model: 'paged' });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await rig.get(`/v1/instances?model=paged&limit=2${after}`);
      const page = (body.instances as Json[]).map(({ name }: { name: string }) => name);
      expect(page.length).toBe(body.next_cursor === null ? 1 : 2);
      seen.push(...page);
      cursor = body.next_cursor;
      const [first] = body.instances as { host: string; port: number }[];
      await rig.post('/ti/remove', { host: first?.host, port: first?.port });
      await rig.registered({ name: 'p0', model: 'paged' });
    }
    expect(seen).toEqual(names);
  });

  it.each([
    ['health=fine', 'health'],
    ['model=', 'model'],
    [`model=${'x'.repeat(257)}`, 'model'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=', 'cursor'],
    ['cursor=abc', 'cursor'],
  ])('refuses %s, naming it', async (query, name) => {
    const answer = await rig.get(`/v1/instances?${query}`);
    expectProblem(answer, { status: 422, code: 'invalid_input' });
    expect(answer.body.errors).toEqual([
      { loc: ['query', name], msg: expect.stringContaining(name), type: expect.any(String) },
    ]);
  });

  it('passes over names that it does not know', async () => {
    expect((await rig.get('/v1/instances?colour=red')).status).toBe(200);
  });
});

describe('GET /v1/instances/{id}', () => {
  it('shows one, by id, address or name', async () => {
    const [instance, id] = await rig.registered({ name: 'odd/ name', model: 'one', slots: 0 });
    const body = await shown(id);
    expect(body).toMatchObject({ id, slots: 0, unfit_because: 'no_replicas' });
    for (const ref of [instance.address, instance.name]) {
      expect(await shown(ref)).toMatchObject({ id });
    }
  });

  it('has forgotten one that is out of service', async () => {
    const [{ host, port }, id] = await rig.registered({ model: 'gone' });
    await rig.post('/ti/remove', { host, port });
    expectProblem(await rig.get(`/v1/instances/${id}`), {
      status: 404,
      code: 'unknown_instance',
      detail: `no instance "${id}" is registered`,
    });
  });
});

describe('drain and undrain', () => {
  it('keep an instance from new work, until that is taken back', async () => {
    const [instance, id] = await rig.registered({ model: 'drain' });
    const drained = await rig.post(`/v1/instances/${id}/drain`, {});
    expect(drained.status).toBe(200);
    const expected = { draining: true, drained_by: ['operator'], unfit_because: 'draining' };
    expect(drained.body).toMatchObject({ id, ...expected });
    expect((await rig.post(`/v1/instances/${id}/drain`, {})).body).toMatchObject(expected);
    await rig.submit('drained', { model_name: 'drain' });
    const { host, port } = instance;
    await rig.post('/ti/register', { host, port });
    await polledAgain(id);
    expect(await shown(id)).toMatchObject({ ...expected, waiting: 1 });
    await rig.post('/ti/remove', { host, port });
    await rig.post('/ti/register', { host, port });
    expect(await shown(id)).toMatchObject(expected);
    expect(instance.given).toEqual([]);
    // Without a body, too.
    const { body } = await rig.service.send('POST', `/v1/instances/${id}/undrain`);
    expect(body).toMatchObject({ draining: false, drained_by: [], unfit_because: null });
    await until(() => instance.given.length === 1, 'the task to be sent');
  });

  it('tell an operator’s wish from a worker’s own', async () => {
    const [instance, id] = await rig.registered({ model: 'leaving' });
    instance.draining = true;
    await until(async () => (await shown(id)).draining === true, 'the worker to be asked');
    expect(await shown(id)).toMatchObject({ drained_by: ['worker'], unfit_because: 'draining' });
    const { body: both } = await rig.post(`/v1/instances/${id}/drain`, {});
    expect(both).toMatchObject({ draining: true, drained_by: ['operator', 'worker'] });
    const { status, body } = await rig.post(`/v1/instances/${id}/undrain`, {});
    expect(status).toBe(200);
    expect(body).toMatchObject({ draining: true, drained_by: ['worker'] });
    instance.draining = false;
    await until(async () => (await shown(id)).draining === false, 'the worker to be asked');
  });

  async function polledAgain(id: string): Promise<void> {
    const before = (await shown(id)).last_contact_at;
    await until(async () => (await shown(id)).last_contact_at !== before, 'a status poll');
  }
});

describe('DELETE /v1/instances/{id}', () => {
  const remove = (ref: string): Promise<Answer> =>
    rig.service.send('DELETE', `/v1/instances/${encodeURIComponent(ref)}`);

  it('takes an instance out of service that is drained and has nothing left', async () => {
    const [instance, id] = await rig.registered({ model: 'retire' });
    const { host, port } = instance;
    await rig.submit('left', { model_name: 'retire' });
    await until(() => instance.given.length === 1, 'the task to be sent');
    const refused = { status: 409, code: 'forbidden_transition' };
    expectProblem(await remove(id), {
      ...refused,
      detail: expect.stringMatching(/drain it first/),
    });
    await rig.post(`/v1/instances/${id}/drain`, {});
    expectProblem(await remove(id), {
      ...refused,
      detail: expect.stringMatching(/not over \(1\)/),
    });
    expect(await shown(id)).toMatchObject({ id, occupied: 1 });
    instance.finish(instance.given[0]?.remoteId ?? '', 'done');
    await rig.completed('left');
    const { status, body } = await remove(instance.address);
    const was = { id, occupied: 0, drained_by: ['operator'], unfit_because: 'removed' };
    expect([status, body]).toEqual([200, expect.objectContaining(was)]);
    for (const gone of [await remove(id), await rig.get(`/v1/instances/${id}`)]) {
      expectProblem(gone, { status: 404, code: 'unknown_instance' });
    }
    expect(await rig.query('left')).toMatchObject({ task_status: 'completed', scheduled_ti: id });
    await rig.post('/ti/register', { host, port });
    expect(await shown(id)).toMatchObject({ id, drained_by: ['operator'] });
  });

  it('does so with a worker that only asks for placement', async () => {
    const beat = { worker_id: 'w', address: 'a:1', max_tasks: 2, timestamp: Date.now() / 1_000 };
    const heartbeat = (): Promise<Answer> =>
      rig.post('/api/v1/heartbeat', { ...beat, current_tasks: 0 });
    const workers = async (): Promise<Json> => (await rig.get('/api/v1/workers')).body;
    await heartbeat();
    await rig.post('/api/v1/schedule', { task_id: 'placed' });
    await rig.post('/v1/instances/w/drain', {});
    expectProblem(await remove('w'), { status: 409, code: 'forbidden_transition' });
    await rig.post('/api/v1/release', { task_id: 'placed' });
    expect((await remove('w')).status).toBe(200);
    expect(await workers()).toEqual([]);
    await heartbeat();
    expect(await workers()).toMatchObject([{ WorkerID: 'w', Status: 'online', Available: 0 }]);
  });
});

describe('POST /v1/instances/{id}/models/start and stop', () => {
  it('pass the wish on, and see at once what became of it', async () => {
    const [instance, id] = await rig.registered({ model: 'grow', slots: 0 });
    await rig.submit('grown', { model_name: 'grow' });
    const config = { max_len: 1, nested: { a: [null] } };
    const start = await rig.post(`/v1/instances/${id}/models/start`, {
      count: 2,
      config,
      num_gpus_per_model: 0.5,
    });
    expect([start.status, start.body]).toEqual([
      200,
      {
        instance: expect.objectContaining({ id, slots: 2, unfit_because: null }),
        detail: 'done',
        replicas_started: 2,
        total_replicas: 2,
      },
    ]);
    await until(() => instance.given.length === 1, 'the task to be sent');
    const stop = await rig.post(`/v1/instances/${id}/models/stop`, { count: 1 });
    expect([stop.status, stop.body]).toEqual([
      200,
      {
        instance: expect.objectContaining({ id, slots: 1 }),
        detail: 'done',
        stopped_replicas: ['replica-0'],
        remaining_replicas: 1,
      },
    ]);
    const rest = await rig.service.send('POST', `/v1/instances/${id}/models/stop`);
    expect(rest.body).toMatchObject({
      instance: { slots: 0, unfit_because: 'no_replicas' },
      remaining_replicas: 0,
    });
    const again = await rig.post(`/v1/instances/${id}/models/start`, { model_type: 'other' });
    expect(again.body).toMatchObject({ instance: { id, model: 'other', slots: 1 } });
    expect(instance.wishes).toEqual([
      { model_type: 'grow', count: 2, config, num_gpus_per_model: 0.5 },
      { count: 1 },
      { count: null },
      { model_type: 'other', count: 1, config: {}, num_gpus_per_model: 0 },
    ]);
  });

  it('do so at a reference worker', async () => {
    await rig.worker('--model', 'ref', '--id', 'ref', '--replicas', '0');
    const { body } = await rig.post('/v1/instances/ref/models/start', { count: 3 });
    expect(body).toMatchObject({ instance: { slots: 3 }, replicas_started: 3, total_replicas: 3 });
    const refused = await rig.post('/v1/instances/ref/models/start', { model_type: 'x' });
    expectProblem(refused, { status: 409, code: 'refused_by_instance' });
    expect(refused.body.detail).toMatch(
      /127\.0\.0\.1:\d+, POST \/models\/start: answered 409: .*ref/,
    );
    const stopped = await rig.post('/v1/instances/ref/models/stop', { count: null });
    expect(stopped.body).toMatchObject({ instance: { slots: 0 }, remaining_replicas: 0 });
    expect(stopped.body.stopped_replicas).toHaveLength(3);
  });

  it.each([
    [400, 409, 'refused_by_instance'],
    [409, 409, 'refused_by_instance'],
    [404, 409, 'refused_by_instance'],
    [500, 502, 'unreachable_instance'],
    [503, 502, 'unreachable_instance'],
  ])('say what the instance said: %d', async (said, status, code) => {
    const [instance, id] = await rig.registered({ model: 'refusing' });
    instance.modelsStatus = said;
    for (const call of ['start', 'stop']) {
      const answer = await rig.post(`/v1/instances/${id}/models/${call}`, {});
      const detail =
        `task instance ${instance.address}, POST /models/${call}: answered ${said}: ` +
        '{"detail":"not now"';
      expectProblem(answer, { status, code, detail: expect.stringContaining(detail.slice(0, 70)) });
    }
  });

  it('say that the instance cannot be reached', async () => {
    const [instance, id] = await rig.registered({ model: 'away' });
    const { address } = instance;
    await instance.stop();
    const answer = await rig.post(`/v1/instances/${id}/models/start`, {});
    const detail = expect.stringContaining(address);
    expectProblem(answer, { status: 502, code: 'unreachable_instance', detail });
  });

  it.each([
    ['start', { count: 0 }, 'count'],
    ['start', { count: 4097 }, 'count'],
    ['start', { count: 1.5 }, 'count'],
    ['start', { count: '1' }, 'count'],
    ['start', { count: null }, 'count'],
    ['start', { model_type: '' }, 'model_type'],
    ['start', { model_type: 5 }, 'model_type'],
    ['start', { config: [] }, 'config'],
    ['start', { config: null }, 'config'],
    ['start', { num_gpus_per_model: -1 }, 'num_gpus_per_model'],
    ['stop', { count: 0 }, 'count'],
    ['stop', { count: 'all' }, 'count'],
  ])('refuse %s of %j, and ask nobody', async (call, body, field) => {
    const [instance, id] = await rig.registered({ model: 'careful' });
    const answer = await rig.post(`/v1/instances/${id}/models/${call}`, body);
    expectProblem(answer, { status: 422, code: 'invalid_input' });
    expect(answer.body.errors[0].loc).toEqual(['body', field]);
    expect(instance.wishes).toEqual([]);
  });
});

describe.each(['', '/drain', '/undrain', '/models/start', '/models/stop'])(
  '/v1/instances/{id}%s',
  (call) => {
    const methods = call === '' ? ['GET', 'DELETE'] : ['POST'];

    it.each(methods)('knows nobody of that name (%s)', async (method) => {
      const answer = await rig.service.send(method, `/v1/instances/nobody${call}`);
      const detail = 'no instance "nobody" is registered';
      expectProblem(answer, { status: 404, code: 'unknown_instance', detail });
    });

    const strange = ['%00', '%zz', 'x'.repeat(513)];
    it.each(methods.flatMap((method) => strange.map((id) => [method, id])))(
      'refuses to %s the id %s',
      async (method, id) => {
        const answer = await rig.service.send(method, `/v1/instances/${id}${call}`);
        expectProblem(answer, { status: 422, code: 'invalid_input' });
        expect(answer.body.errors[0].loc).toEqual(['path', 'id']);
      },
    );

    it('takes no other method', async () => {
      const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
      for (const other of all.filter((method) => !methods.includes(method))) {
        const answer = await rig.service.send(other, `/v1/instances/x${call}`);
        expectProblem(answer, { status: 405, code: 'method_not_allowed' });
      }
    });

    it('takes no body but JSON', async () => {
      if (!methods.includes('POST')) return;
      const path = `/v1/instances/nobody${call}`;
      expectProblem(await rig.service.send('POST', path, '{'), { code: 'malformed_body' });
      const text = { 'content-type': 'text/plain' };
      const answer = await rig.service.send('POST', path, '{}', text);
      expectProblem(answer, { status: 415, code: 'unsupported_content' });
    });
  },
);
