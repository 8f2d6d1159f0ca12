import { ConformanceRig } from '../support/conformance-rig';
import type { OriginalInstance } from '../support/original-instance';
import type { Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(60_000);

/** What a task of so many tokens takes at the instance, in ms. */
const serviceMs = (tokens: number): number => 2 * tokens;

/** Runs tasks to their end, at once. */
class Bench {
  private count = 0;

  constructor(
    private readonly rig: ConformanceRig,
    private readonly instance: OriginalInstance,
  ) {}

  /** One task after the other, of ever more tokens. */
  async run(tasks: number, more: object = {}): Promise<void> {
    for (let n = 0; n < tasks; n += 1) await this.runOne(10 + 7 * (n % 40), more);
  }

  async prediction(metadata: object): Promise<Json> {
    const taskId = `p-${(this.count += 1)}`;
    await this.rig.submit(taskId, { metadata });
    return (await this.rig.get(`/v1/tasks/${taskId}`)).body.prediction;
  }

  private async runOne(tokens: number, more: object): Promise<void> {
    const taskId = `t-${(this.count += 1)}`;
    const metadata = { input_tokens: tokens, ...more };
    await this.rig.submit(taskId, { task_input: { taskId }, metadata });
    const given = (): string | undefined =>
      this.instance.given.find(({ input }) => (input as { taskId?: string }).taskId === taskId)
        ?.remoteId;
    await until(() => given() !== undefined, `${taskId} to be at the instance`);
    const { status } = await this.rig.post('/result/submit', {
      task_id: given(),
      instance_id: this.instance.name,
      execution_time: serviceMs(tokens),
      result: {},
    });
    expect(status).toBe(200);
  }
}

describe('a scheduler that learns from its own tasks', () => {
  let rig: ConformanceRig;
  let bench: Bench;

  beforeAll(async () => {
    rig = await ConformanceRig.start();
    const [instance] = await rig.registered({ slots: 1_000 });
    bench = new Bench(rig, instance);
  });
  afterAll(() => rig.close());

  it('believes what it learned from 20 outcomes on, whoever predicted those', async () => {
    await bench.run(19, { predicted_ms: 5 });
    expect(await bench.prediction({ input_tokens: 100 })).toMatchObject({ method: 'default' });
    await bench.run(21);
    const { method, service_ms: mean } = await bench.prediction({ input_tokens: 100 });
    expect(method).toBe('learned');
    expect(Math.abs(mean - serviceMs(100)) / serviceMs(100)).toBeLessThan(0.5);
  });

  it('tells what a task would get from it, and how well that has held', async () => {
    const question = { model: 'm', metadata: { input_tokens: 100 } };
    const { body: preview } = await rig.post('/v1/predictions', question);
    expect(preview).toMatchObject({ model: 'm', source: 'learned' });
    expect(preview.quantile_predictions).toHaveLength(5);
    const { body } = await rig.get('/v1/predictions?model=m&source=learned');
    expect(body.predictions).toMatchObject([{ outcomes: 20, coverage80: expect.any(Number) }]);
    expect(body.predictions[0].mape).toBeLessThan(0.5);
  });

  it('believes the task itself first, and the table alone when it is told to', async () => {
    expect(await bench.prediction({ predicted_ms: 9 })).toMatchObject({ method: 'metadata' });
    await rig.post('/scheduler/predict_mode', { mode: 'lookup_table' });
    expect(await bench.prediction({ input_tokens: 100 })).toMatchObject({ method: 'default' });
    await rig.post('/scheduler/predict_mode', { mode: 'default' });
    expect(await bench.prediction({ input_tokens: 100 })).toMatchObject({ method: 'learned' });
  });

  const known = async (tokens: number): Promise<readonly number[]> => {
    const question = { model_type: 'm', metadata: { input_tokens: tokens } };
    const { body } = await rig.post('/predictor/predict', question);
    return body.prediction_method === 'learned' ? (body.quantile_predictions as number[]) : [];
  };

  it('knows the same after a restart', async () => {
    const before = [await known(20), await known(250)];
    expect(before.map(({ length }) => length)).toEqual([5, 5]);
    await rig.restart();
    expect([await known(20), await known(250)]).toEqual(before);
  });

  it('knows it after a crash too, with what came since it was written down last', async () => {
    await bench.run(60, { steps: 3 });
    const before = await known(100);
    await rig.service.kill();
    await rig.restart();
    const differences = async (): Promise<readonly number[]> => {
      const after = await known(100);
      return before.map((ms, index) => Math.abs((after[index] ?? 0) - ms) / ms);
    };
    await until(
      async () => (await differences()).every((difference) => difference < 0.05),
      'what came last to be learned from history',
    );
  });
});
