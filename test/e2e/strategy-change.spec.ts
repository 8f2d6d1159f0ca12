import { BUILT_IN } from '../../src/strategies/strategy.registry';
import { Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(60_000);

const NAMES = BUILT_IN.map((create) => create().name);

describe('a change of strategy while tasks wait', () => {
  let scenario: Scenario;

  beforeEach(async () => (scenario = await Scenario.begin()));
  afterEach(() => scenario.close());

  async function strategiesOf(service: ServiceProcess): Promise<unknown> {
    const { body } = await service.get('/v1/queues');
    const queues = body.queues as { model: string; strategy: string }[];
    return Object.fromEntries(queues.map(({ model, strategy }) => [model, strategy]));
  }

  it('holds for each of them, over a kill -9, and costs no task', async () => {
    let service = await scenario.serve();
    const client = await scenario.client();
    const desk = new TaskDesk(client, () => service);
    // Two workers per queue, all their slots taken: what comes now waits.
    const workers = await Promise.all(
      NAMES.flatMap((model) => [model, model]).map((model) => scenario.original({ model })),
    );
    const tasksPerQueue = 8;
    const chosen = new Map<string, string>();
    for (const [index, model] of NAMES.entries()) {
      for (let n = 0; n < tasksPerQueue; n += 1) {
        await desk.submit({ model, taskId: `${model}-${n}`, serviceMs: ENDLESS_MS });
      }
      const sent = (): number =>
        workers.reduce((sum, { arrivals }) => sum + arrivals.length, 0) - 4 * index;
      await until(() => sent() === 4, `what ${model} has slots for, and one ahead at each worker`);
      // Through all the others and to the next one, with tasks that wait or are bound by then.
      for (const name of [...NAMES.slice(index), ...NAMES.slice(0, index + 1)]) {
        const { body } = await service.post('/scheduler/set', { name, model_name: model });
        expect(body).toEqual({ status: 'success', message: 'OK' });
        chosen.set(model, name);
      }
      const last = NAMES[(index + 1) % NAMES.length] ?? '';
      await service.post('/scheduler/set', { name: last, model_name: model });
      chosen.set(model, last);
    }
    await service.post('/scheduler/set', { name: 'weighted' });
    expect(await strategiesOf(service)).toEqual(Object.fromEntries(chosen));

    await service.kill();
    service = await scenario.serve();
    expect(await strategiesOf(service)).toEqual(Object.fromEntries(chosen));
    await scenario.original({ model: 'new' });
    expect(await strategiesOf(service)).toMatchObject({ new: 'weighted' });

    const total = NAMES.length * tasksPerQueue;
    const executed = (): number =>
      workers.reduce((sum, { executions }) => sum + executions.length, 0);
    await until(() => {
      for (const worker of workers) worker.finishAll();
      return executed() === total;
    }, 'every task having run');
    await scenario.settled();
    const { faults, executions, lostAttempts } = await scenario.verdict();
    expect({ faults, executions, lostAttempts }).toEqual({
      faults: [],
      executions: total,
      lostAttempts: 0,
    });
  });

  it('answers an unknown name with the valid ones, and changes nothing', async () => {
    const service = await scenario.serve();
    await scenario.original({ model: 'm' });
    const { status, body } = await service.post('/scheduler/set', { name: 'fastest' });
    expect([status, body.status]).toEqual([200, 'error']);
    for (const name of NAMES) expect(body.message).toContain(name);
    expect(await strategiesOf(service)).toEqual({ m: 'earliest' });
  });
});
