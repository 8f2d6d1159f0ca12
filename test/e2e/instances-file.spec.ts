import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { report } from '../support/report';
import { OriginalWorker, type OriginalWorkerOptions } from '../support/original-worker';
import { Scenario } from '../support/scenario';
import { ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';
import { rowsOf } from '../support/verdict';

jest.setTimeout(120_000);

describe('the file of instances', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let desk: TaskDesk;
  let file: string;

  beforeAll(async () => {
    scenario = await Scenario.begin();
    file = join(scenario.folder, 'instances.yaml');
  });

  afterAll(() => scenario.close());

  /** A worker that the scheduler has not heard of. */
  async function stranger(
    options: Pick<OriginalWorkerOptions, 'model' | 'reporting'>,
  ): Promise<OriginalWorker> {
    const worker = await OriginalWorker.start({ scheduler: () => scenario.url, ...options });
    scenario.originals.push(worker);
    return worker;
  }

  /** Starts the service, or its successor, with a file of these workers. */
  async function serveWith(...entries: readonly [OriginalWorker, model?: string][]): Promise<void> {
    const lines = entries.map(([{ host, port }, model]) => {
      return `  - {host: ${host}, port: ${port}${model === undefined ? '' : `, model_name: ${model}`}}`;
    });
    await writeFile(file, `instances:${lines.length === 0 ? ' []' : `\n${lines.join('\n')}`}\n`);
    if (scenario.services.length > 0) await service.stop();
    service = await scenario.serve({ FORESAIL_INSTANCES_FILE: file });
    const client = await scenario.client();
    desk = new TaskDesk(client, () => service);
  }

  /** Models of the instances in service, by port. */
  async function models(): Promise<Record<number, string>> {
    const { instances } = (await service.get('/v1/instances')).body as {
      instances: { port: number; model: string }[];
    };
    return Object.fromEntries(instances.map(({ port, model }) => [port, model]));
  }

  it('registers what can be reached, with the model that is named or the one that it serves', async () => {
    const named = await stranger({ model: 'a' });
    const unnamed = await stranger({ model: 'b' });
    await serveWith([named, 'a'], [unnamed]);
    await until(async () => Object.keys(await models()).length === 2, 'both registrations');
    expect(await models()).toEqual({ [named.port]: 'a', [unnamed.port]: 'b' });
    for (const model of ['a', 'b']) {
      await desk.submit({ model });
      await desk.reached(model, 'succeeded');
    }
  });

  it('takes tasks for an instance that cannot be reached yet, and uses it when it can', async () => {
    const late = await stranger({ model: 'late' });
    await late.goDeaf();
    await serveWith([late, 'late']);
    const name = `${late.host}:${late.port}`;
    await desk.instanceIs(name, 'suspect');
    await desk.submit({ model: 'late' });
    const { scheduled_ti: planned } = (await service.get('/task/query?task_id=late')).body;
    expect(planned).toBe((await desk.instance(name)).id);
    await late.comeUp();
    const ended = await desk.reached('late', 'succeeded');
    expect(ended).toMatchObject({ instance_id: planned, attempts: [{ state: 'ended' }] });
    expect(await desk.instance(late.name)).toMatchObject({ id: planned, health: 'online' });
  });

  it('asks one again whose model nobody knows yet, until it answers', async () => {
    const secret = await stranger({ model: 'secret' });
    await secret.goDeaf();
    await serveWith([secret]);
    await until(() => service.log.includes('cannot be used yet'), 'the first try');
    expect(await models()).not.toHaveProperty(String(secret.port));
    await secret.comeUp();
    await until(async () => (await models())[secret.port] === 'secret', 'its registration');
    await desk.submit({ model: 'secret' });
    await desk.reached('secret', 'succeeded');
  });

  it('waits for one that serves another model than the file says', async () => {
    const other = await stranger({ model: 'mistral' });
    await serveWith([other, 'llama']);
    const message = 'serves \\"mistral\\", not \\"llama\\"';
    await until(() => service.log.includes(message), 'the first try');
    expect(await models()).not.toHaveProperty(String(other.port));
  });

  it('leaves a worker alone that was known before, and what it is at', async () => {
    const silent = await stranger({ model: 'silent', reporting: 'never' });
    await serveWith([silent, 'silent']);
    await until(async () => (await models())[silent.port] === 'silent', 'its registration');
    await desk.submit({ model: 'silent', serviceMs: ENDLESS_MS });
    await desk.atWorker('silent');
    await serveWith([silent, 'silent']);
    await desk.instanceIs(silent.name, 'online');
    silent.finishAll();
    await desk.reached('silent', 'succeeded');
    await desk.attemptsOf('silent', 'ended');
    expect(silent.executions).toHaveLength(1);
  });

  it('adds to what is registered: who is not in it stays, who was removed comes back', async () => {
    const dropped = await stranger({ model: 'dropped' });
    const removed = await stranger({ model: 'removed' });
    await serveWith([dropped, 'dropped'], [removed, 'removed']);
    await until(async () => (await models())[removed.port] === 'removed', 'its registration');
    await service.post('/ti/remove', { host: removed.host, port: removed.port });
    expect(await models()).not.toHaveProperty(String(removed.port));
    await serveWith([removed, 'removed']);
    await until(async () => (await models())[removed.port] === 'removed', 'its registration');
    expect(await models()).toMatchObject({ [dropped.port]: 'dropped' });
    for (const model of ['dropped', 'removed']) {
      await desk.submit({ model });
      await desk.reached(model, 'succeeded');
    }
  });

  it('stops the start when it is wrong, and nothing is begun', async () => {
    await service.stop();
    const before = await rowsOf(scenario.databaseUrl, 'SELECT * FROM leadership');
    await writeFile(file, 'instances:\n  - host: gpu-1\n    port: 70000\n  - {host: gpu-2}\n');
    const env = { FORESAIL_INSTANCES_FILE: file };
    const refused = ServiceProcess.spawn({ databaseUrl: scenario.databaseUrl, env });
    await refused.exited;
    expect(refused.child.exitCode).toBe(2);
    expect(refused.log).toMatch(/instances\.yaml:\n +line 3: .*port.*\n +line 4: .*port/);
    expect(refused.isUp).toBe(false);
    expect(await rowsOf(scenario.databaseUrl, 'SELECT * FROM leadership')).toEqual(before);
    await serveWith();
  });

  it('has kept every promise', async () => {
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report('instances file', figures);
    expect(faults).toEqual([]);
  });
});
