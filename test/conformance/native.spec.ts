import { ConformanceRig } from '../support/conformance-rig';
import { until } from '../support/until';

jest.setTimeout(60_000);

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

describe('GET /v1/tasks/{id}', () => {
  it('tells everything about a task, by any of its ids', async () => {
    const [instance, instanceId] = await rig.registered({ model: 'task' });
    await rig.submit('told', { model_name: 'task' });
    await until(() => instance.given.length === 1, 'the task to be sent');
    const { remoteId, metadata } = instance.given[0]!;
    instance.finish(remoteId, { big: 1e300 });
    await rig.completed('told');
    const { status, headers, body } = await rig.get('/v1/tasks/told');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const event = {
      attempt: 1,
      instance_id: instanceId,
      at: ISO_TIME,
      message: expect.any(String),
    };
    expect(body).toEqual({
      id: metadata['task_id'],
      client_task_id: 'told',
      kind: 'model',
      model: 'task',
      state: 'succeeded',
      instance_id: instanceId,
      submitted_at: ISO_TIME,
      finished_at: ISO_TIME,
      execution_ms: 1,
      prediction: { method: 'metadata', service_ms: 10 },
      failure: null,
      waiting: null,
      forecast: null,
      attempts: [
        {
          attempt: 1,
          dispatch_id: metadata['dispatch_id'],
          instance_id: instanceId,
          state: 'ended',
          remote_id: remoteId,
          reserved_at: ISO_TIME,
          sent_at: ISO_TIME,
          running_since: ISO_TIME,
          ended_at: ISO_TIME,
          execution_ms: 1,
          decision: {
            strategy: 'earliest',
            decided_at: ISO_TIME,
            wait_ms: 0,
            completion_ms: 10,
            candidates: 1,
            runner_up: null,
            unfit_because: {},
          },
        },
      ],
      events: [
        {
          ...event,
          seq: 1,
          type: 'submitted',
          from: null,
          to: 'queued',
          attempt: 0,
          instance_id: null,
        },
        { ...event, seq: 2, type: 'reserved', from: 'queued', to: 'dispatching' },
        { ...event, seq: 3, type: 'dispatched', from: 'dispatching', to: 'dispatched' },
        { ...event, seq: 4, type: 'succeeded', from: 'dispatched', to: 'succeeded' },
      ],
      result: { big: 1e300 },
    });
    for (const id of [body.id, remoteId]) {
      expect((await rig.get(`/v1/tasks/${String(id)}`)).body).toEqual(body);
    }
  });

  it('finds ids with odd characters', async () => {
    await rig.registered({ model: 'odd' });
    for (const id of ['a/b?c', '\u{1F600}', ' ', '%', '__proto__']) {
      await rig.submit(id, { model_name: 'odd' });
      const { body } = await rig.get(`/v1/tasks/${encodeURIComponent(id)}`);
      expect(body).toMatchObject({ client_task_id: id });
    }
  });

  it.each([
    ['nobody', 404, 'unknown_task', 'Unknown task'],
    ['%00', 422, 'invalid_input', 'Invalid input'],
    ['%zz', 422, 'invalid_input', 'Invalid input'],
    ['x'.repeat(513), 422, 'invalid_input', 'Invalid input'],
  ])('answers failures as problem details: %s', async (id, status, code, title) => {
    const { headers, body, ...answer } = await rig.get(`/v1/tasks/${id}`);
    expect(answer.status).toBe(status);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toEqual({
      type: `urn:foresail:problem:${code}`,
      title,
      status,
      detail: expect.any(String),
      instance: headers['x-request-id'],
      code,
      ...(status === 422
        ? { errors: [{ loc: ['path', 'id'], msg: expect.any(String), type: expect.any(String) }] }
        : {}),
    });
  });
});

const LISTS = ['/v1/instances', '/v1/queues', '/v1/strategies', '/v1/tasks', '/v1/tasks/x'];

describe.each(LISTS)('%s', (path) => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('answers 405 to %s', async (method) => {
    const { status, headers, body } = await rig.service.send(method, path, '{}');
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toMatchObject({ code: 'method_not_allowed', status: 405 });
  });

  it.each(['a=1&a=2', 'a[]=1', 'a=%00'])('refuses the query %s', async (query) => {
    const { status, body } = await rig.get(`${path}?${query}`);
    expect([status, body.code]).toEqual([422, 'invalid_input']);
  });
});
