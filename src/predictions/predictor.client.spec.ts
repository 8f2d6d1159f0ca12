import { json, startFrozen, startRaw, WorkerStub } from '../../test/support/worker-stub';
import { PredictorClient } from './predictor.client';
import { PredictorError } from './predictor.error';

const ANSWER = {
  status: 'success',
  message: null,
  model_type: 'llama',
  quantiles: [0.1, 0.5, 0.9],
  quantile_predictions: [100, 200, 400],
  prediction_method: 'lookup',
  confidence: 0.85,
};
/** Patience where nothing is to be seen of it, in ms. */
const PATIENT = { timeoutMs: 10_000 };

describe('PredictorClient', () => {
  const opened: { destroy(): Promise<void> }[] = [];
  const started: { stop(): Promise<void> }[] = [];

  const clientOf = (port: number, base = '', options = PATIENT): PredictorClient => {
    const client = new PredictorClient(`http://127.0.0.1:${port}${base}`, options);
    opened.push(client);
    return client;
  };
  const serve = async (): Promise<WorkerStub> => {
    const stub = await WorkerStub.start();
    started.push(stub);
    return stub;
  };
  const failureOf = async (call: Promise<unknown>): Promise<PredictorError> => {
    const error: unknown = await call.then(
      (value) => new Error(`no failure but ${JSON.stringify(value)}`),
      (reason: unknown) => reason,
    );
    if (error instanceof PredictorError) return error;
    throw error;
  };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((client) => client.destroy()));
    await Promise.all(started.splice(0).map((server) => server.stop()));
  });

  it('asks below its base path, and reads what it is told', async () => {
    const stub = (await serve()).on('POST /base/predict', json(ANSWER));
    const prediction = await clientOf(stub.port, '/base/').predict('llama', { input_tokens: 7 });
    expect(JSON.parse(stub.calls[0]?.body ?? '')).toEqual({
      model_type: 'llama',
      metadata: { input_tokens: 7 },
    });
    expect(prediction).toMatchObject({
      modelType: 'llama',
      quantiles: [0.1, 0.5, 0.9],
      quantilePredictions: [100, 200, 400],
      method: 'lookup',
      confidence: 0.85,
    });
    expect(prediction?.range(0.8)).toEqual({ lowMs: 100, highMs: 400 });
    expect(prediction?.range(0.5).lowMs).toBeCloseTo(137.5);
  });

  it('tells apart what is not known from what failed', async () => {
    const nothing = { status: 'error', message: 'No prediction data available' };
    const stub = (await serve()).on('POST /predict', json(nothing));
    expect(await clientOf(stub.port).predict('llama')).toBeNull();
    stub.on('POST /predict', json({ detail: 'busy' }, 503, { 'retry-after': '2' }));
    const error = await failureOf(clientOf(stub.port).predict('llama'));
    expect(error).toMatchObject({ code: 'http_status', status: 503, retryAfterMs: 2_000 });
    expect(error.message).toBe(
      `predictor 127.0.0.1:${stub.port}, POST /predict: answered 503: {"detail":"busy"}`,
    );
  });

  it.each([
    ['no JSON', 'soon'],
    ['not even an object', [ANSWER]],
    [
      'NaN, as Python prints it',
      '{"status":"success","quantiles":[0.5],"quantile_predictions":[NaN]}',
    ],
    ['no status', { ...ANSWER, status: undefined }],
    ['a status that is deep', `{"status":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
    ['levels that fall', { ...ANSWER, quantiles: [0.9, 0.5, 0.1] }],
    ['levels beyond 1', { ...ANSWER, quantiles: [10, 50, 90] }],
    ['times that fall', { ...ANSWER, quantile_predictions: [3, 2, 1] }],
    ['negative times', { ...ANSWER, quantile_predictions: [-3, 2, 3] }],
    [
      'times beyond all measure',
      '{"status":"success","quantiles":[0.5],"quantile_predictions":[1e999]}',
    ],
    ['other lengths', { ...ANSWER, quantiles: [0.5] }],
    ['no quantiles at all', { ...ANSWER, quantiles: [], quantile_predictions: [] }],
    ['texts', { ...ANSWER, quantile_predictions: ['1', '2', '3'] }],
    [
      'more quantiles than anyone needs',
      { ...ANSWER, quantiles: Array(5_000).fill(0.5), quantile_predictions: Array(5_000).fill(1) },
    ],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d])],
  ])('does not believe %s', async (_, answer) => {
    const stub = (await serve()).on('POST /predict', json(answer));
    const error = await failureOf(clientOf(stub.port).predict('llama'));
    expect(error.code).toBe('bad_answer');
  });

  it('passes over what is wrong beside the quantiles', async () => {
    const odd = { ...ANSWER, prediction_method: 7, confidence: 'high', model_type: {} };
    const stub = (await serve()).on('POST /predict', json(odd));
    const prediction = await clientOf(stub.port).predict('llama');
    expect(prediction).toMatchObject({ modelType: 'llama', method: null, confidence: null });
  });

  it('reads no more than a prediction can have', async () => {
    const stub = (await serve()).on('POST /predict', json(`"${'x'.repeat(100_000)}"`));
    expect(await failureOf(clientOf(stub.port).predict('llama'))).toMatchObject({
      code: 'too_large',
    });
  });

  it('follows no redirect', async () => {
    const elsewhere = json({}, 307, { location: 'http://169.254.169.254/' });
    const stub = (await serve()).on('POST /predict', elsewhere);
    expect(await failureOf(clientOf(stub.port).predict('llama'))).toMatchObject({ status: 307 });
  });

  it('gives up when its time is over, whatever is missing', async () => {
    const silent = (await serve()).on('POST /predict', () => undefined);
    const dripping = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{');
    });
    const frozen = await startFrozen();
    started.push(dripping, frozen);
    for (const { port } of [silent, dripping, frozen]) {
      const call = clientOf(port).predict('llama', {}, { timeoutMs: 50 });
      expect(await failureOf(call)).toMatchObject({ code: 'timeout' });
    }
  });

  it('says that nobody is there, and where a name must not lead', async () => {
    const stub = await serve();
    const { port } = stub;
    await stub.stop();
    started.pop();
    expect(await failureOf(clientOf(port).health())).toMatchObject({ code: 'unreachable' });
    const client = new PredictorClient('http://predictor:1', PATIENT, (_name, _options, found) =>
      found(null, [{ address: '169.254.169.254', family: 4 }]),
    );
    opened.push(client);
    expect((await failureOf(client.health())).message).toContain('(link-local)');
    expect(() => new PredictorClient('http://169.254.169.254')).toThrow(/predictor URL/);
  });

  it('asks how the predictor is', async () => {
    const health = { status: 'healthy', service: 'predictor', version: '1.0.0', total_models: 15 };
    const stub = (await serve()).on('GET /health', json(health));
    const expected = { healthy: true, version: '1.0.0', totalModels: 15 };
    expect(await clientOf(stub.port).health()).toEqual(expected);
    stub.on('GET /health', json({ status: 'unhealthy', total_models: -1 }));
    const ill = { healthy: false, version: null, totalModels: null };
    expect(await clientOf(stub.port).health()).toEqual(ill);
    stub.on('GET /health', json({}));
    expect((await failureOf(clientOf(stub.port).health())).reason).toBe(
      'status is absent; expected a text',
    );
  });

  it('asks what it knows of', async () => {
    const models = [
      {
        model_type: 'llama',
        model_name: 'LLaMA 7B',
        total_predictions: 800,
        hardware_types: ['A100'],
        software_versions: ['vllm-0.2.0'],
      },
      { model_type: 'bare' },
    ];
    const stub = (await serve()).on('GET /models', json({ status: 'success', models }));
    expect(await clientOf(stub.port).models()).toEqual([
      {
        modelType: 'llama',
        modelName: 'LLaMA 7B',
        totalPredictions: 800,
        hardwareTypes: ['A100'],
        softwareVersions: ['vllm-0.2.0'],
      },
      {
        modelType: 'bare',
        modelName: null,
        totalPredictions: null,
        hardwareTypes: [],
        softwareVersions: [],
      },
    ]);
    for (const wrong of [{}, [1], [{}], [{ model_type: 'a', hardware_types: [1] }]]) {
      stub.on('GET /models', json({ status: 'success', models: wrong }));
      expect(await failureOf(clientOf(stub.port).models())).toMatchObject({ code: 'bad_answer' });
    }
  });
});
