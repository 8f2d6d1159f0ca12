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
});
