import { createHash } from 'node:crypto';
import { Scenario } from '../support/scenario';
import type { Answer, ServiceProcess } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(120_000);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('from a submission to its result, and through a kill -9', () => {
  let scenario: Scenario;

  beforeEach(async () => (scenario = await Scenario.begin()));
  afterEach(() => scenario.close());

  const task = (id: string, serviceMs: number) => ({
    model_name: 'm',
    task_id: id,
    task_input: { id },
    metadata: { service_ms: serviceMs },
  });

  it('registers, submits, runs, answers, dies, and goes on as if nothing had happened', async () => {
    const first = await scenario.serve();
    await scenario.worker('w1', 'm', '--replicas', '2');
    await scenario.registered(1);
    const [{ ti_uuid: instance }] = (await first.get('/queue/info')).body.queues;

    const submitted = await first.post('/queue/submit', task('short', 20));
    expect(submitted).toMatchObject({
      status: 200,
      body: { status: 'success', task_id: 'short', scheduled_ti: instance },
    });
    const query = (service: ServiceProcess, id: string): Promise<Answer> =>
      service.get(`/task/query?task_id=${id}`);
    const reached = (service: ServiceProcess, id: string, status: string): Promise<void> =>
      until(
        async () => (await query(service, id)).body.task_status === status,
        `${id} being ${status}`,
      );
    await reached(first, 'short', 'completed');
    const { body: ended } = await query(first, 'short');
    expect(ended).toMatchObject({
      task_id: 'short',
      scheduled_ti: instance,
      submit_time: expect.any(Number),
      result: { output: { id: 'short' }, input_sha256: sha256('{"id":"short"}') },
    });

    const accepted = await first.post('/queue/submit', task('long', 3_000));
    await reached(first, 'long', 'scheduled');
    const killedAt = Date.now() / 1000;
    await first.kill();
    expect(first.child.signalCode).toBe('SIGKILL');

    const second = await scenario.serve();
    // It says that it leads when it is ready, in whichever order the two lines come.
    await second.hasLogged(/"msg":"leading"/);
    expect(second.log).not.toContain('stands by');
    expect((await query(second, 'short')).body).toEqual(ended);
    expect((await second.post('/queue/submit', task('short', 20))).body).toEqual(submitted.body);
    expect((await second.post('/queue/submit', task('long', 3_000))).body).toEqual(accepted.body);
    await reached(second, 'long', 'completed');
    const { body: long } = await query(second, 'long');
    expect(long.result.input_sha256).toBe(sha256('{"id":"long"}'));

    await scenario.settled();
    const executions = await scenario.executions();
    expect(executions.map(({ ok }) => ok)).toEqual([true, true]);
    const [, ran] = [...executions].sort((a, b) => a.finished_at - b.finished_at);
    expect(ran?.started_at).toBeLessThan(killedAt);
    expect(ran?.finished_at).toBeGreaterThan(killedAt);
    expect(await second.stop()).toBe(0);
  });

  it('answers the repeat of an id alike, whatever became of the task', async () => {
    const service = await scenario.serve();
    await scenario.worker('w1', 'm');
    await scenario.registered(1);
    const client = await scenario.client();
    const twins = await Promise.all(
      [1, 2, 3, 4, 5].map(() => service.post('/queue/submit', task('twin', 100))),
    );
    expect(new Set(twins.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await client.submit({ taskId: 'twin', model: 'm', input: { id: 'twin' }, metadata: {} });
    await scenario.settled();
    expect((await service.post('/queue/submit', task('twin', 100))).body).toEqual(twins[0]?.body);
    expect(await scenario.verdict()).toMatchObject({ accepted: 1, executions: 1, faults: [] });
  });
});
