import { request } from 'undici';
import type { Json } from '../support/service-process';
import { until } from '../support/until';
import { WorkerProcess, type WorkerAnswer } from '../support/worker-process';

// contracts/task-instance.md, row by row, against the reference worker.
jest.setTimeout(60_000);

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const NUMBER = expect.any(Number);

let worker: WorkerProcess;

beforeAll(async () => {
  worker = await WorkerProcess.start('--id', 'w1', '--replicas', '2');
});
afterAll(async () => {
  worker.kill('SIGKILL');
  await worker.ended();
});

const post = (path: string, body: unknown): Promise<WorkerAnswer> => worker.post(path, body);
const get = async (path: string): Promise<Json> => (await worker.get(path)).body;

/** Hands a task over and gives the worker's id of it. */
async function enqueued(metadata: object, input: object = {}): Promise<string> {
  const { status, body } = await post('/queue/enqueue', { input_data: input, metadata });
  expect([status, body]).toEqual([
    200,
    { task_id: expect.stringMatching(UUID), queue_size: NUMBER, enqueue_time: NUMBER },
  ]);
  return (body as { task_id: string }).task_id;
}

/** Waits for the end of a task and gives its result. */
async function ended(taskId: string): Promise<Json> {
  await until(async () => (await worker.get(`/results/${taskId}`)).status === 200, 'the result');
  return get(`/results/${taskId}`);
}

const noReplicas = async (): Promise<void> => {
  await post('/models/stop', {});
};

describe('POST /models/start', () => {
  beforeEach(noReplicas);
  afterEach(async () => {
    await noReplicas();
    await post('/models/start', { model_type: 'm', count: 2 });
  });

  it('starts one replica by default, as many as asked for, and adds to those there are', async () => {
    expect(await post('/models/start', { model_type: 'm' })).toMatchObject({
      status: 200,
      body: {
        detail: 'Started 1 replica(s)',
        model_type: 'm',
        replicas_started: 1,
        total_replicas: 1,
      },
    });
    const body = { model_type: 'm', count: 3, config: { dtype: 'fp8' }, num_gpus_per_model: 2 };
    expect(Object.entries((await post('/models/start', body)).body as object)).toEqual([
      ['detail', 'Started 3 replica(s)'],
      ['model_type', 'm'],
      ['replicas_started', 3],
      ['total_replicas', 4],
    ]);
    expect(await get('/status')).toMatchObject({ model_type: 'm', replicas_running: 4 });
  });

  it('starts another model when none is there, and refuses it while one is', async () => {
    expect(await post('/models/start', { model_type: 'n' })).toMatchObject({ status: 200 });
    expect(await get('/status')).toMatchObject({ model_type: 'n', replicas_running: 1 });
    const { status, body } = await post('/models/start', { model_type: 'm' });
    expect([status, body]).toEqual([
      409,
      { detail: expect.stringMatching(/^model m cannot start 1 .*: n still has 1 replicas/) },
    ]);
  });

  it('refuses more replicas than a worker can have', async () => {
    await post('/models/start', { model_type: 'm', count: 1000 });
    const { status, body } = await post('/models/start', { model_type: 'm' });

    expect([status, body]).toEqual([
      409,
      { detail: expect.stringContaining('there are 1000 already; allowed are 1000 in all') },
    ]);
  });
});

