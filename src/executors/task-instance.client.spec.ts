import { dispatchId, taskId } from '../core/units';
import { json, WorkerStub } from '../../test/support/worker-stub';
import { TaskInstanceClient } from './task-instance.client';
import { TaskInstanceError } from './task-instance.error';

const REQUEST = {
  taskId: taskId('t-1'),
  dispatchId: dispatchId('d-1'),
  queueName: 'llama',
  taskInput: '{"prompt": "hi", "n": 1.0}',
  metadata: '{"user":"u"}',
};
const STATUS = {
  instance_id: 'gpu-1',
  model_type: 'llama',
  replicas_running: 2,
  queue_size: 3,
  status: 'running',
};
const LIMIT = 1_000;

describe('TaskInstanceClient', () => {
  let worker: WorkerStub;
  let client: TaskInstanceClient;

  beforeEach(async () => {
    worker = await WorkerStub.start();
    client = new TaskInstanceClient(worker, { resultLimitBytes: LIMIT });
  });

  afterEach(async () => {
    await client.destroy();
    await worker.stop();
  });

  const failureOf = async (call: Promise<unknown>): Promise<TaskInstanceError> => {
    const error: unknown = await call.then(
      (value) => new Error(`no failure but ${JSON.stringify(value)}`),
      (reason: unknown) => reason,
    );
    if (error instanceof TaskInstanceError) return error;
    throw error;
  };

  describe('identify', () => {
    it('knows a worker of the first generation by its /status', async () => {
      worker.on('GET /status', json(STATUS));
      expect(await client.identify()).toEqual({
        protocol: 'enqueue',
        status: {
          name: 'gpu-1',
          model: 'llama',
          slots: 2,
          queueSize: 3,
          idle: false,
          dispatchIds: false,
          draining: false,
          speed: null,
        },
      });
    });

    it('knows a worker of the later generation by its /info', async () => {
      worker.on(
        'GET /info',
        json({
          instance_status: 'idle',
          deployed_model: { model_name: 'llama', replicas: 4 },
          queue_info: { length_of_queue: 7 },
        }),
      );
      const { protocol, status } = await client.identify();
      expect(protocol).toBe('submit');
      expect(status).toEqual({
        name: `127.0.0.1:${worker.port}`,
        model: 'llama',
        slots: 4,
        queueSize: 7,
        idle: true,
        dispatchIds: false,
        draining: false,
        speed: null,
      });
    });

    it('asks /info of nobody who knows /status, broken as it may be', async () => {
      worker.on('GET /status', json({ detail: 'boom' }, 500)).on('GET /info', json({}));
      expect(await failureOf(client.identify())).toMatchObject({
        code: 'http_status',
        status: 500,
      });
      expect(worker.calls.map(({ path }) => path)).toEqual(['/status']);
    });

    it('names instance and call when neither is served', async () => {
      const error = await failureOf(client.identify());
      expect(error).toMatchObject({ code: 'http_status', status: 404, call: 'GET /info' });
      expect(error.message).toBe(
        `task instance 127.0.0.1:${worker.port}, GET /info: answered 404: {"detail":"Not Found"}`,
      );
    });
  });

  describe('status', () => {
    it('reads what only our own workers say', async () => {
      const extensions = { dispatch_ids: true, draining: true, speed: 2.5 };
      worker.on('GET /status', json({ ...STATUS, ...extensions, status: 'idle' }));
      expect(await client.status('enqueue')).toMatchObject({
        idle: true,
        dispatchIds: true,
        draining: true,
        speed: 2.5,
      });
    });

    it.each([[0], [-1], [1e-9], [1e9], ['fast'], [null], [[2]]])(
      'does not believe a speed of %j',
      async (speed) => {
        worker.on('GET /status', json({ ...STATUS, speed }));
        expect((await client.status('enqueue')).speed).toBeNull();
      },
    );

    it('does not take the word of `dispatch_ids: "yes"`', async () => {
      worker.on('GET /status', json({ ...STATUS, dispatch_ids: 'yes', draining: 1 }));
      const status = await client.status('enqueue');
      expect(status).toMatchObject({ dispatchIds: false, draining: false });
    });

    it.each([[null], ['']])('takes model_type %j for none', async (model) => {
      worker.on('GET /status', json({ ...STATUS, model_type: model, replicas_running: 0 }));
      expect(await client.status('enqueue')).toMatchObject({ model: null, slots: 0 });
    });

    it('takes numbers for names, as they are written', async () => {
      const text = '{"instance_id":12345678901234567890,"model_type":7.0,"replicas_running":1,';
      worker.on('GET /status', json(`${text}"queue_size":0,"status":"idle"}`));
      const status = await client.status('enqueue');
      expect(status).toMatchObject({ name: '12345678901234567890', model: '7.0' });
    });

    it('takes a later worker without a model for one without slots', async () => {
      worker.on('GET /info', json({ instance_status: 'running', deployed_model: null }));
      expect(await client.status('submit')).toMatchObject({ model: null, slots: 0, queueSize: 0 });
    });

    it.each([
      [{ ...STATUS, instance_id: '' }, 'instance_id is "\\"\\""'],
      [{ ...STATUS, instance_id: undefined }, 'instance_id is absent'],
      [{ ...STATUS, instance_id: 'x'.repeat(513) }, 'instance_id is "\\"xxx'],
      [{ ...STATUS, instance_id: 'a\u0000b' }, 'instance_id is'],
      [{ ...STATUS, instance_id: ['a'] }, 'instance_id is "[\\"a\\"]"'],
      [{ ...STATUS, model_type: 'm'.repeat(257) }, 'model_type is '],
      [{ ...STATUS, model_type: {} }, 'model_type is "{}"'],
      [{ ...STATUS, replicas_running: '2' }, 'replicas_running is "\\"2\\""; expected a whole'],
      [{ ...STATUS, replicas_running: -1 }, 'replicas_running is "-1"'],
      [{ ...STATUS, replicas_running: 1.5 }, 'replicas_running is "1.5"'],
      [{ ...STATUS, replicas_running: 1e9 }, 'replicas_running is "1000000000"'],
      [{ ...STATUS, queue_size: null }, 'queue_size is "null"'],
      [{ ...STATUS, status: 1 }, 'status is "1"; expected a text'],
      [[STATUS], 'expected a JSON object, got "[{'],
      ['<html>It works!</html>', 'expected a JSON object, got "<html>'],
      ['', 'expected a JSON object, got ""'],
      [`{"a":${'['.repeat(20_000)}}`, 'expected a JSON object'],
      [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'the answer is not UTF-8'],
    ])('refuses %j', async (answer, why) => {
      worker.on('GET /status', json(answer));
      const error = await failureOf(client.status('enqueue'));
      expect(error).toMatchObject({ code: 'bad_answer', status: 200, sent: true });
      expect(error.message).toContain(`, GET /status: ${why}`);
    });

    it('follows no redirect', async () => {
      const location = `http://127.0.0.1:${worker.port}/secret`;
      worker.on('GET /status', json({}, 302, { location })).on('GET /secret', json(STATUS));
      expect(await failureOf(client.status('enqueue'))).toMatchObject({ status: 302 });
      expect(worker.calls).toHaveLength(1);
    });
  });

  describe('enqueue', () => {
    it('hands the task over byte by byte', async () => {
      worker.on('POST /queue/enqueue', json({ task_id: 'r-1', queue_size: 1, enqueue_time: 1.5 }));
      expect(await client.enqueue('enqueue', REQUEST)).toBe('r-1');
      expect(worker.calls[0]).toMatchObject({
        body:
          '{"input_data":{"prompt": "hi", "n": 1.0},' +
          '"metadata":{"user":"u","task_id":"t-1","dispatch_id":"d-1"},' +
          '"task_id":"t-1","model_name":"llama"}',
        headers: { 'content-type': 'application/json' },
      });
    });

    it('speaks to the later generation in its own words', async () => {
      worker.on('POST /queue/submit', json({ task_id: 17 }));
      expect(await client.enqueue('submit', REQUEST)).toBe('17');
      expect(JSON.parse(worker.calls[0]!.body)).toEqual({
        model_name: 'llama',
        task_input: { prompt: 'hi', n: 1 },
        metadata: { user: 'u', task_id: 't-1', dispatch_id: 'd-1' },
        task_id: 't-1',
      });
    });

    it.each([[{}], [{ task_id: '' }], [{ task_id: null }], [{ task_id: {} }], ['OK']])(
      'refuses an answer of %j',
      async (answer) => {
        worker.on('POST /queue/enqueue', json(answer));
        const error = await failureOf(client.enqueue('enqueue', REQUEST));
        expect(error).toMatchObject({ code: 'bad_answer', sent: true });
      },
    );
  });

  describe('predict and queueStatus', () => {
    const answer = { expected_ms: 12.5, error_ms: 2, queue_size: 4 };

    it('reads what the worker expects', async () => {
      const expected = { expectedMs: 12.5, errorMs: 2, queueSize: 4 };
      worker.on('POST /queue/predict', json(answer));
      worker.on('GET /queue/status', json({ ...answer, model_type: 'llama' }));
      expect(await client.predict()).toEqual(expected);
      expect(await client.queueStatus()).toEqual(expected);
    });

    it.each(['-1', '1e300', '"12"', 'NaN', '1e999', 'null'])(
      'refuses an expectation of %s',
      async (expected) => {
        worker.on(
          'POST /queue/predict',
          json(`{"expected_ms":${expected},"error_ms":1,"queue_size":0}`),
        );
        const error = await failureOf(client.predict());
        expect(error).toMatchObject({ code: 'bad_answer', call: 'POST /queue/predict' });
      },
    );
  });

  describe('result', () => {
    const done = (result: string, rest = ''): string =>
      `{"task_id":"r/1","status":"completed","error":null,"execution_time":12.5,"result":${result}${rest}}`;
    const answers = (body: unknown, status = 200): WorkerStub =>
      worker.on('GET /results/r%2F1', json(body, status));

    it('keeps the result as the worker wrote it', async () => {
      const text = '{ "b":1.0, "a":[12345678901234567890, 1e400], "a": "\\u00e9" }';
      answers(done(text));
      expect(await client.result('r/1')).toEqual({
        remoteId: 'r/1',
        state: 'completed',
        resultText: text,
        error: null,
        executionMs: 12.5,
      });
    });

    it('takes 404 for not finished', async () => {
      expect(await client.result('r/1')).toBeNull();
    });

    it.each(['queued', 'running'])(
      'shows nothing but the state of one that is %s',
      async (state) => {
        answers({ task_id: 'r/1', status: state, result: { half: true }, execution_time: 3 });
        expect(await client.result('r/1')).toEqual({
          remoteId: 'r/1',
          state,
          resultText: null,
          error: null,
          executionMs: null,
        });
      },
    );

    it('reads a failure', async () => {
      answers({ task_id: 'r/1', status: 'failed', result: null, error: 'out of\nmemory\u0000' });
      expect(await client.result('r/1')).toMatchObject({
        state: 'failed',
        resultText: null,
        error: 'out of\nmemory\ufffd',
        executionMs: null,
      });
    });

    it('shows an error that is no text as JSON, and not all of a long one', async () => {
      answers({ status: 'failed', error: { code: 7 } });
      expect((await client.result('r/1'))?.error).toBe('{"code":7}');
      answers({ status: 'failed', error: '😀'.repeat(3_000) });
      expect((await client.result('r/1'))?.error).toBe('😀'.repeat(2_000));
      answers({ status: 'failed', error: `x${'😀'.repeat(3_000)}` });
      expect((await client.result('r/1'))?.error?.endsWith('😀\ufffd')).toBe(true);
    });

    it.each([
      ['{"a":"\\u0000"}', 'unreadable result: NUL (\\u0000) in a string'],
      ['{"a":"\\ud800"}', 'unreadable result: lone surrogate (\\ud800) in a string'],
      ['NaN', 'unreadable result: not valid JSON'],
      ['{"a":Infinity}', 'unreadable result: not valid JSON'],
      [`${'['.repeat(65)}${']'.repeat(65)}`, 'unreadable result: nesting deeper than 64 levels'],
      [`"${'x'.repeat(LIMIT)}"`, `result too large: ${LIMIT + 2} bytes, allowed are ${LIMIT}`],
    ])('takes a result of %s for a failure', async (result, error) => {
      answers(done(result));
      expect(await client.result('r/1')).toEqual({
        remoteId: 'r/1',
        state: 'failed',
        resultText: null,
        error,
        executionMs: 12.5,
      });
    });

    it('takes a result that is not UTF-8 for a failure', async () => {
      answers(Buffer.from(done('{"a":"\u00e9"}'), 'latin1'));
      const result = await client.result('r/1');
      expect(result).toMatchObject({ state: 'failed', error: 'unreadable result: not UTF-8' });
    });

    it("keeps the worker's own error when the result beside it is unreadable", async () => {
      answers('{"status":"failed","error":"boom","result":NaN}');
      const result = await client.result('r/1');
      expect(result).toMatchObject({ state: 'failed', resultText: null, error: 'boom' });
    });

    it('takes a result as large as allowed', async () => {
      const text = `"${'é'.repeat(LIMIT / 2 - 1)}"`;
      answers(done(text));
      expect(await client.result('r/1')).toMatchObject({ state: 'completed', resultText: text });
    });

    it('takes an answer that is far too large for a failure, without reading it', async () => {
      let sent = 0;
      worker.on('GET /results/r%2F1', (response) => {
        response.writeHead(200);
        const chunk = Buffer.alloc(64 * 1024, ' ');
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        };
        response.on('drain', pour);
        pour();
      });
      expect(await client.result('r/1')).toMatchObject({
        remoteId: 'r/1',
        state: 'failed',
        error: `result too large; allowed are ${LIMIT} bytes`,
      });
      expect(sent).toBeLessThan(64 * 1024 * 1024);
    });

    it.each([['-5'], ['1e300'], ['"12"'], ['NaN'], ['1e999'], ['null']])(
      'does not believe an execution time of %s',
      async (time) => {
        answers(`{"status":"completed","result":{},"execution_time":${time}}`);
        expect(await client.result('r/1')).toMatchObject({ state: 'completed', executionMs: null });
      },
    );

    it('does not take the result of another task', async () => {
      answers({ task_id: 'r/2', status: 'completed', result: {} });
      const error = await failureOf(client.result('r/1'));
      expect(error).toMatchObject({ code: 'bad_answer' });
      expect(error.message).toContain('GET /results/r%2F1: the answer is of task "r/2"');
    });

    it.each([[{ status: 'splendid' }], [{}], [{ status: 7 }], [[]], ['<html>']])(
      'refuses an answer of %j',
      async (answer) => {
        answers(answer);
        expect(await failureOf(client.result('r/1'))).toMatchObject({ code: 'bad_answer' });
      },
    );
  });

  describe('resultByDispatchId', () => {
    const answers = (body: unknown): WorkerStub =>
      worker.on('GET /results?dispatch_id=d-1', json(body));

    it('finds the attempt, whatever its state', async () => {
      answers([{ task_id: 'r-1', dispatch_id: 'd-1', status: 'queued', result: null }]);
      const found = await client.resultByDispatchId(REQUEST.dispatchId);
      expect(found).toMatchObject({ remoteId: 'r-1', state: 'queued' });
    });

    it('takes an empty list for absence', async () => {
      answers([]);
      expect(await client.resultByDispatchId(REQUEST.dispatchId)).toBe('absent');
    });

    it('takes a list of other attempts for no proof of absence', async () => {
      answers([{ task_id: 'r-2', status: 'completed', result: {} }]);
      const error = await failureOf(client.resultByDispatchId(REQUEST.dispatchId));
      expect(error).toMatchObject({ code: 'bad_answer', reason: 'the list is of other attempts' });
    });

    it.each([[{}], [null], [[1]], ['[{]']])('refuses an answer of %j', async (answer) => {
      answers(answer);
      const error = await failureOf(client.resultByDispatchId(REQUEST.dispatchId));
      expect(error).toMatchObject({ code: 'bad_answer' });
    });
  });

  it('reads the list of all results', async () => {
    const results = [
      { task_id: 1, status: 'completed', result: { ok: true }, execution_time: 5 },
      { task_id: 'b', status: 'failed', error: 'no' },
    ];
    worker.on('GET /results', json(results));
    expect(await client.results()).toEqual([
      { remoteId: '1', state: 'completed', resultText: '{"ok":true}', error: null, executionMs: 5 },
      { remoteId: 'b', state: 'failed', resultText: null, error: 'no', executionMs: null },
    ]);
  });

  it('starts and stops replicas', async () => {
    worker.on('POST /models/start', json({ detail: 'ok', replicas_started: 2, total_replicas: 3 }));
    worker.on(
      'POST /models/stop',
      json({ stopped_replicas: ['r-1', 'r-\0'], remaining_replicas: 1 }),
    );
    const start = { modelType: 'llama', count: 2, config: { tp: 1 }, gpusPerModel: 1 };
    expect(await client.startModels(start)).toEqual({ detail: 'ok', started: 2, total: 3 });
    await client.startModels({ modelType: 'llama' });
    const stopped = { detail: '', stopped: ['r-1', 'r-\uFFFD'], remaining: 1 };
    expect(await client.stopModels(2)).toEqual(stopped);
    await client.stopModels();
    expect(worker.calls.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { model_type: 'llama', count: 2, config: { tp: 1 }, num_gpus_per_model: 1 },
      { model_type: 'llama', count: 1, config: {}, num_gpus_per_model: 0 },
      { count: 2 },
      { count: null },
    ]);
  });

  it.each(['POST /models/start', 'POST /models/stop'])('never repeats %s', async (call) => {
    worker.on(call, (response) => response.destroy());
    const made = call.endsWith('start')
      ? client.startModels({ modelType: 'llama' })
      : client.stopModels();
    expect(await failureOf(made)).toMatchObject({ code: 'unreachable', sent: true, call });
    expect(worker.calls).toHaveLength(1);
  });
});
