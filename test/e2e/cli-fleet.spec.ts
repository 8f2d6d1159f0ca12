import { runCli, type CliEnd } from '../support/cli-run';
import { FakeApi, type ApiAnswer } from '../support/fake-api';
import {
  instanceAnswer,
  queueAnswer,
  statisticsAnswer,
  summaryAnswer,
} from '../support/fleet-answers';
import { taskAnswer } from '../support/task-answer';

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

const problem = (status: number, detail: string): ApiAnswer => ({ status, body: { detail } });

describe('predict', () => {
  const PREVIEW = {
    model: 'llama',
    source: 'learned',
    quantiles: [0.1, 0.29, 0.9],
    quantile_predictions: [850, 1300, 2100],
    mean_ms: 1375.5,
    deviation_ms: 480.25,
    confidence: 0.81,
  };

  it('shows what a task would get, and from which source', async () => {
    api.answer = () => ({ body: PREVIEW });
    const metadata = '{"input_tokens": 1.0}';
    const asTable = await cli('predict', '--model', 'llama', '--metadata', metadata, '-o', 'table');
    const asJson = await cli('predict', '--model', 'llama');

    expect(asTable).toMatchObject({ code: 0, err: '' });
    expect(asTable.out).toBe(
      [
        'model        llama',
        'source       learned',
        'mean         1.4 s',
        'deviation    480 ms',
        '10 % within  850 ms',
        '29 % within  1.3 s',
        '90 % within  2.1 s',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(asJson.out)).toEqual(PREVIEW);
    expect(api.calls.map(({ method, path, text }) => [method, path, text])).toEqual([
      ['POST', '/v1/predictions', `{"model":"llama","metadata":${metadata}}`],
      ['POST', '/v1/predictions', '{"model":"llama","metadata":{}}'],
    ]);
  });

  it.each([
    ['nothing to predict', [], '--model'],
    ['two questions at once', ['--model', 'm', '--evaluate', 'f.csv'], '--evaluate'],
    ['rows of nothing', ['--model', 'm', '--rows', 'f.csv'], '--rows'],
    ['metadata that are no object', ['--model', 'm', '--metadata', '[]'], '--metadata'],
  ])('refuses %s', async (_, flags, named) => {
    const { code, err } = await cli('predict', ...flags);
    expect([code, err]).toEqual([2, expect.stringContaining(named)]);
    expect(api.calls).toEqual([]);
  });
});

describe('task', () => {
  it('shows no prediction of a placement, which has none', async () => {
    const prediction = { method: 'none', service_ms: 0 };
    const task = taskAnswer({ kind: 'placement', state: 'dispatched', prediction });
    api.answer = ({ path }) => ({ body: path === '/v1/instances' ? { instances: [] } : task });
    const { out } = await cli('task', 't', '-o', 'table');

    expect(out).toMatch(/\nstate +dispatched\n/);
    expect(out).not.toContain('predicted');
  });
});

describe('instances', () => {
  it('are filtered by the service, all pages of them', async () => {
    api.answer = ({ query }) => {
      const isSecond = query.get('cursor') === 'c2';
      const instance = instanceAnswer({ id: isSecond ? 'i2' : 'i1' });
      return { body: { instances: [instance], next_cursor: isSecond ? null : 'c2' } };
    };
    const { code, out } = await cli('instances', '--model', 'm', '--health', 'online');

    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([{ id: 'i1' }, { id: 'i2' }]);
    const asked = api.calls.map(({ query }) => Object.fromEntries(query));
    const first = { model: 'm', health: 'online', limit: '1000' };
    expect(asked).toEqual([first, { ...first, cursor: 'c2' }]);
  });

  it('are shown one by one', async () => {
    api.answer = () => ({ body: instanceAnswer({ unfit_because: 'no_replicas' }) });
    const { out } = await cli('instances', '10.0.0.7:8100', '-o', 'table');

    expect(out).toMatch(/^id +i1\nname +gpu7\n[^]*\nnew work +no_replicas\n/);
    expect(api.calls[0]?.path).toBe('/v1/instances/10.0.0.7%3A8100');
  });

  it.each([
    ['worker', '10.0.0.5:9000'],
    ['host', 'h1'],
  ])('are shown with the address of a %s as it is', async (kind, host) => {
    const instance = instanceAnswer({ kind, host, port: 0 });
    api.answer = ({ path }) => ({
      body: path === '/v1/instances' ? { instances: [instance] } : instance,
    });
    const table = await cli('instances', '-o', 'table');
    const one = await cli('instances', 'gpu7', '-o', 'table');

    expect(table.out).toContain(` ${host} `);
    expect(one.out).toMatch(new RegExp(`^address +${host}$`, 'm'));
  });

  it('are drained and put back into service', async () => {
    api.answer = ({ path }) => {
      const draining = path.endsWith('/drain');
      return { body: instanceAnswer({ draining, unfit_because: draining ? 'draining' : null }) };
    };
    const drained = await cli('drain', 'gpu7', 'gpu8', '-o', 'table');
    const back = await cli('drain', 'gpu7', '--undo');

    expect(drained.code).toBe(0);
    expect(drained.out).toMatch(
      /^ID +MODEL +NAME +NEW WORK +BUSY +WAITING.*\ngpu7 +m +gpu7 +drain/,
    );
    expect(JSON.parse(back.out)).toMatchObject([{ id: 'gpu7', error: null }]);
    expect(api.calls.map(({ path }) => path)).toEqual([
      '/v1/instances/gpu7/drain',
      '/v1/instances/gpu8/drain',
      '/v1/instances/gpu7/undrain',
    ]);
  });

  it('are taken out of service, one by one', async () => {
    const problem = { status: 409, code: 'forbidden_transition', detail: 'drain it first' };
    api.answer = ({ path }) =>
      path.endsWith('8') ? { status: 409, body: problem } : { body: instanceAnswer({}) };
    const { code, out, err } = await cli('remove', 'gpu/7', 'gpu8', '-o', 'table');

    expect([code, err]).toEqual([1, expect.stringContaining('1 of 2 refused')]);
    expect(out).toMatch(/^ID +MODEL +NAME +ERROR *\ngpu\/7 +m +gpu7 *\ngpu8 .*drain it first/);
    expect(api.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'DELETE /v1/instances/gpu%2F7',
      'DELETE /v1/instances/gpu8',
    ]);
  });
});

