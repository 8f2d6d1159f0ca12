import { Client } from 'pg';
import { PrometheusText } from '../support/prometheus-text';
import { QUICK, Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(120_000);

describe('the self-check', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let desk: TaskDesk;
  let client: Client;

  beforeAll(async () => {
    scenario = await Scenario.begin({ env: { ...QUICK, FORESAIL_SELF_CHECK_MS: '100' } });
    service = await scenario.serve();
    desk = new TaskDesk(await scenario.client(), () => service);
    client = new Client({ connectionString: scenario.databaseUrl });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await scenario.close();
  });

  const figure = async (
    name: string,
    labels: Record<string, string> = {},
  ): Promise<number | undefined> => {
    const { body } = await service.get('/metrics');
    return new PrometheusText(body as string).value(name, labels);
  };
  const broken = (invariant: string): Promise<number | undefined> =>
    figure('foresail_invariant_violations', { invariant });
  const checked = async (): Promise<void> => {
    const name = 'foresail_self_check_timestamp_seconds';
    const last = (await figure(name)) ?? 0;
    await until(async () => ((await figure(name)) ?? 0) > last, 'another check');
  };

  it('finds nothing while all is well', async () => {
    await scenario.original({ model: 'm' });
    await desk.submit({ model: 'm', taskId: 'task', serviceMs: ENDLESS_MS });
    await desk.atWorker('task');
    await checked();
    for (const rule of ['I3', 'I5', 'I9', 'I10', 'I11']) expect(await broken(rule)).toBe(0);
    expect(service.log).not.toContain('a rule of the record is broken');
  });

  it('cries when a row breaks a rule, and is quiet again when it does not', async () => {
    const { id } = await desk.task('task');
    await client.query(`UPDATE attempts SET state = 'ended', ended_at = now()`);
    await until(async () => ((await broken('I5')) ?? 0) > 0, 'the figure of the broken rule');
    expect(await broken('I3')).toBe(0);
    const line = service.log
      .split('\n')
      .find((text) => text.includes('a rule of the record is broken'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      level: 50,
      invariant: 'I5',
      rule: expect.stringContaining('an active task has a live attempt'),
      subject: id,
      detail: expect.stringContaining('dispatched'),
    });
    await client.query(`UPDATE attempts SET state = 'live', ended_at = NULL`);
    await until(async () => (await broken('I5')) === 0, 'the figure to be 0 again');
  });
});