describe('POST /models/stop', () => {
  afterEach(async () => {
    await noReplicas();
    await post('/models/start', { model_type: 'm', count: 2 });
  });

  it('stops as many as asked for, and all there are when that is more', async () => {
    await post('/models/start', { model_type: 'm', count: 2 });
    const { body } = await post('/models/stop', { count: 1 });
    expect(body).toEqual({
      detail: 'Stopped 1 replica(s)',
      stopped_replicas: [expect.any(String)],
      remaining_replicas: 3,
    });
    expect(await get('/status')).toMatchObject({ replicas_running: 3 });
    expect((await post('/models/stop', { count: 7 })).body).toMatchObject({
      detail: 'Stopped 3 replica(s)',
      remaining_replicas: 0,
    });
  });

  it.each<[string, unknown]>([
    ['null', { count: null }],
    ['nothing', {}],
    ['no body', ''],
  ])('stops all for %s', async (_name, body) => {
    const stopped = ((await post('/models/stop', body)).body as Json).stopped_replicas;
    expect(stopped).toHaveLength(2);
    expect(await get('/status')).toMatchObject({ model_type: null, replicas_running: 0 });
    expect(await get('/queue/status')).toMatchObject({ model_type: null });
    expect((await post('/queue/enqueue', { input_data: {} })).status).toBe(503);
  });
});

describe('GET /status', () => {
  it('tells what runs, and what the contract adds for workers that prove absence', async () => {
    const idle = {
      instance_id: 'w1',
      model_type: 'm',
      replicas_running: 2,
      queue_size: 0,
      status: 'idle',
      dispatch_ids: true,
      draining: false,
      speed: 1,
    };
    await until(async () => (await get('/status')).status === 'idle', 'the worker to be idle');
    expect(await get('/status')).toEqual(idle);
    const tasks = [];
    for (const n of [1, 2, 3]) tasks.push(await enqueued({ service_ms: n === 1 ? 800 : 200 }));
    expect(await get('/status')).toEqual({ ...idle, status: 'running', queue_size: 1 });
    for (const task of tasks) await ended(task);
  });
});

describe('POST /queue/enqueue', () => {
  it('takes an input alone, and everything that may come with it', async () => {
    const before = Date.now() / 1000;
    const { status, headers, body } = await post('/queue/enqueue', { input_data: { a: 1 } });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    const { enqueue_time: time, queue_size: size } = body as Json;
    expect(time).toBeGreaterThanOrEqual(before - 1);
    expect(time).toBeLessThanOrEqual(Date.now() / 1000 + 1);
    expect(size).toBe(0);
    const all = { input_data: {}, metadata: { service_ms: 1 }, task_id: 't', model_name: 'm' };
    expect((await post('/queue/enqueue', { ...all, unknown: 1 })).status).toBe(200);
    const nulls = { input_data: {}, task_id: null, model_name: null };
    expect((await post('/queue/enqueue', nulls)).status).toBe(200);
  });

  it('answers a repeat of an attempt as the first time, and runs another attempt anew', async () => {
    const body = (n: number): object => ({
      input_data: {},
      metadata: { task_id: 'twice', dispatch_id: `twice-${n}`, service_ms: 1 },
    });
    const first = (await post('/queue/enqueue', body(1))).body;
    expect((await post('/queue/enqueue', body(1))).body).toEqual(first);
    await ended((first as Json).task_id as string);
    expect((await post('/queue/enqueue', body(1))).body).toEqual(first);
    expect((await post('/queue/enqueue', body(2))).body).not.toMatchObject({
      task_id: (first as Json).task_id,
    });
  });

  it('refuses a task of another model', async () => {
    const { status, body } = await post('/queue/enqueue', { input_data: {}, model_name: 'n' });
    expect([status, body]).toEqual([409, { detail: 'worker w1 serves model m, not n' }]);
  });
});

describe('POST /queue/predict and GET /queue/status', () => {
  it('say how long a task would wait', async () => {
    const tasks = [];
    for (const ms of [700, 700, 300]) tasks.push(await enqueued({ service_ms: ms }));
    const predicted = (await post('/queue/predict', '')).body as Json;
    const told = await get('/queue/status');

    expect(predicted).toEqual({ expected_ms: NUMBER, error_ms: 0, queue_size: 1 });
    expect(told).toEqual({ queue_size: 1, model_type: 'm', expected_ms: NUMBER, error_ms: 0 });
    expect(predicted.expected_ms).toBeGreaterThan(0);
    expect(predicted.expected_ms).toBeLessThanOrEqual(700);
    for (const task of tasks) await ended(task);
    expect((await post('/queue/predict', {})).body).toEqual({
      expected_ms: 0,
      error_ms: 0,
      queue_size: 0,
    });
  });
});