describe('queues', () => {
  it('are listed with the waits at their instances', async () => {
    const stuck = { model: 'o', unfit: { no_replicas: 1 } };
    const queues = [
      queueAnswer({ unfit: {} }),
      queueAnswer({ model: 'n', instances: [], paused: true }),
      queueAnswer(stuck),
    ];
    api.answer = () => ({ body: { queues } });
    const table = await cli('queues', '-o', 'table');
    const piped = await cli('queues');

    expect(JSON.parse(piped.out)).toEqual(queues);
    expect(table.out).toMatch(/\nm +earliest +5 +3 +gpu7 +1\.8 s +212 ms\n/);
    expect(table.out).toMatch(/\nn +earliest \(paused\) +5 +3 +none +– +–\n/);
    expect(table.out).toMatch(/\no +earliest +5 +3 +gpu7 +– +– +no_replicas \(1\)\n$/);
  });

  it.each([[['queues', 'org/m']], [['queues', 'show', 'org/m']]])(
    'are shown one by one with their statistics: %s',
    async (args) => {
      const changed = { statistics: statisticsAnswer(), unfit: { no_replicas: 2 } };
      api.answer = () => ({ body: queueAnswer(changed) });
      const { out } = await cli(...args, '-o', 'table');

      expect(api.calls[0]?.path).toBe('/v1/queues/org%2Fm');
      expect(out).toMatch(/^model +m\nstate +open\n/);
      expect(out).toContain('at instances: no_replicas (2)\n');
      expect(out).toMatch(/\nlast tasks +12 +wait +150 ms +100 ms .* 1 min 1 s\n/);
      expect(out).toMatch(/\nlast hour +0 +total +– /);
    },
  );

  it('take settings, only those that are named', async () => {
    api.answer = () => ({ body: queueAnswer({ prefetch: 1 }) });
    const { code, out } = await cli(
      ...['queues', 'set', 'm', '--prefetch', '1', '--order-weight', '0'],
      ...['--attempt-timeout', '1.5', '--strategy', 'weighted', '--limit', 'default'],
    );

    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ prefetch: 1 });
    expect(api.calls).toMatchObject([{ method: 'PATCH', path: '/v1/queues/m' }]);
    expect(JSON.parse(api.calls[0]?.text ?? '')).toEqual({
      strategy: 'weighted',
      prefetch: 1,
      order_weight: 0,
      attempt_timeout_ms: 1500,
      limit: null,
    });
  });

  it('say what the service has against a setting, and end with 2', async () => {
    api.answer = () => problem(400, 'there is no strategy "x"; valid are earliest, weighted');
    const { code, err } = await cli('queues', 'set', 'm', '--strategy', 'x');

    expect(code).toBe(2);
    expect(err).toBe('error: there is no strategy "x"; valid are earliest, weighted (400)\n');
  });

  it('are paused and resumed', async () => {
    api.answer = ({ path }) => ({ body: queueAnswer({ paused: path.endsWith('/pause') }) });
    const paused = await cli('queues', 'pause', 'm', '-o', 'table');
    const open = await cli('queues', 'resume', 'm');

    expect(paused.out).toMatch(/\nstate +paused: nothing is placed\n/);
    expect(JSON.parse(open.out)).toMatchObject({ paused: false });
    expect(api.calls).toMatchObject([
      { method: 'POST', path: '/v1/queues/m/pause' },
      { method: 'POST', path: '/v1/queues/m/resume' },
    ]);
  });
});

