import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConformanceRig } from '../support/conformance-rig';
import { freshDatabase } from '../support/database';
import { lookupRecord } from '../support/lookup-records';
import { ServiceProcess, type Json } from '../support/service-process';
import { until } from '../support/until';
import { VirtualAddress } from '../support/virtual-address';
import { json, WorkerStub } from '../support/worker-stub';

const folder = mkdtempSync(join(tmpdir(), 'foresail-predictor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lookupFile = (name: string, records: readonly object[]): string => {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(records));
  return file;
};
const PREDICTION = json({ status: 'success', quantiles: [0.5], quantile_predictions: [200] });
const FOR_M = { ...lookupRecord({}, [10, 20, 30]), model_type: 'm' };

/** What the scheduler believes of a task that it is given now. */
class Desk {
  private tasks = 0;

  constructor(private readonly rig: ConformanceRig) {}

  /** The source that was believed, and the mean it gave in ms. */
  async submit(metadata: object = {}): Promise<readonly [method: string, serviceMs: number]> {
    const taskId = `t-${(this.tasks += 1)}`;
    await this.rig.submit(taskId, { metadata });
    const { prediction } = (await this.rig.get(`/v1/tasks/${taskId}`)).body;
    return [prediction.method, prediction.service_ms];
  }

  async remote(): Promise<string> {
    return ((await this.rig.get('/predictor/health')).body as { remote: string }).remote;
  }

  /** Submits until the predictor has been given up. */
  async untilSkipped(): Promise<void> {
    for (let asked = 0; (await this.remote()) === 'asked'; asked += 1) {
      expect(asked).toBeLessThan(10);
      expect((await this.submit())[0]).toBe('lookup');
    }
  }
}

describe('a predictor service', () => {
  let rig: ConformanceRig;
  let desk: Desk;
  let stub: WorkerStub;
  let address: VirtualAddress;

  beforeAll(async () => {
    stub = await WorkerStub.start();
    address = await VirtualAddress.listen(stub.port);
    rig = await ConformanceRig.start({
      FORESAIL_PREDICTOR_URL: `${address.url}/models`,
      FORESAIL_PREDICTOR_TIMEOUT_MS: '3000',
      FORESAIL_LOOKUP_FILE: lookupFile('service.json', [FOR_M]),
    });
    await rig.registered({ slots: 1 });
    desk = new Desk(rig);
  });
  afterAll(async () => {
    await rig.close();
    await address.close();
    await stub.stop();
  });

  const expectBelieved = async (method: string): Promise<void> => {
    expect(await desk.submit()).toEqual([method, expect.any(Number)]);
  };
  const told = (line: RegExp): Promise<void> =>
    until(() => line.test(rig.service.log), `the log to say ${line.source}`);
  const backAgain = async (): Promise<void> => {
    stub.on('POST /models/predict', PREDICTION);
    await until(async () => (await desk.submit())[0] === 'remote', 'the predictor to be believed');
    expect(await desk.remote()).toBe('asked');
  };

  it('is believed before the table, and not before the task itself', async () => {
    stub.on('POST /models/predict', PREDICTION);
    expect(await desk.submit({ input_tokens: 7 })).toEqual(['remote', 200]);
    expect(JSON.parse(stub.calls[0]?.body ?? '')).toEqual({
      model_type: 'm',
      metadata: { input_tokens: 7 },
    });
    expect(await desk.submit({ predicted_ms: 42 })).toEqual(['metadata', 42]);
    expect(stub.calls).toHaveLength(1);
    const question = { model: 'm', metadata: { input_tokens: 8 } };
    const { body } = await rig.post('/v1/predictions', question);
    expect(body).toMatchObject({ source: 'remote', mean_ms: 200 });
  });

  it('is not asked about a task that is not taken', async () => {
    stub.on('POST /models/predict', PREDICTION);
    await rig.submit('known', { metadata: {} });
    const before = stub.calls.length;
    await rig.submit('known', { metadata: {} });
    const nobodys = { model_name: 'nobody', task_input: {}, metadata: {} };
    expect((await rig.post('/queue/submit', nobodys)).status).toBe(503);
    expect(stub.calls).toHaveLength(before);
  });

  it('is asked once for twins that come at once, and the task is taken once', async () => {
    const held: Parameters<typeof PREDICTION>[] = [];
    stub.on('POST /models/predict', (...call) => void held.push(call));
    const twins = [1, 2, 3].map(() => rig.submit('twin', { metadata: { twin: true } }));
    await until(() => held.length > 0, 'the question');
    for (const call of held) PREDICTION(...call);
    const answers = await Promise.all(twins);
    expect(new Set(answers.map(({ task_id }: Json) => String(task_id)))).toEqual(new Set(['twin']));
    expect(held).toHaveLength(1);
    const [{ prediction }] = [(await rig.get('/v1/tasks/twin')).body];
    expect(prediction).toMatchObject({ method: 'remote' });
  });

  it('that knows nothing leaves it to the table', async () => {
    stub.on('POST /models/predict', json({ status: 'error', message: 'unknown' }));
    await expectBelieved('lookup');
    expect(await desk.remote()).toBe('asked');
  });

  it('that lies is skipped, and believed again when it does not', async () => {
    const lie = { status: 'success', quantiles: [0.9, 0.1], quantile_predictions: [1, -1] };
    stub.on('POST /models/predict', json(lie));
    await desk.untilSkipped();
    await told(/POST \/models\/predict: quantiles must ascend.* skipped/);
    await backAgain();
    await told(/predictor .* answers again/);
  });

  it('that does not answer is skipped', async () => {
    stub.on('POST /models/predict', () => undefined);
    await desk.untilSkipped();
    const before = stub.calls.length;
    await expectBelieved('lookup');
    expect(stub.calls).toHaveLength(before);
    await backAgain();
  });

  it('that is dead is skipped, and believed again when it is back', async () => {
    const { port } = await freePort();
    address.pointTo(port);
    await desk.untilSkipped();
    address.pointTo(stub.port);
    await backAgain();
  });

  it('takes a storm of submissions', async () => {
    stub.on('POST /models/predict', PREDICTION);
    const storm = Array.from({ length: 200 }, (_, i) =>
      rig.submit(`storm-${i}`, { metadata: { i } }),
    );
    const ids = (await Promise.all(storm)).map(({ task_id }: Json) => String(task_id));
    expect(new Set(ids).size).toBe(200);
    expect(await desk.remote()).toBe('asked');
  });

  it('is left alone in mode lookup_table, also after a restart', async () => {
    stub.on('POST /models/predict', PREDICTION);
    await expectBelieved('remote');
    await rig.post('/scheduler/predict_mode', { mode: 'lookup_table' });
    const before = stub.calls.length;
    await expectBelieved('lookup');
    await rig.restart();
    await expectBelieved('lookup');
    expect(stub.calls).toHaveLength(before);
    await rig.post('/scheduler/predict_mode', { mode: 'default' });
    await expectBelieved('remote');
  });
});

/** A port at which nobody listens. */
async function freePort(): Promise<{ readonly port: number }> {
  const stub = await WorkerStub.start();
  const { port } = stub;
  await stub.stop();
  return { port };
}

describe('two schedulers that ask each other', () => {
  it('answer what one of them knows, and end where nobody knows anything', async () => {
    const toSecond = await VirtualAddress.listen(1);
    const first = await ConformanceRig.start({
      FORESAIL_PREDICTOR_URL: `${toSecond.url}/predictor`,
      FORESAIL_PREDICTOR_TIMEOUT_MS: '10000',
    });
    const second = await ConformanceRig.start({
      FORESAIL_PREDICTOR_URL: `${first.service.url}/predictor`,
      FORESAIL_PREDICTOR_TIMEOUT_MS: '10000',
      FORESAIL_LOOKUP_FILE: lookupFile('second.json', [lookupRecord({}, [10, 20, 30])]),
    });
    toSecond.pointTo(second.service.port);
    const predict = async (rig: ConformanceRig, model: string): Promise<Json> =>
      (await rig.post('/predictor/predict', { model_type: model })).body;
    try {
      expect(await predict(first, 'llama')).toMatchObject({
        prediction_method: 'remote',
        quantile_predictions: [10, 20, 30],
      });
      expect(await predict(first, 'nobody')).toMatchObject({ status: 'error' });
      expect(await predict(second, 'nobody')).toMatchObject({ status: 'error' });
      for (const rig of [first, second]) {
        expect((await rig.get('/predictor/health')).body).toMatchObject({ remote: 'asked' });
      }
    } finally {
      await first.close();
      await second.close();
      await toSecond.close();
    }
  });
});

describe('the lookup file', () => {
  it('is followed while the service runs; a wrong one changes nothing', async () => {
    const file = lookupFile('followed.json', [FOR_M]);
    const rig = await ConformanceRig.start({ FORESAIL_LOOKUP_FILE: file });
    const desk = new Desk(rig);
    const status = async (): Promise<Json> => (await rig.get('/predictor/health')).body.lookup;
    try {
      await rig.registered();
      const [, before] = await desk.submit();
      const draft = lookupFile('draft.json', [
        { ...lookupRecord({ hardware: 'A100' }, [100, 200, 300]), model_type: 'm' },
        FOR_M,
      ]);
      renameSync(draft, file);
      await until(async () => (await status()).records === 2, 'the new records');
      const [method, after] = await desk.submit({ hardware: 'A100' });
      expect([method, after > before]).toEqual(['lookup', true]);
      writeFileSync(file, JSON.stringify([FOR_M, { ...FOR_M, quantiles: [2] }]));
      await until(async () => (await status()).fault !== null, 'the fault');
      expect(await status()).toMatchObject({
        records: 2,
        fault: expect.stringMatching(/^record 1: /),
      });
      const told = `lookup file ${file}: record 1: `;
      await until(() => rig.service.log.includes(told), 'the log to say so');
      expect(await desk.submit({ hardware: 'A100' })).toEqual([method, after]);
    } finally {
      await rig.close();
    }
  });
});

describe('a start with settings that cannot be', () => {
  it.each([
    ['an address that no service has', 'http://169.254.169.254/', 'not an address that'],
    ['a key in the address', 'http://me:secret@predictor/', 'must not carry a user'],
    ['its own address', 'http://localhost:PORT/predictor', 'leads to this service itself'],
  ])('ends with one sentence: %s', async (_, url, sentence) => {
    const { port } = await freePort();
    const database = await freshDatabase();
    const env = { FORESAIL_PREDICTOR_URL: url.replace('PORT', String(port)) };
    const service = ServiceProcess.spawn({ databaseUrl: database.url, port, env });
    await service.exited;
    expect(service.child.exitCode).toBe(2);
    expect(service.log.trim().split('\n')).toEqual([expect.stringContaining(sentence)]);
    await database.drop();
  });
});
