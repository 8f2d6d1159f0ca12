import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConformanceRig } from '../support/conformance-rig';
import { lookupRecord } from '../support/lookup-records';
import type { Answer, Json } from '../support/service-process';

jest.setTimeout(60_000);

const MANIFEST = readFileSync(resolve(__dirname, '../../package.json'), 'utf8');
const { version } = JSON.parse(MANIFEST) as { version: string };

const folder = mkdtempSync(join(tmpdir(), 'foresail-predictor-'));
const file = join(folder, 'lookup.json');
const RECORDS = [
  lookupRecord({ hardware: 'A100', software_name: 'vllm', software_version: '0.2.0' }),
  lookupRecord({ hardware: 'H100' }, [10, 20, 30]),
  { ...lookupRecord({ type: 'gpt', name: 'GPT' }, [1, 2, 3]), model_type: undefined },
  { ...lookupRecord({}, [1, 50, 900]), model_type: 'm' },
  { status: 'error', model_type: 'failed' },
];

let rig: ConformanceRig;

beforeAll(async () => {
  writeFileSync(file, JSON.stringify(RECORDS));
  rig = await ConformanceRig.start({ FORESAIL_LOOKUP_FILE: file });
});
afterAll(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

const predict = (model: unknown, metadata?: unknown): Promise<Answer> =>
  rig.post('/predictor/predict', { model_type: model, metadata });

describe('POST /predictor/predict', () => {
  it('predicts', async () => {
    const { status, headers, body } = await predict('llama', { hardware: 'H100', batch_size: 1 });
    expect([status, body]).toEqual([
      200,
      {
        status: 'success',
        message: null,
        model_type: 'llama',
        quantiles: [0.1, 0.5, 0.9],
        quantile_predictions: [10, 20, 30],
        prediction_method: 'lookup',
        confidence: 0.5,
      },
    ]);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('takes a question without metadata', async () => {
    const { status, body } = await rig.post('/predictor/predict', { model_type: 'gpt' });
    expect([status, body]).toMatchObject([200, { quantile_predictions: [1, 2, 3] }]);
  });

  it.each([
    ['a model that nobody knows', 'gpt-9', {}],
    ['hardware that nobody knows', 'llama', { hardware: 'TPU' }],
    ['a record that failed', 'failed', {}],
    ['what the asker predicts', 'gpt-9', { predicted_ms: 7 }],
  ])('knows nothing of %s', async (_, model, metadata) => {
    const { status, body } = await predict(model, metadata);
    const message = `nothing is known of model ${JSON.stringify(model)} with this metadata`;
    expect([status, body]).toEqual([200, { status: 'error', message }]);
  });

  it('says what it knows, not what the asker predicts', async () => {
    const { body } = await predict('gpt', { predicted_ms: 7, quantiles: [0.5] });
    expect(body).toMatchObject({ prediction_method: 'lookup', quantile_predictions: [1, 2, 3] });
  });

  it.each([
    ['no model', {}, 'model_type'],
    ['null', { model_type: null }, 'model_type'],
    ['a number', { model_type: 7 }, 'model_type'],
    ['a list', { model_type: ['llama'] }, 'model_type'],
    ['nothing', { model_type: '' }, 'model_type'],
    ['too long a name', { model_type: 'x'.repeat(257) }, 'model_type'],
    ['no metadata at all', { model_type: 'llama', metadata: null }, 'metadata'],
    ['metadata in a list', { model_type: 'llama', metadata: [] }, 'metadata'],
    ['metadata in a text', { model_type: 'llama', metadata: 'A100' }, 'metadata'],
  ])('refuses %s', async (_, body, field) => {
    const answer = await rig.post('/predictor/predict', body);
    expect(answer).toMatchObject({
      status: 422,
      body: {
        status: 'error',
        message: expect.stringContaining(field),
        detail: [{ loc: ['body', field], msg: expect.any(String), type: expect.any(String) }],
      },
    });
    expect(Object.keys(answer.body as object)).toEqual(['status', 'message', 'detail']);
  });

  it.each([
    ['half an object', 400, '{"model_type":'],
    ['NaN', 400, '{"model_type":"m","metadata":{"a":NaN}}'],
    ['a list', 422, '[]'],
    ['what cannot be kept', 422, '{"model_type":"m","metadata":{"a":1e999}}'],
    ['lists without end', 422, `{"model_type":"m","metadata":{"a":${'['.repeat(100_000)}`],
    ['more than there may be', 413, `{"model_type":"${'x'.repeat(1_100_000)}"}`],
  ])('refuses %s with %i', async (_, status, text) => {
    const answer = await rig.service.send('POST', '/predictor/predict', text);
    expect(answer).toMatchObject({
      status,
      body: { status: 'error', message: expect.any(String) },
    });
  });

  it('refuses another content type', async () => {
    const headers = { 'content-type': 'text/plain' };
    const answer = await rig.service.send('POST', '/predictor/predict', '{}', headers);
    expect(answer).toMatchObject({ status: 415, body: { status: 'error' } });
  });

  it('takes a question from wherever it says it comes', async () => {
    const headers = { 'content-type': 'application/json', via: `1.1 ${'x'.repeat(4_000)}, ,` };
    const question = '{"model_type":"gpt"}';
    const answer = await rig.service.send('POST', '/predictor/predict', question, headers);
    expect(answer).toMatchObject({ status: 200, body: { status: 'success' } });
  });
});

describe('GET /predictor/models', () => {
  it('lists what is known', async () => {
    const { status, body } = await rig.get('/predictor/models');
    const counted = { total_predictions: expect.any(Number) };
    expect([status, body]).toEqual([
      200,
      {
        status: 'success',
        models: [
          {
            model_type: 'llama',
            model_name: 'llama',
            ...counted,
            hardware_types: ['A100', 'H100'],
            software_versions: ['vllm-0.2.0'],
          },
          {
            model_type: 'gpt',
            model_name: 'GPT',
            ...counted,
            hardware_types: [],
            software_versions: [],
          },
          {
            model_type: 'm',
            model_name: 'm',
            ...counted,
            hardware_types: [],
            software_versions: [],
          },
        ],
      },
    ]);
  });

  it('counts the predictions', async () => {
    const count = async (): Promise<number> => {
      const { models } = (await rig.get('/predictor/models')).body as { models: Json[] };
      return Number(models[1].total_predictions);
    };
    const before = await count();
    await predict('gpt');
    await predict('gpt', { hardware: 'TPU' });
    expect(await count()).toBe(before + 1);
  });
});

describe('GET /predictor/health', () => {
  it('tells how it is', async () => {
    const { status, body } = await rig.get('/predictor/health');
    expect([status, body]).toEqual([
      200,
      {
        status: 'healthy',
        service: 'predictor',
        version,
        total_models: 3,
        mode: 'default',
        remote: 'none',
        lookup: { records: 4, loaded_at: expect.any(String), fault: null },
      },
    ]);
  });
});

describe('what is not there', () => {
  it.each([
    ['GET', '/predictor/predict', 405, 'POST'],
    ['POST', '/predictor/health', 405, 'GET, HEAD'],
    ['DELETE', '/predictor/models', 405, 'GET, HEAD'],
    ['GET', '/predictor', 404, undefined],
    ['POST', '/predictor/nothing', 404, undefined],
  ])('%s %s is refused with %i, in the predictor’s shape', async (method, path, status, allow) => {
    const answer = await rig.service.send(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers['allow']).toBe(allow);
    expect(answer.body).toEqual({ status: 'error', message: expect.any(String) });
  });
});

describe('the confidence', () => {
  const confidence = async (): Promise<number> =>
    Number(((await predict('m')).body as { confidence: unknown }).confidence);

  it('is the share of outcomes inside the 80 % interval, also after a restart', async () => {
    // What is learned from these very tasks would be believed before the table.
    await rig.post('/scheduler/predict_mode', { mode: 'lookup_table' });
    const [instance] = await rig.registered({ name: 'ti', slots: 50 });
    let tasks = 0;
    const run = async (count: number, executionMs: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const taskId = `task-${(tasks += 1)}`;
        await rig.submit(taskId, { metadata: {} });
        const report = { task_id: taskId, instance_id: instance.name, result: {} };
        const answer = await rig.post('/result/submit', { ...report, execution_time: executionMs });
        expect(answer.body).toMatchObject({ status: 'success' });
      }
    };
    await run(19, 500);
    expect(await confidence()).toBe(0.5);
    await run(1, 500);
    expect(await confidence()).toBe(1);
    await run(5, 950);
    expect(await confidence()).toBe(0.8);
    // Longer than the attempt can have taken: nobody learns from that.
    await run(5, 1e12);
    expect(await confidence()).toBe(0.8);
    await rig.restart();
    expect(await confidence()).toBe(0.8);
  });
});
