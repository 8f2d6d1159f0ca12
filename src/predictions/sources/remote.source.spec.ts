import type { ServerResponse } from 'node:http';
import { json, WorkerStub } from '../../../test/support/worker-stub';
import { until } from '../../../test/support/until';
import type { PredictionQuery } from '../prediction-source';
import { PredictorClient } from '../predictor.client';
import { CALLS_AT_ONCE, RemoteSource } from './remote.source';

const ANSWER = json({ status: 'success', quantiles: [0.5], quantile_predictions: [200] });
const NOTHING = json({ status: 'error', message: 'nothing known' });
/** Patience where nothing is to be seen of it, in ms. */
const PATIENT = 20_000;

describe('RemoteSource', () => {
  const opened: RemoteSource[] = [];
  const told: string[] = [];
  const logger = {
    warn: (message: string): void => void told.push(`warn ${message}`),
    log: (message: string): void => void told.push(`log ${message}`),
  };
  let stub: WorkerStub;

  const sourceWith = (patienceMs: number): RemoteSource => {
    const url = `http://127.0.0.1:${stub.port}`;
    const limits = { timeoutMs: patienceMs, connections: CALLS_AT_ONCE };
    const client = new PredictorClient(url, limits);
    const source = new RemoteSource(client, patienceMs, 'foresail-one', logger);
    opened.push(source);
    return source;
  };
  const ask = async (source: RemoteSource, query: Partial<PredictionQuery> = {}) => {
    const answer = await source.predict({ model: 'llama', metadata: {}, ...query });
    return answer?.mean;
  };
  const failUntilSkipped = async (source: RemoteSource): Promise<void> => {
    for (let asked = 0; source.state === 'asked'; asked += 1) {
      expect(asked).toBeLessThan(6);
      expect(await ask(source)).toBeUndefined();
    }
  };

  beforeEach(async () => {
    told.length = 0;
    stub = await WorkerStub.start();
    stub.on('POST /predict', ANSWER);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((source) => source.onApplicationShutdown()));
    await stub.stop();
  });

  it('is told what the predictor knows, and that it knows nothing', async () => {
    const source = sourceWith(PATIENT);
    expect(await ask(source)).toBe(200);
    stub.on('POST /predict', NOTHING);
    expect(await ask(source)).toBeUndefined();
    expect(source.state).toBe('asked');
  });

  it('is nothing without a predictor', () => {
    const source = new RemoteSource(null, 1, 'foresail-one', logger);
    expect(source.predict({ model: 'llama', metadata: {} })).toBeUndefined();
    expect(source.state).toBe('none');
  });

  it('lets equal questions share one call, and only those', async () => {
    const held: ServerResponse[] = [];
    stub.on('POST /predict', (response) => void held.push(response));
    const source = sourceWith(PATIENT);
    const questions = [{}, {}, { metadata: { tokens: 1 } }, { model: 'gpt' }];
    const answers = questions.map((question) => ask(source, question));
    await until(() => held.length === 3, 'three calls');
    for (const response of held) ANSWER(response, stub.calls[0]!);
    expect(await Promise.all(answers)).toEqual([200, 200, 200, 200]);
    expect(stub.calls).toHaveLength(3);
    void ask(source);
    await until(() => held.length === 4, 'a call of its own after that');
  });

  it('skips a predictor that fails, probes it, and asks it again when it is back', async () => {
    stub.on('POST /predict', json('no JSON'));
    const source = sourceWith(PATIENT);
    await failUntilSkipped(source);
    expect(source.state).toBe('skipped');
    const before = stub.calls.length;
    stub.on('POST /predict', ANSWER);
    expect(await ask(source)).toBeUndefined();
    expect(stub.calls).toHaveLength(before);
    await until(async () => (await ask(source)) === 200, 'the predictor to be asked again');
    expect(source.state).toBe('asked');
    expect(stub.calls).toHaveLength(before + 1);
    expect(told).toEqual([
      expect.stringMatching(/^warn predictor .* POST \/predict: expected a JSON object.* skipped/),
      expect.stringMatching(/^log predictor .* answers again$/),
    ]);
  });

  it('waits for a slow predictor no longer than its patience, and then not at all', async () => {
    stub.on('POST /predict', () => undefined);
    const source = sourceWith(50);
    await failUntilSkipped(source);
    expect(told).toEqual([expect.stringContaining('no complete answer within 50 ms')]);
  });

  it('lets nobody wait for the answer to a probe', async () => {
    const held: ServerResponse[] = [];
    stub.on('POST /predict', json('no JSON'));
    const source = sourceWith(PATIENT);
    await failUntilSkipped(source);
    stub.on('POST /predict', (response) => void held.push(response));
    await until(() => {
      if (held.length === 0) void ask(source);
      return held.length === 1;
    }, 'a probe');
    expect(await ask(source, { model: 'gpt' })).toBeUndefined();
    expect(source.state).toBe('skipped');
    ANSWER(held[0]!, stub.calls[0]!);
    await until(() => source.state === 'asked', 'the circuit to close');
  });

  it('asks only so much at once, and calls the rest no fault', async () => {
    const held: ServerResponse[] = [];
    stub.on('POST /predict', (response) => void held.push(response));
    const source = sourceWith(PATIENT);
    const burst: Promise<number | undefined>[] = [];
    for (let i = 0; i < 10_000; i += 1) burst.push(ask(source, { metadata: { i } }));
    // What is above the line is answered while the predictor still holds everything else.
    const last = await burst[9_999];
    expect(last).toBeUndefined();
    await until(() => held.length === CALLS_AT_ONCE, 'as many calls as there may be');
    stub.on('POST /predict', ANSWER);
    for (const response of held) ANSWER(response, stub.calls[0]!);
    const answers = await Promise.all(burst);
    const answered = answers.filter((answer) => answer === 200).length;
    expect(answered).toBeGreaterThan(CALLS_AT_ONCE);
    expect(answered).toBeLessThan(10_000);
    expect(source.state).toBe('asked');
    expect(told).toEqual([]);
  });

  it('lets questions go that waited in line too long, and calls that no fault', async () => {
    const held: ServerResponse[] = [];
    stub.on('POST /predict', (response) => void held.push(response));
    const patienceMs = 4_000;
    const source = sourceWith(patienceMs);
    const burst = Array.from({ length: 100 }, (_, i) => ask(source, { metadata: { i } }));
    const halfOver = performance.now() + patienceMs / 2;
    await until(() => held.length === CALLS_AT_ONCE, 'as many calls as there may be');
    await until(() => performance.now() > halfOver, 'half of the patience to be over');
    for (const response of held) ANSWER(response, stub.calls[0]!);
    const answers = await Promise.all(burst);
    expect(answers.filter((answer) => answer === 200)).toHaveLength(CALLS_AT_ONCE);
    expect(stub.calls).toHaveLength(CALLS_AT_ONCE);
    expect(source.state).toBe('asked');
  });

  it('does not ask when the question is its own, or has come too long a way', async () => {
    const source = sourceWith(PATIENT);
    expect(await ask(source, { via: '1.1 foresail-two, 1.1 foresail-one' })).toBeUndefined();
    expect(await ask(source, { via: 'x'.repeat(1_000) })).toBeUndefined();
    expect(stub.calls).toEqual([]);
    expect(await ask(source, { via: '1.1 foresail-two' })).toBe(200);
    expect(await ask(source)).toBe(200);
    expect(stub.calls.map(({ headers }) => headers.via)).toEqual([
      '1.1 foresail-two, 1.1 foresail-one',
      '1.1 foresail-one',
    ]);
  });

  it('does not ask about what is payload and no feature', async () => {
    const source = sourceWith(PATIENT);
    expect(await ask(source, { metadata: { text: 'x'.repeat(20_000) } })).toBeUndefined();
    expect(stub.calls).toEqual([]);
  });

  it('takes the refusal of a question for "nothing known", and tells of it once', async () => {
    stub.on('POST /predict', json({ detail: 'no such model' }, 404));
    const source = sourceWith(PATIENT);
    for (let i = 0; i < 10; i += 1) expect(await ask(source)).toBeUndefined();
    expect(stub.calls).toHaveLength(10);
    expect(source.state).toBe('asked');
    expect(told).toEqual([expect.stringContaining('answered 404')]);
  });
});