describe('tasks', () => {
  /** As many tasks as are there, in pages as large as they were asked for. */
  const answerWith = (total: number): void => {
    api.answer = ({ path, query }) => {
      if (path === '/v1/instances') return { body: { instances: [instanceAnswer()] } };
      const from = Number(query.get('cursor') ?? 0);
      const to = Math.min(total, from + Number(query.get('limit')));
      const tasks = Array.from({ length: to - from }, (_, index) =>
        summaryAnswer({ client_task_id: `t${from + index + 1}` }),
      );
      return { body: { tasks, next_cursor: to < total ? String(to) : null } };
    };
  };

  it('are listed, no more than asked for, with a word on what is left out', async () => {
    answerWith(5);
    const { code, out } = await cli('tasks', '--limit', '2', '-o', 'table');
    const all = await cli('tasks', '-o', 'table');

    expect(code).toBe(0);
    expect(out).toMatch(/^SUBMITTED +TASK +MODEL .*\n.* t1 +m +succeeded +1\.0 s +2\.0 s +1 +gpu7/);
    expect(out).toMatch(/ t2 .*\nthere are more; --limit /);
    expect(all.out).not.toContain('there are more');
  });

  it('are listed to the last, however many', async () => {
    answerWith(2_500);
    const { out, err } = await cli('tasks', '--all');

    const tasks = JSON.parse(out) as { client_task_id: string }[];
    expect(tasks).toHaveLength(2_500);
    expect(tasks.at(-1)).toMatchObject({ client_task_id: 't2500' });
    expect(err).toBe('');
    expect(api.calls.map(({ query }) => query.get('cursor'))).toEqual([null, '1000', '2000']);
  });

  it('are an empty list when there is none', async () => {
    answerWith(0);

    expect((await cli('tasks')).out).toBe('[]\n');
    expect((await cli('tasks', '-o', 'table')).out).toBe('no task is like that\n');
  });

  it('are filtered by the service, by times that it understands', async () => {
    answerWith(0);
    const flags = ['--state', 'failed,timed_out', '--model', 'a/b', '--instance', 'i1'];
    await cli(
      'tasks',
      ...flags,
      '--kind',
      'model',
      '--since',
      '24h',
      '--until',
      '2026-11-21T10:00Z',
    );

    expect(Object.fromEntries(api.calls[0]?.query ?? [])).toEqual({
      state: 'failed,timed_out',
      queue: 'a/b',
      instance: 'i1',
      kind: 'model',
      createdAfter: '24h',
      createdBefore: '2026-11-21T10:00:00.000Z',
      limit: '100',
    });
  });

  it('say what the service has against a filter', async () => {
    api.answer = () => problem(400, 'state is "lost"; allowed are queued, running');
    const { code, out, err } = await cli('tasks', '--state', 'lost');

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('state is "lost"');
  });
});

