import { ConformanceRig } from '../support/conformance-rig';
import type { OriginalInstance } from '../support/original-instance';
import { PrometheusText } from '../support/prometheus-text';
import type { Answer, Json } from '../support/service-process';

jest.setTimeout(60_000);

let rig: ConformanceRig;
let tasks = 0;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

/** Tasks of the instance's model, each predicted to take 200 ms. */
async function run(instance: OriginalInstance, ...took: readonly number[]): Promise<void> {
  for (const executionMs of took) {
    const taskId = `task-${(tasks += 1)}`;
    await rig.submit(taskId, { model_name: instance.model, metadata: { predicted_ms: 200 } });
    const report = { task_id: taskId, instance_id: instance.name, result: {} };
    const answer = await rig.post('/result/submit', { ...report, execution_time: executionMs });
    expect(answer.body).toMatchObject({ status: 'success' });
  }
}

async function listed(query: string): Promise<readonly object[]> {
  const { status, body } = await rig.get(`/v1/predictions?${query}`);
  expect(status).toBe(200);
  return body.predictions as object[];
}

function expectProblem({ status, headers, body }: Answer, expected: object): void {
  expect(headers['content-type']).toBe('application/problem+json');
  expect({ status, code: body.code, detail: body.detail }).toMatchObject(expected);
}

describe('GET /v1/predictions', () => {
  it('tells by model, source and instance how predictions held, also after a restart', async () => {
    expect(await listed('model=held')).toEqual([]);
    const [first, id] = await rig.registered({ model: 'held', name: 'held-1', slots: 50 });
    await run(first, 100, 400, 200);
    const expected = {
      model: 'held',
      source: 'metadata',
      instance_id: id,
      instance_name: 'held-1',
      outcomes: 3,
      mape: expect.closeTo(0.5),
      pinball_ms: expect.closeTo(50),
      coverage80: expect.closeTo(1 / 3),
      bias: expect.closeTo(1),
    };
    expect(await listed('model=held')).toEqual([expected]);
    await rig.restart();
    expect(await listed('model=held')).toEqual([expected]);
  });

  it('is filtered and paged', async () => {
    const [a, idOfA] = await rig.registered({ model: 'paged', name: 'paged-a', slots: 50 });
    await run(a, 100);
    await rig.post('/ti/remove', { host: a.host, port: a.port });
    const [b, idOfB] = await rig.registered({ model: 'paged', name: 'paged-b', slots: 50 });
    await run(b, 100);
    const all = await listed('model=paged&source=metadata');
    expect(all.map((one: Json) => String(one.instance_id)).sort()).toEqual([idOfA, idOfB].sort());
    expect(await listed('instance=paged-b')).toMatchObject([{ instance_name: 'paged-b' }]);
    expect(await listed(`instance=${idOfA}`)).toMatchObject([{ instance_name: null }]);
    expect(await listed('model=paged&source=learned')).toEqual([]);
    const { body: page } = await rig.get('/v1/predictions?model=paged&limit=1');
    expect(page.predictions).toEqual(all.slice(0, 1));
    const next = `/v1/predictions?model=paged&limit=1&cursor=${String(page.next_cursor)}`;
    expect((await rig.get(next)).body).toEqual({ predictions: all.slice(1), next_cursor: null });
  });

  it.each([
    ['source=oracle', 'source'],
    ['model=', 'model'],
    ['instance=', 'instance'],
    ['limit=0', 'limit'],
    ['cursor=abc', 'cursor'],
  ])('refuses %s, naming it', async (query, name) => {
    const answer = await rig.get(`/v1/predictions?${query}`);
    expectProblem(answer, { status: 422, code: 'invalid_input' });
    expect(answer.body.errors).toEqual([
      { loc: ['query', name], msg: expect.stringContaining(name), type: expect.any(String) },
    ]);
  });

  it('says when there is no such instance', async () => {
    expectProblem(await rig.get('/v1/predictions?instance=nobody'), {
      status: 404,
      code: 'unknown_instance',
      detail: 'no instance "nobody" is registered',
    });
  });

  it('is in the metrics too', async () => {
    const [instance] = await rig.registered({ model: 'measured', slots: 50 });
    await run(instance, 100, 100);
    const { samples } = new PrometheusText((await rig.get('/metrics')).body as string);
    const found = samples
      .filter(({ labels }) => labels['queue'] === 'measured' && labels['source'] === 'metadata')
      .map(({ name, value }) => [name, value]);
    expect(Object.fromEntries(found)).toEqual({
      foresail_prediction_outcomes: 2,
      foresail_prediction_error_ratio: 1,
      foresail_prediction_pinball_seconds: expect.closeTo(0.05),
      foresail_prediction_coverage_ratio: 0,
      foresail_prediction_bias_ratio: expect.closeTo(2),
    });
  });
});

describe('POST /v1/predictions', () => {
  const preview = (model: unknown, metadata?: unknown): Promise<Answer> =>
    rig.post('/v1/predictions', { model, metadata });

  it('tells what a task would be predicted', async () => {
    expect(await preview('any', { predicted_ms: 42 })).toMatchObject({
      status: 200,
      body: {
        model: 'any',
        source: 'metadata',
        quantiles: [0.5],
        quantile_predictions: [42],
        mean_ms: 42,
        deviation_ms: 0,
        confidence: 0.5,
      },
    });
    const { body } = await preview('any');
    expect(body).toMatchObject({ source: 'default', quantile_predictions: [250, 800, 2_200] });
    expect(body.deviation_ms).toBeGreaterThan(500);
  });

  it('changes nothing', async () => {
    const before = await rig.rows();
    await preview('any', { predicted_ms: 42 });
    expect(await rig.rows()).toEqual(before);
  });

  it.each([
    ['no model', { metadata: {} }, 'model'],
    ['an empty model', { model: '' }, 'model'],
    ['metadata that are a list', { model: 'm', metadata: [] }, 'metadata'],
  ])('refuses %s, naming it', async (_, body, name) => {
    const answer = await rig.post('/v1/predictions', body);
    expectProblem(answer, { status: 422, code: 'invalid_input' });
    expect(answer.body.errors).toMatchObject([{ loc: ['body', name] }]);
  });

  it('refuses what is no JSON', async () => {
    const answer = await rig.service.send('POST', '/v1/predictions', '{');
    expectProblem(answer, { status: 400, code: 'malformed_body' });
  });
});