describe('GET /results and GET /results/{task_id}', () => {
  it('show a completed task, with its times', async () => {
    const id = await enqueued({ service_ms: 30 }, { a: 'ä' });
    const result = await ended(id);

    expect(result).toEqual({
      task_id: id,
      result: expect.objectContaining({ output: { a: 'ä' } }),
      status: 'completed',
      error: null,
      enqueue_time: NUMBER,
      completion_time: NUMBER,
      wait_time: NUMBER,
      execution_time: NUMBER,
      total_time: NUMBER,
      dispatch_id: null,
    });
    const { wait_time: wait, execution_time: execution, total_time: total } = result;
    expect(total).toBeCloseTo(Number(wait) + Number(execution), 6);
    expect(execution).toBeGreaterThanOrEqual(29);
    expect(result.completion_time).toBeGreaterThanOrEqual(result.enqueue_time as number);
    expect(await get('/results')).toContainEqual(result);
  });

  it('show a failed task, with its error', async () => {
    const id = await enqueued({ service_ms: 1, fail: 'out of memory' });
    const result = await ended(id);

    expect(result).toMatchObject({ status: 'failed', result: null, error: 'out of memory' });
    expect(await get('/results')).toContainEqual(result);
  });

  it('show nothing of a task that has not ended, but by its dispatch id', async () => {
    const id = await enqueued({ dispatch_id: 'running', service_ms: 600 });
    expect(await worker.get(`/results/${id}`)).toMatchObject({
      status: 404,
      body: { detail: `there is no result of task ${id} here (yet)` },
    });
    expect(await get('/results')).not.toContainEqual(expect.objectContaining({ task_id: id }));
    expect(await get('/results?dispatch_id=running')).toEqual([
      {
        task_id: id,
        result: null,
        status: 'running',
        error: null,
        enqueue_time: NUMBER,
        completion_time: null,
        wait_time: NUMBER,
        execution_time: null,
        total_time: null,
        dispatch_id: 'running',
      },
    ]);
    await ended(id);
    expect(await get('/results?dispatch_id=running')).toMatchObject([{ status: 'completed' }]);
  });

  it('prove that an attempt is not here', async () => {
    expect(await worker.get('/results?dispatch_id=nobody')).toMatchObject({
      status: 200,
      body: [],
    });
    expect((await worker.get('/results/nobody')).status).toBe(404);
  });
});

// --- bad input -------------------------------------------------------------------------------

const NAMES = ['', 7, true, null, [], {}, 'x'.repeat(201)];
const COUNTS = ['2', 0, -1, 1.5, true, [], {}];
const OBJECTS = [7, true, 'x', [], [{}], null];

const WRONG: readonly [string, object, string, readonly unknown[]][] = [
  ['/models/start', { model_type: 'm' }, 'model_type', NAMES],
  ['/models/start', { model_type: 'm' }, 'count', [...COUNTS, 1001, 1e300, null]],
  ['/models/start', { model_type: 'm' }, 'config', OBJECTS],
  ['/models/start', { model_type: 'm' }, 'num_gpus_per_model', ['1', -1, 0.5, null]],
  ['/models/stop', {}, 'count', COUNTS],
  ['/queue/enqueue', { input_data: {} }, 'input_data', OBJECTS],
  ['/queue/enqueue', { input_data: {} }, 'metadata', OBJECTS],
  ['/queue/enqueue', { input_data: {} }, 'task_id', [7, {}, []]],
  ['/queue/enqueue', { input_data: {} }, 'model_name', [7, {}, []]],
];

