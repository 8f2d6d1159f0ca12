import type { OriginalAnswer } from '../support/original-worker';
import { Scenario } from '../support/scenario';
import type { Json, ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';
import { violationsIn } from '../support/verdict';

jest.setTimeout(90_000);

/** Workers that do harmless things, as often as they like: nothing may come of it. */
describe('workers that repeat themselves', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let desk: TaskDesk;

  beforeAll(async () => {
    scenario = await Scenario.begin();
    service = await scenario.serve();
    desk = new TaskDesk(await scenario.client(), () => service);
  });

  afterAll(() => scenario.close());

  afterEach(async () => expect(await violationsIn(scenario.databaseUrl)).toEqual([]));

  const probesOf = (calls: readonly string[]): number =>
    calls.filter((call) => call.startsWith('GET /status')).length;

  it('keep their tasks when they register again', async () => {
    const calls: string[] = [];
    const worker = await scenario.original({ model: 'again', reporting: 'never' });
    worker.lie = (call, honest) => {
      calls.push(call);
      return honest();
    };
    await desk.submit({ model: 'again', serviceMs: ENDLESS_MS });
    await desk.atWorker('again');
    for (let n = 0; n < 4; n++) {
      const before = probesOf(calls);
      await worker.register();
      await until(() => probesOf(calls) > before + 1, 'a probe after the registration');
    }
    worker.finishAll();
    await desk.reached('again', 'succeeded');
    expect(worker.executions).toHaveLength(1);
    await desk.attemptsOf('again', 'ended');
  });

  it('are not given up when they register between a bare notification and its result', async () => {
    const worker = await scenario.original({ model: 'bare', reporting: 'never' });
    await desk.submit({ model: 'bare', serviceMs: ENDLESS_MS });
    await desk.atWorker('bare');
    worker.hidesResults = true;
    worker.finishAll();
    await worker.report('/notify/task_complete', { task_id: '1' });
    await worker.register();
    await desk.reached('bare', 'succeeded');
    expect(worker.executions).toHaveLength(1);
  });

  it('are believed that they are still at it, whatever they said before', async () => {
    const worker = await scenario.original({ model: 'early', reporting: 'never' });
    let asked = 0;
    worker.lie = (call, honest): Promise<OriginalAnswer> => {
      if (!call.startsWith('GET /results/') || ++asked > 20) return honest();
      const body = { task_id: '1', status: 'running', result: null, error: null };
      return Promise.resolve({ status: 200, body });
    };
    await desk.submit({ model: 'early', serviceMs: ENDLESS_MS });
    await desk.atWorker('early');
    worker.finishAll();
    await worker.report('/notify/task_complete', { task_id: '1' });
    const { result } = await desk.reached('early', 'succeeded');
    expect(asked).toBeGreaterThan(20);
    expect(result).toEqual(worker.resultOf('1'));
  });

  it('have a notification that outlives a kill -9 of the scheduler', async () => {
    const worker = await scenario.original({ model: 'durable', reporting: 'never' });
    await desk.submit({ model: 'durable', serviceMs: ENDLESS_MS });
    await desk.atWorker('durable');
    worker.hidesResults = true;
    worker.finishAll();
    const said = await worker.report('/notify/task_complete', { task_id: '1' });
    expect(said.body).toMatchObject({ status: 'success' });
    await service.kill();
    service = await scenario.serve();
    await desk.reached('durable', 'succeeded');
    expect(worker.executions).toHaveLength(1);
    const { events } = await desk.task('durable');
    expect((events as { type: string }[]).map(({ type }) => type)).toContain('vacated');
  });

  it('have their own tasks, also when they have the same name', async () => {
    const [one, other] = [
      await scenario.original({ model: 'one' }),
      await scenario.original({ model: 'other' }),
    ];
    const called = async (honest: () => Promise<OriginalAnswer>): Promise<OriginalAnswer> => {
      const answer = await honest();
      return { ...answer, body: { ...(answer.body as object), instance_id: 'same' } };
    };
    for (const worker of [one, other]) {
      worker.lie = (call, honest) => (call.startsWith('GET /status') ? called(honest) : honest());
    }
    const named = async (): Promise<number> => {
      const { instances } = (await service.get('/v1/instances')).body as { instances: Json[] };
      return instances.filter(({ name }) => name === 'same').length;
    };
    await until(async () => (await named()) === 2, 'both of them to have that name');
    for (const model of ['one', 'other']) {
      await desk.submit({ model, serviceMs: ENDLESS_MS });
      await desk.atWorker(model);
    }
    one.finishAll();
    await one.report('/result/submit', {
      task_id: '1',
      instance_id: 'same',
      result: one.resultOf('1'),
    });
    await desk.reached('one', 'succeeded');
    expect((await desk.task('other')).state).not.toBe('succeeded');
    other.finishAll();
    const { result } = await desk.reached('other', 'succeeded');
    expect(result).toEqual(other.resultOf('1'));
  });

  it('that refuse whatever others complete are found out, and cost few tasks', async () => {
    const bad = await scenario.original({ model: 'picky' });
    const good = await scenario.original({ model: 'picky' });
    bad.refuse = () => ({ status: 422 });
    for (let n = 0; n < 60; n++) {
      await service.post('/queue/submit', { model_name: 'picky', task_input: { n } });
    }
    await until(
      async () => (await desk.instance(bad.name))?.unfit_because === 'quarantined',
      'the quarantine',
    );
    await scenario.settled();
    expect(good.executions.length).toBeGreaterThan(30);
  });
});
