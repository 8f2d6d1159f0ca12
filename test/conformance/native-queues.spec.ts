import { ConformanceRig } from '../support/conformance-rig';
import type { Answer, Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(60_000);

const SETTINGS = {
  strategy: 'earliest',
  order_weight: 2,
  prefetch: 0,
  limit: 50_000,
  attempt_timeout_ms: 3_600_000,
  paused: false,
};
const NOTHING = { tasks: 0, wait_ms: null, service_ms: null, total_ms: null };

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

async function shown(model: string): Promise<Json> {
  const { status, body } = await rig.get(`/v1/queues/${encodeURIComponent(model)}`);
  expect(status).toBe(200);
  return body;
}

function expectProblem({ status, headers, body }: Answer, expected: object): void {
  expect(headers['content-type']).toBe('application/problem+json');
  expect({ status, code: body.code, detail: body.detail }).toMatchObject(expected);
  expect(body).toMatchObject({ status, instance: headers['x-request-id'] });
}

describe('GET /v1/queues', () => {
  it('lists the queues with their settings, their instances and their waits', async () => {
    const [{ name }, id] = await rig.registered({ model: 'queue' });
    await rig.registered({ model: 'queue', slots: 0, name: 'empty-handed' });
    for (const n of [1, 2, 3]) await rig.submit(`queue-${n}`, { model_name: 'queue' });
    const { status, body } = await rig.get('/v1/queues');
    expect(status).toBe(200);
    const wait = { wait_ms: expect.any(Number), wait_error_ms: expect.any(Number) };
    expect(body).toEqual({
      queues: [
        {
          model: 'queue',
          ...SETTINGS,
          waiting: 1,
          running: 2,
          unfit: { no_replicas: 1 },
          instances: [
            { instance_id: id, instance_name: name, ...wait },
            { instance_id: expect.any(String), instance_name: 'empty-handed', ...wait },
          ],
        },
      ],
    });
  });
});

describe('GET /v1/queues/{model}', () => {
  it('tells what its finished tasks took', async () => {
    const [instance] = await rig.registered({ model: 'meta/odd name', slots: 4 });
    expect(await shown('meta/odd name')).toEqual({
      model: 'meta/odd name',
      ...SETTINGS,
      waiting: 0,
      running: 0,
      unfit: {},
      instances: [expect.objectContaining({ instance_name: instance.name })],
      statistics: { last_tasks: NOTHING, last_hour: NOTHING },
    });
    for (const [n, task] of ['a', 'b', 'c'].entries()) {
      await rig.submit(`statistics-${task}`, { model_name: 'meta/odd name' });
      await until(() => instance.given.length > n, `${task} to be sent`);
      instance.finish(instance.given[n]!.remoteId, {});
      await rig.completed(`statistics-${task}`);
    }
    const { statistics } = await shown('meta/odd name');
    const spread = Object.fromEntries(
      ['p50', 'p90', 'p95', 'p99', 'max', 'mean'].map((name) => [name, expect.any(Number)]),
    );
    const one = { p50: 1, p90: 1, p95: 1, p99: 1, max: 1, mean: 1 };
    const times = { tasks: 3, wait_ms: spread, service_ms: one, total_ms: spread };
    expect(statistics).toEqual({ last_tasks: times, last_hour: times });
    const { wait_ms: wait, total_ms: total } = statistics.last_tasks;
    for (const { p50, p90, p95, p99, max } of [wait, total]) {
      expect([p50, p90, p95, p99, max]).toEqual([p50, p90, p95, p99, max].sort((a, b) => a - b));
    }
    expect(total.max).toBeGreaterThan(wait.max);
  });

  it('knows no queue that has neither instances nor settings', async () => {
    const answer = await rig.get('/v1/queues/nobody');
    const detail = 'there is no queue of model "nobody": it has neither instances nor settings';
    expectProblem(answer, { status: 404, code: 'unknown_queue', detail });
  });
});

describe('PATCH /v1/queues/{model}', () => {
  it('sets what is named, and nothing else', async () => {
    await rig.registered({ model: 'set' });
    const change = { strategy: 'weighted', order_weight: 0, prefetch: 2 };
    const { status, headers, body } = await rig.patch('/v1/queues/set', change);
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toMatchObject({ model: 'set', ...SETTINGS, ...change });
    expect(body).not.toHaveProperty('statistics');
    const others = { limit: 7, attempt_timeout_ms: 0.5 + 1, paused: true };
    await rig.patch('/v1/queues/set', others);
    expect(await shown('set')).toMatchObject({ ...change, ...others, unfit: { paused: 1 } });
  });

  it('goes back to what holds for every queue by null', async () => {
    const change = { strategy: 'weighted', order_weight: 0, prefetch: 2, limit: 7, paused: true };
    await rig.patch('/v1/queues/back', { ...change, attempt_timeout_ms: 5 });
    const nothing = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, null]));
    expect((await rig.patch('/v1/queues/back', nothing)).body).toMatchObject(SETTINGS);
  });

  it('may come before the first instance', async () => {
    const { status, body } = await rig.patch('/v1/queues/early', { prefetch: 1 });
    expect(status).toBe(200);
    const expected = { model: 'early', ...SETTINGS, prefetch: 1, waiting: 0, running: 0 };
    expect(body).toEqual({ ...expected, unfit: {}, instances: [] });
    const listed = (await rig.get('/v1/queues')).body.queues as Json[];
    expect(listed).toContainEqual(body);
    const task = { model_name: 'early', task_input: {} };
    expect(await rig.post('/queue/submit', task)).toMatchObject({ status: 503 });
    await rig.registered({ model: 'early' });
    expect(await shown('early')).toMatchObject({ prefetch: 1, instances: [{}] });
  });

  it('sends ahead what a new prefetch allows, at once', async () => {
    const [instance] = await rig.registered({ model: 'ahead' });
    for (const n of [1, 2, 3, 4]) await rig.submit(`ahead-${n}`, { model_name: 'ahead' });
    // One runs; one is ahead in any case, since it has never notified.
    await until(() => instance.given.length === 2, 'two to be sent');
    await rig.patch('/v1/queues/ahead', { prefetch: 2 });
    await until(() => instance.given.length === 3, 'one more to be sent');
    expect(await shown('ahead')).toMatchObject({ waiting: 1, running: 3 });
  });

  it('limits what waits from then on', async () => {
    await rig.registered({ model: 'limited', slots: 0 });
    await rig.patch('/v1/queues/limited', { limit: 1 });
    await rig.submit('limited-1', { model_name: 'limited' });
    const task = { model_name: 'limited', task_input: {} };
    const { status, headers, body } = await rig.post('/queue/submit', task);
    const message = '1 tasks wait for model "limited"; the limit of its queue is 1';
    expect([status, headers['retry-after'], body.message]).toEqual([429, '1', message]);
    await rig.patch('/v1/queues/limited', { limit: 2 });
    await rig.submit('limited-2', { model_name: 'limited' });
  });

  it('limits the run of what is submitted from then on', async () => {
    const [instance] = await rig.registered({ model: 'short', slots: 2 });
    await rig.patch('/v1/queues/short', { attempt_timeout_ms: 300 });
    await rig.submit('short-own', {
      model_name: 'short',
      metadata: { predicted_ms: 10, timeout_ms: 600_000 },
    });
    await rig.submit('short-1', { model_name: 'short' });
    const { result } = await rig.completed('short-1');
    expect(result.error).toContain('timed out');
    expect(instance.given).toHaveLength(2);
    expect((await rig.query('short-own')).task_status).toBe('scheduled');
    // Its instance ends it all the same, and the tests below compare all rows.
    const isOver = async (): Promise<boolean> =>
      !(await rig.rows())['attempts']?.some((row) => row.includes('abandoned'));
    await until(isOver, 'the end of the overdue attempt');
  });

  it('names the strategies that there are', async () => {
    await rig.patch('/v1/queues/strict', { prefetch: 3 });
    const before = await rig.rows();
    const change = { strategy: 'fastest', prefetch: 1 };
    const answer = await rig.patch('/v1/queues/strict', change);
    const valid =
      'earliest, shortest_queue, round_robin, weighted, probabilistic, least_loaded, best_fit';
    const detail = `unknown strategy "fastest"; valid: ${valid}`;
    expectProblem(answer, { status: 422, code: 'unknown_strategy', detail });
    expect(await rig.rows()).toEqual(before);
    expect((await shown('strict')).prefetch).toBe(3);
    expectProblem(await rig.patch('/v1/queues/never', change), { status: 422 });
    expectProblem(await rig.get('/v1/queues/never'), { status: 404 });
  });

  it.each([
    [{ strategy: '' }, 'strategy'],
    [{ strategy: 5 }, 'strategy'],
    [{ order_weight: -1 }, 'order_weight'],
    [{ order_weight: 1001 }, 'order_weight'],
    [{ order_weight: '2' }, 'order_weight'],
    [{ prefetch: -1 }, 'prefetch'],
    [{ prefetch: 0.5 }, 'prefetch'],
    [{ prefetch: 1001 }, 'prefetch'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 10_000_001 }, 'limit'],
    [{ limit: {} }, 'limit'],
    [{ attempt_timeout_ms: 0 }, 'attempt_timeout_ms'],
    [{ attempt_timeout_ms: 1_728_000_001 }, 'attempt_timeout_ms'],
    [{ paused: 'yes' }, 'paused'],
    [{ paused: 1 }, 'paused'],
  ])('refuses %j, naming it, and changes nothing', async (change, field) => {
    const before = await rig.rows();
    const answer = await rig.patch('/v1/queues/wrong', { prefetch: 1, ...change });
    expectProblem(answer, { status: 422, code: 'invalid_input' });
    expect(answer.body.errors).toEqual([
      { loc: ['body', field], msg: expect.stringContaining(field), type: expect.any(String) },
    ]);
    expect(await rig.rows()).toEqual(before);
  });

  it.each([{}, { colour: 'red' }, { Strategy: 'earliest' }])(
    'says what might be set when nothing is: %j',
    async (change) => {
      const answer = await rig.patch('/v1/queues/wrong', change);
      const detail = expect.stringMatching(/at least one of strategy, order_weight, .*paused$/);
      expectProblem(answer, { status: 422, code: 'invalid_input', detail });
      expect(answer.body.errors[0].loc).toEqual(['body']);
    },
  );

  it('takes no body but JSON', async () => {
    const path = '/v1/queues/wrong';
    expectProblem(await rig.service.send('PATCH', path, '[1'), { code: 'malformed_body' });
    expectProblem(await rig.service.send('PATCH', path), { code: 'invalid_input' });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await rig.service.send('PATCH', path, '{"prefetch":1}', form);
    expectProblem(answer, { status: 415, code: 'unsupported_content' });
  });
});

