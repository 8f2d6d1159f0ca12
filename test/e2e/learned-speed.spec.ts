import { Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(90_000);

describe('instances that say nothing of their speed', () => {
  let scenario: Scenario;

  beforeEach(async () => (scenario = await Scenario.begin()));
  afterEach(() => scenario.close());

  it('are known by what they complete, also after a restart', async () => {
    let service: ServiceProcess = await scenario.serve();
    const desk = new TaskDesk(await scenario.client(), () => service);
    const slow = await scenario.original({ model: 'm' });
    const fast = await scenario.original({ model: 'm' });
    fast.speed = 4;
    const speedOf = async ({ name }: { name: string }): Promise<number> =>
      Number((await desk.instance(name))?.speed);
    let submitted = 0;
    const work = async (): Promise<void> => {
      const ids = Array.from({ length: 8 }, () => `task-${++submitted}`);
      for (const taskId of ids) await desk.submit({ model: 'm', taskId, serviceMs: 80 });
      for (const taskId of ids) await desk.reached(taskId, 'succeeded');
    };
    await until(async () => {
      await work();
      return (await speedOf(fast)) > 2 * (await speedOf(slow));
    }, 'the difference to be known');
    // Factors of a model have the geometric mean 1; each is brought up to date by the next probe.
    await until(
      async () => Math.abs((await speedOf(fast)) * (await speedOf(slow)) - 1) < 1e-9,
      'the factors to be in balance',
    );
    const before = [await speedOf(slow), await speedOf(fast)];
    expect(await desk.instance(fast.name)).toMatchObject({ declared_speed: 1 });

    await service.stop();
    service = await scenario.serve();
    await until(async () => {
      const after = [await speedOf(slow), await speedOf(fast)];
      return after.every((speed, at) => Math.abs(speed - (before[at] ?? 0)) < 1e-6);
    }, 'the speeds from before');
    await scenario.settled();
  });
});
