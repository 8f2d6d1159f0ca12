import { runCli, type CliEnd } from '../support/cli-run';
import { Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(120_000);

describe('the command line and a real scheduler', () => {
  let scenario: Scenario;
  let service: ServiceProcess;

  beforeAll(async () => {
    scenario = await Scenario.begin();
    service = await scenario.serve();
    await scenario.worker('gpu7', 'm');
    await scenario.registered(1);
  });
  afterAll(() => scenario.close());

  const cli = (...args: string[]): Promise<CliEnd> =>
    runCli(args, { env: { FORESAIL_URL: service.url } });

  /** What a verb prints into a pipe. */
  const json = async (...args: string[]): Promise<Record<string, unknown>[]> => {
    const { code, out, err } = await cli(...args);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as Record<string, unknown>[];
  };

  const submit = (id: string, serviceMs: number, ...flags: string[]): Promise<CliEnd> => {
    const metadata = JSON.stringify({ service_ms: serviceMs });
    return cli('submit', '--model', 'm', '--task-id', id, '--metadata', metadata, ...flags);
  };

  it('list, show, filter and cancel tasks', async () => {
    expect((await submit('quick', 1, '--wait')).code).toBe(0);
    await submit('long', 600_000);
    await submit('waiting', 1);
    const live = await json('tasks', '--state', 'live', '--since', '1h');
    const shown = await cli('task', 'waiting', '-o', 'table');
    const table = await cli('tasks', '-o', 'table', '--instance', 'gpu7');
    const cancelled = await cli('cancel', 'waiting', 'quick', 'nobody', '--reason', 'a test');
    const finished = await json('tasks', '--state', 'finished', '--all');
    const wrong = await cli('tasks', '--state', 'lost');

    expect(live.map((task) => task['client_task_id'])).toEqual(['waiting', 'long']);
    expect(shown.out).toMatch(/\nstate +queued\n/);
    expect(table.out).toMatch(/ quick +m +succeeded .* 1 +gpu7/);
    expect(cancelled).toMatchObject({ code: 1, err: 'error: 2 of 3 refused\n' });
    expect(JSON.parse(cancelled.out)).toMatchObject([
      { id: 'waiting', error: null, task: { state: 'cancelled' } },
      { id: 'quick', error: expect.stringContaining('succeeded'), task: null },
      { id: 'nobody', error: expect.stringContaining('nobody'), task: null },
    ]);
    expect(finished.map((task) => task['client_task_id'])).toEqual(['waiting', 'quick']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('lost');
  });

  it('show the fleet, drain an instance and put it back', async () => {
    const [instance] = await json('instances', '--model', 'm', '--health', 'online');
    const none = await json('instances', '--model', 'other');
    const drained = await cli('drain', 'gpu7', '-o', 'table');
    const shown = await cli('instances', 'gpu7', '-o', 'table');
    const back = await json('drain', String(instance?.['id']), '--undo');

    expect(instance).toMatchObject({ name: 'gpu7', model: 'm' });
    expect(none).toEqual([]);
    expect(drained.out).toMatch(/\ngpu7 +m +gpu7 +draining /);
    expect(shown.out).toMatch(/\nnew work +draining\ndraining +yes\n/);
    expect(back).toMatchObject([{ error: null, instance: { draining: false } }]);
  });

  it('show queues and strategies, set, pause and resume', async () => {
    const listed = await cli('queues', '-o', 'table');
    const set = await cli(...['queues', 'set', 'm', '--strategy', 'weighted', '--prefetch', '1']);
    const strategy = await cli('strategy', '-o', 'table');
    const paused = await cli('queues', 'pause', 'm', '-o', 'table');
    const resumed = await cli('queues', 'resume', 'm');
    const unset = await cli('queues', 'set', 'm', '--strategy', 'default', '--prefetch', 'default');
    const shown = await cli('queues', 'm', '-o', 'table');
    const wrong = await cli('queues', 'set', 'm', '--strategy', 'fastest');

    expect(listed.out).toMatch(/\nm +earliest +0 +\d +gpu7 /);
    expect(JSON.parse(set.out)).toMatchObject({ strategy: 'weighted', prefetch: 1 });
    expect(strategy.out).toMatch(/\nm +weighted\n[^]*\nearliest +late +default\n/);
    expect(paused.out).toMatch(/\nstate +paused: nothing is placed\n/);
    expect(JSON.parse(resumed.out)).toMatchObject({ paused: false });
    expect(JSON.parse(unset.out)).toMatchObject({ strategy: 'earliest', prefetch: 0 });
    expect(shown.out).toMatch(/\nlast tasks +\d+ +wait /);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('shortest_queue');
  });
});