describe('pause and resume', () => {
  it('keep tasks without placing them, and place them again', async () => {
    const [instance, id] = await rig.registered({ model: 'rest', slots: 2 });
    await rig.submit('rest-1', { model_name: 'rest' });
    await until(() => instance.given.length === 1, 'the first to be sent');
    const paused = await rig.post('/v1/queues/rest/pause', {});
    expect([paused.status, paused.body]).toMatchObject([
      200,
      { model: 'rest', paused: true, running: 1, unfit: { paused: 1 } },
    ]);
    const { scheduled_ti: planned } = await rig.submit('rest-2', { model_name: 'rest' });
    expect(planned).toBe(id);
    expect((await rig.get(`/v1/instances/${id}`)).body.unfit_because).toBe('paused');
    instance.finish(instance.given[0]!.remoteId, {});
    await rig.completed('rest-1');
    expect(await shown('rest')).toMatchObject({ waiting: 1, running: 0, paused: true });
    expect(instance.given).toHaveLength(1);
    const { status, body } = await rig.service.send('POST', '/v1/queues/rest/resume');
    expect([status, body]).toMatchObject([200, { model: 'rest', paused: false, unfit: {} }]);
    await until(() => instance.given.length === 2, 'the second to be sent');
    expect((await rig.get(`/v1/instances/${id}`)).body.unfit_because).toBeNull();
  });

  it('may be said twice, and before the first instance', async () => {
    for (const call of ['pause', 'pause', 'resume', 'resume']) {
      const { status, body } = await rig.post(`/v1/queues/nobody-yet/${call}`, {});
      expect([status, body.paused]).toEqual([200, call === 'pause']);
    }
  });
});

