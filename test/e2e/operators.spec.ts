import { Scenario } from '../support/scenario';
import type { Json, ServiceProcess } from '../support/service-process';
import { TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(120_000);

describe('what operators ask for', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let desk: TaskDesk;

  beforeEach(async () => {
    scenario = await Scenario.begin();
    service = await scenario.serve();
    desk = new TaskDesk(await scenario.client(), () => service);
  });
  afterEach(() => scenario.close());

  async function restart(): Promise<void> {
    await service.kill();
    service = await scenario.serve();
  }

  /** Every task of a model has run once, and nothing of it was lost. */
  async function expectAllWell(executions: number): Promise<void> {
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    expect({ faults, ...figures }).toMatchObject({ faults: [], executions, lostAttempts: 0 });
  }

  it.each(['earliest', 'shortest_queue'])(
    'drains a worker for as long as they say, whoever restarts (%s)',
    async (strategy) => {
      await service.send('PATCH', '/v1/queues/m', JSON.stringify({ strategy }));
      const first = await scenario.worker('first', 'm');
      // Of a worker that has reported once it is known that nothing need be sent ahead.
      await desk.submit({ model: 'm', taskId: 'warm' });
      await desk.reached('warm', 'succeeded');
      await desk.submit({ model: 'm', taskId: 'running', serviceMs: 6_000 });
      await desk.atWorker('running');
      const waiting = ['w-1', 'w-2', 'w-3'];
      for (const taskId of waiting) await desk.submit({ model: 'm', taskId });
      const { id: firstId } = await desk.instance('first');
      const { status, body } = await service.post(`/v1/instances/first/drain`, {});
      expect([status, body.drained_by]).toEqual([200, ['operator']]);
      await restart();
      expect((await desk.instance('first')).drained_by).toEqual(['operator']);
      await scenario.worker('second', 'm');
      await desk.instanceIs('second', 'online');
      const { id: secondId } = await desk.instance('second');
      for (const taskId of waiting) {
        const ended = await desk.reached(taskId, 'succeeded');
        expect([taskId, ended.instance_id]).toEqual([taskId, secondId]);
      }
      const ended = await desk.reached('running', 'succeeded');
      expect([ended.instance_id, ended.attempts.length]).toEqual([firstId, 1]);

      // Repaired, and started again at the same address.
      const { port } = new URL(first.url);
      first.kill('SIGTERM');
      await first.ended();
      await until(async () => (await desk.instance('first')) === undefined, 'its removal');
      await scenario.worker('first', 'm', '--port', port);
      await desk.instanceIs('first', 'online');
      expect(await desk.instance('first')).toMatchObject({
        id: firstId,
        drained_by: ['operator'],
        unfit_because: 'draining',
      });
      await service.post('/v1/instances/second/drain', {});
      await desk.submit({ model: 'm', taskId: 'last' });
      const { body: back } = await service.post('/v1/instances/first/undrain', {});
      expect(back).toMatchObject({ draining: false, drained_by: [], unfit_because: null });
      expect((await desk.reached('last', 'succeeded')).instance_id).toBe(firstId);
      await expectAllWell(6);
    },
  );

  it('keeps a pause, limits and order over a kill -9', async () => {
    await scenario.worker('rested', 'rest');
    const change = { strategy: 'weighted', order_weight: 0, prefetch: 2, limit: 3 };
    const settings = { ...change, attempt_timeout_ms: 90_000, paused: true };
    await service.send('PATCH', '/v1/queues/rest', JSON.stringify(settings));
    await service.send('PATCH', '/v1/queues/none-yet', JSON.stringify({ limit: 5 }));
    const kept = ['rest-1', 'rest-2', 'rest-3'];
    for (const taskId of kept) await desk.submit({ model: 'rest', taskId });

    await restart();
    const queue = async (model: string): Promise<Json> =>
      (await service.get(`/v1/queues/${model}`)).body;
    expect(await queue('rest')).toMatchObject({ ...settings, waiting: 3, running: 0 });
    expect(await queue('none-yet')).toMatchObject({ limit: 5, instances: [] });
    await desk.instanceIs('rested', 'online');
    const more = { model_name: 'rest', task_input: {}, task_id: 'rest-4' };
    expect((await service.post('/queue/submit', more)).status).toBe(429);

    // What another queue gets done says that there was time to place something.
    await scenario.worker('busy', 'other');
    await desk.submit({ model: 'other' });
    await desk.reached('other', 'succeeded');
    expect(await desk.instance('rested')).toMatchObject({ occupied: 0, unfit_because: 'paused' });
    for (const taskId of kept) {
      expect(await desk.task(taskId)).toMatchObject({ state: 'queued', attempts: [] });
    }
    await service.post('/v1/queues/rest/resume', {});
    for (const taskId of kept) await desk.reached(taskId, 'succeeded');
    const { statistics } = await queue('rest');
    expect(statistics).toMatchObject({ last_tasks: { tasks: 3 }, last_hour: { tasks: 3 } });
    await expectAllWell(4);
  });
});