describe('cancel', () => {
  it('tells of each task, goes on after a refusal, and then ends with 1', async () => {
    api.answer = ({ path }) =>
      path.includes('done')
        ? problem(409, 'the task is succeeded already')
        : { body: summaryAnswer({ state: 'cancelled' }) };
    const args = ['cancel', 'a/1', 'done', 'b', '--reason', 'wrong prompt'];
    const piped = await cli(...args);
    const table = await cli(...args, '-o', 'table');

    expect(piped).toMatchObject({ code: 1, err: 'error: 1 of 3 refused\n' });
    expect(JSON.parse(piped.out)).toMatchObject([
      { id: 'a/1', error: null, task: { state: 'cancelled' } },
      { id: 'done', error: 'the task is succeeded already (409)', task: null },
      { id: 'b', error: null },
    ]);
    expect(table.out).toMatch(
      /\na\/1 +cancelled\ndone +– +the task is succeeded already \(409\)\n/,
    );
    expect(api.calls[0]).toMatchObject({
      method: 'POST',
      path: '/v1/tasks/a%2F1/cancel',
      text: '{"reason":"wrong prompt"}',
    });
  });

  it('ends at once when nobody is there, and says what was done', async () => {
    api.answer = ({ path }) =>
      path.includes('second') ? 'cut' : { body: summaryAnswer({ state: 'cancelled' }) };
    const { code, out, err } = await cli('cancel', 'first', 'second', 'third');

    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject([{ id: 'first' }]);
    expect(err).toContain('connection lost');
    expect(api.calls).toHaveLength(2);
  });
});

describe('config print', () => {
  it('tells every setting, where it comes from, and no password', async () => {
    const env = {
      DATABASE_URL: 'postgres://foresail:s3cret@db.example/x',
      FORESAIL_QUEUE_LIMIT: '7',
      FORESAIL_KEY: 'fs_hidden',
      FORESAIL_ALERT_URLS: 'https://hooks.example/hidden',
      FORESAIL_ALERT_SECRET: 'hidden-hidden-hidden',
    };
    const { code, out, err } = await runCli(['config', 'print', '--port', '0'], { env });
    const table = await runCli(['config', 'print', '-o', 'table'], { env });
    const settings = JSON.parse(out) as { name: string }[];
    const named = (wanted: string): object | undefined =>
      settings.find(({ name }) => name === wanted);

    expect([code, err]).toEqual([0, '']);
    expect(out + table.out).not.toMatch(/s3cret|hidden/);
    expect(named('FORESAIL_PORT')).toMatchObject({ value: 0, from: 'command line' });
    expect(named('FORESAIL_QUEUE_LIMIT')).toEqual({
      name: 'FORESAIL_QUEUE_LIMIT',
      value: 7,
      unit: 'tasks',
      from: 'environment',
    });
    expect(named('DATABASE_URL')).toMatchObject({ value: 'postgres://***@db.example/x' });
    expect(named('FORESAIL_KEY')).toMatchObject({ value: '***', from: 'environment' });
    expect(named('FORESAIL_ALERT_URLS')).toMatchObject({ value: ['***'] });
    expect(named('FORESAIL_ALERT_SECRET')).toMatchObject({ value: '***' });
    expect(table.out).toMatch(/\nFORESAIL_PORT +8102 +default\n/);
    expect(table.out).toMatch(/\nFORESAIL_DATA_DIR +– +default\n/);
  });

  it('lists what is wrong with the settings, and ends with 2', async () => {
    const env = { FORESAIL_PORT: 'x', FORESAIL_QUEUE_LIMITS: '7' };
    const { code, out, err } = await runCli(['config', 'print'], { env });

    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/FORESAIL_PORT.*\n.*FORESAIL_QUEUE_LIMITS.*did you mean/);
  });

  it('makes a file that can be used', async () => {
    const { code, out } = await runCli(['config', 'example']);

    expect(code).toBe(0);
    expect(out).toMatch(/\n# foresail_port: 8102\n/);
  });
});