describe('GET /v1/strategies', () => {
  it('lists what may be chosen, and what is', async () => {
    const { status, body } = await rig.get('/v1/strategies');
    expect(status).toBe(200);
    expect(body).toEqual({
      strategies: [
        { name: 'earliest', binding: 'late' },
        { name: 'shortest_queue', binding: 'early' },
        { name: 'round_robin', binding: 'early' },
        { name: 'weighted', binding: 'early' },
        { name: 'probabilistic', binding: 'early' },
        { name: 'least_loaded', binding: 'late' },
        { name: 'best_fit', binding: 'late' },
      ],
      default: 'earliest',
    });
    await rig.post('/scheduler/set', { name: 'weighted' });
    expect((await rig.get('/v1/strategies')).body.default).toBe('weighted');
    expect(await shown('rest')).toMatchObject({ strategy: 'weighted' });
    await rig.post('/scheduler/set', { name: 'earliest' });
  });
});

describe.each([
  ['GET', ''],
  ['PATCH', ''],
  ['POST', '/pause'],
  ['POST', '/resume'],
])('%s /v1/queues/{model}%s', (method, call) => {
  it.each(['%00', '%zz', 'x'.repeat(257)])('refuses the model %s', async (model) => {
    const body = method === 'PATCH' ? '{"prefetch":1}' : undefined;
    const answer = await rig.service.send(method, `/v1/queues/${model}${call}`, body);
    expectProblem(answer, { status: 422, code: 'invalid_input' });
    expect(answer.body.errors[0].loc).toEqual(['path', 'model']);
  });

  it('takes no other method', async () => {
    const taken = call === '' ? ['GET', 'PATCH'] : ['POST'];
    for (const other of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (taken.includes(other)) continue;
      const answer = await rig.service.send(other, `/v1/queues/x${call}`);
      expectProblem(answer, { status: 405, code: 'method_not_allowed' });
    }
  });
});
