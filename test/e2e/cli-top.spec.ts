import { runCli, type CliEnd } from '../support/cli-run';
import { FakeApi } from '../support/fake-api';
import { instanceAnswer, queueAnswer, summaryAnswer } from '../support/fleet-answers';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(60_000);

let api: FakeApi;

beforeEach(async () => {
  api = await FakeApi.start();
});

afterEach(async () => {
  await api.goDown();
});

const cli = (...args: string[]): Promise<CliEnd> =>
  runCli(args, { env: { FORESAIL_URL: api.url } });

describe('top', () => {
  const ANSWERS: Readonly<Record<string, object>> = {
    '/v1/queues': {
      queues: [
        queueAnswer({
          instances: [
            { instance_id: 'i1', instance_name: 'gpu7', wait_ms: 1840.5, wait_error_ms: 212 },
            { instance_id: 'i3', instance_name: 'gone', wait_ms: 0, wait_error_ms: 0 },
          ],
        }),
        queueAnswer({
          ...{ model: 'stuck', paused: true, waiting: 1, running: 0, unfit: { lost: 1 } },
          instances: [{ instance_id: 'i3', instance_name: 'gone', wait_ms: 0, wait_error_ms: 0 }],
        }),
      ],
    },
    '/v1/batch-queue': { strategy: 'least_loaded', paused: false, waiting: 4, running: 2 },
    '/v1/instances': {
      instances: [
        instanceAnswer(),
        instanceAnswer({ id: 'i2', name: 'gpu8', waiting: 9 }),
        instanceAnswer({ id: 'i3', name: 'gone', unfit_because: 'lost', health: 'lost' }),
      ],
      next_cursor: null,
    },
    '/v1/tasks': { tasks: [summaryAnswer({ state: 'running' })], next_cursor: null },
  };

  beforeEach(() => {
    api.answer = ({ path }) => ({ body: ANSWERS[path] ?? {} });
  });

  it('shows what needs a look first, and how much is not shown', async () => {
    const { code, out, err } = await cli('top', '--rows', '2', '-o', 'table');

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^instances +3, 1 of them without new work\nslots +6\ntasks there +3\ntasks waiting +10,/,
    );
    expect(out).toMatch(/\nm +earliest +5 +3 +1\.8 s\n/);
    expect(out).toMatch(/\nstuck +earliest \(paused\) +1 +0 +–\n/);
    expect(out).toMatch(/\n\(batch jobs\) +least_loaded +4 +2 +–\n/);
    expect(out).toMatch(/\nm +gone .*\nm +gpu8 .*\nand 1 more\n/);
    expect(out).toMatch(/ order-1 .* running .* gpu7\n/);
    const query = api.calls.find(({ path }) => path === '/v1/tasks')?.query;
    expect(query?.get('state')).toBe('dispatching,dispatched,running,paused,stopping');
    expect(query?.get('limit')).toBe('2');
  });

  it('gives a pipe one look, as the API answered', async () => {
    const { code, out } = await cli('top');

    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      queues: [{ model: 'm' }, { model: 'stuck' }],
      batch_queue: { waiting: 4 },
      instances: [{ name: 'gone' }, { name: 'gpu8' }, { name: 'gpu7' }],
      tasks: [{ client_task_id: 'order-1' }],
    });
  });

  it('says so when there is nothing yet', async () => {
    api.answer = ({ path }) => ({
      body:
        path === '/v1/batch-queue'
          ? { strategy: 'least_loaded', paused: false, waiting: 0, running: 0 }
          : { queues: [], instances: [], tasks: [], next_cursor: null },
    });
    const { out } = await cli('top', '-o', 'table');

    const lines = [
      'instances      0\nslots          0\ntasks there    0\ntasks waiting  0, beside placements',
      'there is no queue yet',
      'no instance is registered',
      'no instance has a task',
    ];
    expect(out).toBe(`${lines.join('\n\n')}\n`);
  });
});