describe('bad input', () => {
  let before: Json;
  const state = async (): Promise<Json> => [await get('/status'), await get('/results')];

  beforeAll(async () => {
    await until(async () => (await get('/status')).status === 'idle', 'the worker to be idle');
    before = await state();
  });
  // Whatever is refused changes nothing.
  afterEach(async () => expect(await state()).toEqual(before));

  it.each(WRONG)('%s refuses, beside %j, a wrong %s', async (path, good, name, values) => {
    for (const value of values) {
      const { status, body } = await post(path, { ...good, [name]: value });
      expect([status, body]).toEqual([
        422,
        {
          detail: expect.arrayContaining([
            { loc: ['body', name], msg: expect.any(String), type: expect.any(String) },
          ]),
        },
      ]);
    }
  });

  it.each([
    ['/models/start', 'model_type'],
    ['/queue/enqueue', 'input_data'],
  ])('%s misses %s', async (path, name) => {
    for (const body of ['', '{}']) {
      expect(await post(path, body)).toMatchObject({
        status: 422,
        body: { detail: [{ loc: ['body', name], type: 'missing' }] },
      });
    }
  });

  it.each([7, '', [], {}])('refuses the dispatch id %j', async (id) => {
    const metadata = { dispatch_id: id };
    expect(await post('/queue/enqueue', { input_data: {}, metadata })).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'metadata', 'dispatch_id'] }] },
    });
  });

  it.each<[string, string, number]>([
    ['half an object', '{"input_data":', 400],
    ['bytes of another kind', 'input_data=1', 400],
    ['a list', '[]', 422],
    ['a NUL', '{"input_data":{"a":"\\u0000"}}', 422],
    ['half a character', '{"input_data":{"a":"\\ud83d"}}', 422],
    ['2^53+1', '{"input_data":{"a":9007199254740993}}', 422],
    ['a number that overflows', '{"input_data":{"a":1e999}}', 422],
    ['too many levels', `{"input_data":${'{"a":'.repeat(64)}1${'}'.repeat(64)}}`, 422],
    ['too much', JSON.stringify({ input_data: { a: 'x'.repeat(4 * 1_048_576) } }), 413],
  ])('refuses %s', async (_name, body, status) => {
    expect(await post('/queue/enqueue', body)).toMatchObject({
      status,
      body: { detail: expect.anything() },
    });
  });

  it.each([
    '/results?dispatch_id=a&dispatch_id=b',
    '/results?dispatch_id=',
    '/results?dispatch_id=%00',
    '/results?dispatch_id[]=a',
    '/results?dispatch_id=%zz',
  ])('refuses %s', async (path) => {
    expect(await worker.get(path)).toMatchObject({
      status: 422,
      body: { detail: [{ loc: expect.arrayContaining(['query']) }] },
    });
  });

  it.each([
    ['GET', '/models/start', 'POST'],
    ['GET', '/queue/enqueue', 'POST'],
    ['DELETE', '/results', 'GET, HEAD'],
    ['POST', '/status', 'GET, HEAD'],
  ])('answers 405 to %s %s', async (method, path, allow) => {
    const { statusCode, headers, body } = await request(worker.url + path, {
      method: method as 'GET',
    });
    expect([statusCode, headers['allow'], await body.json()]).toEqual([
      405,
      allow,
      { detail: expect.any(String) },
    ]);
  });

  it.each(['/', '/queue', '/results/a/b', '/models', '/info'])('knows no %s', async (path) => {
    expect(await worker.get(path)).toMatchObject({
      status: 404,
      body: { detail: expect.any(String) },
    });
  });

  it('refuses pages of other sites and rebound names', async () => {
    for (const headers of [{ origin: 'http://evil.example' }, { host: 'evil.example' }]) {
      const { statusCode } = await request(`${worker.url}/queue/enqueue`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"input_data":{}}',
      });
      expect(statusCode).toBe(403);
    }
  });
});
