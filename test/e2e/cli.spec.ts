import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliRun, runCli, type CliEnd } from '../support/cli-run';
import { ENTRY } from '../support/entry';
import { FakeApi } from '../support/fake-api';
import { instanceAnswer, queueAnswer } from '../support/fleet-answers';
import { attemptAnswer, taskAnswer } from '../support/task-answer';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(60_000);

const VERBS = [
  'serve',
  'demo',
  'worker',
  'agent',
  'submit',
  'tasks',
  'top',
  'task',
  'cancel',
  'run',
  'jobs',
  'jobs generate',
  'logs',
  'stop',
  'pause',
  'resume',
  'rerun',
  'hosts',
  'hosts register',
  'alerts',
  'alerts test',
  'instances',
  'drain',
  'queues',
  'queues show',
  'queues set',
  'queues pause',
  'queues resume',
  'strategy',
  'remove',
  'replay',
  'simulate',
  'predict',
  'db',
  'db export',
  'db status',
  'db url',
  'db stop',
  'keys',
  'keys create',
  'keys list',
  'keys revoke',
  'config',
  'config print',
  'config example',
  'openapi',
];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foresail-cli-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('help and usage', () => {
  it('lists every verb, and the exit codes', async () => {
    const { code, out } = await runCli(['--help']);

    expect(code).toBe(0);
    for (const verb of VERBS.filter((name) => !name.includes(' ')))
      expect(out).toMatch(new RegExp(`^  ${verb}\\b`, 'm'));
    expect(out).toContain('3  the service cannot be reached');
  });

  it('gives an example with the help of every verb', () => {
    const helps = inProgram(`const helpOf = (command, words) => {
        const name = [...words, command.name()];
        let text = '';
        command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
        return [[name.join(' '), text], ...command.commands.flatMap((sub) => helpOf(sub, name))];
      };
      return program.commands.flatMap((command) => helpOf(command, []));`) as [string, string][];

    expect(helps.map(([name]) => name).sort()).toEqual([...VERBS].sort());
    for (const [name, text] of helps) {
      expect(text).toMatch(new RegExp(`Examples?:\n  \\$ .*foresail ${name}`));
    }
  });

  it('loads neither the service nor a database driver to tell what there is', () => {
    const loaded = inProgram(`program.helpInformation();
      return Object.keys(require.cache).map((path) =>
        path.split('/node_modules/').at(-1).split('/').slice(0, 2).join('/'));`) as string[];

    expect(loaded.some((name) => name.startsWith('commander/'))).toBe(true);
    const heavy = /^(?:@nestjs|typeorm|pg|undici|zod|pino|rxjs)\//;
    expect([...new Set(loaded)].filter((name) => heavy.test(name))).toEqual([]);
  });

  /** What a function body finds in a process that has built the program and runs no command. */
  const inProgram = (body: string): unknown => {
    const program = JSON.stringify(join(dirname(ENTRY), 'cli', 'program.js'));
    const script = `const program = require(${program}).buildProgram();
      console.log(JSON.stringify((() => { ${body} })()));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };

  it.each([
    ['an unknown verb', ['sumbit'], 'Did you mean submit?'],
    ['a missing option', ['submit'], '--model'],
    ['an unknown option', ['queues', '--fast'], '--fast'],
    ['a missing argument', ['task'], 'id'],
    ['a number out of range', ['replay', '--trace', 'x', '--speed', '0'], 'a number from'],
    ['a URL that is none', ['queues', '--url', 'nowhere'], 'a URL is needed'],
    ['an input that is no object', ['submit', '--model', 'm', '--input', '[1]'], 'is a list'],
    [
      'two inputs from one pipe',
      ['submit', '--model', 'm', '--input', '-', '--metadata', '-'],
      '-',
    ],
    ['a queue without a setting', ['queues', 'set', 'm'], '--order-weight'],
    ['a time that is none', ['tasks', '--since', 'yesterday'], 'a duration like 24h'],
    ['a number for a time', ['tasks', '--since', '12'], 'a duration like 24h'],
    ['a day that is none', ['tasks', '--until', '2026-02-31'], 'a date like 2026-11-21'],
    ['a bound on no waiting', ['task', 't', '--timeout', '5'], '--timeout bounds --wait'],
    ['the same of a submission', ['submit', '--model', 'm', '--timeout', '5'], '--timeout bounds'],
    ['a key that has ended', ['keys', 'create', '--expires-in', '0'], 'from 0.001 to 36500'],
    ['all tasks, but not all', ['tasks', '--all', '--limit', '5'], '--limit'],
    ['no task to cancel', ['cancel'], 'id'],
    ['a replay of nothing', ['replay'], '--synthetic'],
    ['two workloads', ['replay', '--trace', 'x', '--synthetic'], '--trace'],
    ['a trace that is absent', ['replay', '--trace', '/absent.csv'], 'ENOENT'],
  ])('ends with 2 for %s', async (_, args, message) => {
    const { code, out, err } = await runCli(args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  it('ends with 2 for settings that are wrong, naming each', async () => {
    const env = { FORESAIL_URL: 'ftp://x', FORESAIL_KEY: 'a b' };
    const { code, err } = await runCli(['queues'], { env });

    expect(code).toBe(2);
    expect(err).toMatch(/FORESAIL_URL.*\n.*FORESAIL_KEY/);
  });

  it.each([
    [
      'FORESAIL_DEFAULT_STRATEGY',
      'zzz',
      'FORESAIL_DEFAULT_STRATEGY (start): unknown strategy "zzz"',
    ],
    ['FORESAIL_STRATEGY_FILES', '/absent.js', 'strategy file /absent.js: cannot be loaded'],
    ['FORESAIL_LOOKUP_FILE', '/absent.json', 'lookup file /absent.json: cannot be read'],
    ['FORESAIL_INSTANCES_FILE', '/absent.yaml', 'instances file /absent.yaml:'],
  ])('starts no service with a %s that is wrong', async (name, value, message) => {
    const { code, out, err } = await runCli(['serve', '--port', '0'], { env: { [name]: value } });

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`error: ${message}`);
  });
});

const INSTANCE = instanceAnswer();
const QUEUE = queueAnswer();

/** A scheduler that has one task, and one instance. */
const having =
  (task: object): FakeApi['answer'] =>
  ({ path }) => ({ body: path === '/v1/instances' ? { instances: [INSTANCE] } : task });

describe('clients of the API', () => {
  let api: FakeApi;

  beforeEach(async () => {
    api = await FakeApi.start();
  });

  afterEach(async () => {
    await api.goDown();
  });

  const cli = (args: readonly string[], input?: string): Promise<CliEnd> =>
    runCli(args, {
      env: { FORESAIL_URL: api.url, FORESAIL_KEY: 'k1' },
      ...(input === undefined ? {} : { input }),
    });

  it('give a list as JSON in a pipe, and as a table when asked to', async () => {
    api.answer = () => ({ body: { instances: [INSTANCE] } });
    const piped = await cli(['instances']);
    const table = await cli(['instances', '-o', 'table']);

    expect(piped).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(piped.out)).toEqual([INSTANCE]);
    expect(table.out).toMatch(
      /^MODEL +NAME +ADDRESS .*\nm +gpu7 +10\.0\.0\.7:8100 +online .* 1\/2 /,
    );
    expect(api.calls).toMatchObject([
      { method: 'GET', path: '/v1/instances', headers: { authorization: 'Bearer k1' } },
      { path: '/v1/instances' },
    ]);
  });

  it('submit exactly what was given, from an argument, a file and a pipe', async () => {
    api.answer = () => ({ body: { status: 'success', task_id: 't', scheduled_ti: 'i1' } });
    const file = join(folder, 'meta.json');
    await writeFile(file, '{"predicted_ms": 1.0}\n');
    const { code, out } = await cli(
      ['submit', '--model', 'a"b', '--input', '-', '--metadata', `@${file}`, '--task-id', 't'],
      '{"n": 9007199254740993}',
    );
    await cli(['submit', '--model', 'm']);

    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ status: 'success', task_id: 't', scheduled_ti: 'i1' });
    expect(api.calls[0]?.text).toBe(
      '{"model_name":"a\\"b","task_id":"t","task_input":{"n": 9007199254740993},' +
        '"metadata":{"predicted_ms": 1.0}\n}',
    );
    const second = JSON.parse(api.calls[1]?.text ?? '') as Record<string, unknown>;
    expect(second).toMatchObject({ model_name: 'm', task_input: {}, metadata: {} });
    expect(second['task_id']).toMatch(/^[0-9a-f]{8}-/);
  });

  it('wait for the end of a task, through an outage, and tell how it ended', async () => {
    let state = 'succeeded';
    let asked = 0;
    api.answer = ({ path }) => {
      if (path === '/queue/submit') return { body: { task_id: 't', scheduled_ti: null } };
      if (path === '/v1/instances') return 'cut';
      if (path !== '/task/query') return { body: taskAnswer({ state, failure: failureOf(state) }) };
      asked += 1;
      if (asked === 2) return 'cut';
      if (asked === 3) return { status: 503, body: { message: 'standby' } };
      return { body: { task_status: asked > 4 ? 'completed' : 'scheduled' } };
    };
    const good = await cli(['submit', '--model', 'm', '--task-id', 't', '--wait']);
    state = 'failed';
    const bad = await cli(['task', 't', '--wait']);
    const shown = await cli(['task', 't', '-o', 'table']);

    expect(good).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(good.out)).toEqual(taskAnswer());
    expect(bad).toMatchObject({ code: 1, err: 'error: the task failed: out of memory (exit)\n' });
    expect(JSON.parse(bad.out)).toMatchObject({ state: 'failed' });
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/state +failed\n[^]*failure +out of memory \(exit\)/);
  });

  it('tell why a task waits, where it is planned and when it will run', async () => {
    const at = (minute: string): string => `2026-11-21T10:${minute}:00.000Z`;
    const forecast = {
      ...{ start_p50: at('01'), start_p90: at('02'), end_p50: at('03'), end_p90: null },
    };
    const waiting = {
      because: { busy: 2, no_replicas: 1 },
      planned_instance_id: 'i1',
      ahead: 4,
    };
    const changed = { state: 'queued', finished_at: null, result: null, waiting, forecast };
    api.answer = having(taskAnswer(changed));
    const { out } = await cli(['task', 't', '-o', 'table']);

    expect(out).toMatch(/\nwaits because +busy \(2\), no_replicas \(1\)\nahead of it +4 tasks\n/);
    expect(out).toMatch(/\nplanned on +gpu7\nwill start +about .*, with 90 % certainty by .*\n/);
    expect(out).toMatch(/\nwill end +about [-\d]+ [:\d]+\n/);

    const attempts = [{ state: 'live', running_since: at('01'), ended_at: null }];
    const begun = { ...changed, state: 'running', waiting: null, attempts };
    api.answer = having(taskAnswer(begun));
    const running = await cli(['task', 't', '-o', 'table']);
    expect(running.out).toContain('will end');
    expect(running.out).not.toContain('will start');

    const alone = { because: {}, planned_instance_id: null, ahead: null };
    api.answer = having(taskAnswer({ ...changed, waiting: alone }));
    const unserved = await cli(['task', 't', '-o', 'table']);
    expect(unserved.out).toMatch(/\nwaits because +no instance serves the queue\n/);
  });

  it('tell why a task went where it went', async () => {
    const instance_id = 'i1';
    const runner_up = { instance_id: 'left', wait_ms: 0, completion_ms: 6_000 };
    const { decision } = attemptAnswer() as { decision: object };
    const decided = attemptAnswer({ decision: { ...decision, runner_up } });
    api.answer = having(taskAnswer({ instance_id, attempts: [decided] }));
    const { out } = await cli(['task', 't', '-o', 'table']);

    expect(out).toMatch(/\ninstance +gpu7\n/);
    expect(out).toMatch(/\nchosen by +earliest at [-\d]+ [:\d]+, one of 2 candidates\n/);
    expect(out).toMatch(/\nexpected +start after 0 ms, end after 3\.0 s\n/);
    expect(out).toMatch(/\nrunner-up +left, start after 0 ms, end after 6\.0 s\n/);
    expect(out).toMatch(/\nunfit because +draining \(1\), busy \(3\)\n/);

    const attempts = [{ state: 'live', decision: null }];
    api.answer = having(taskAnswer({ attempts }));
    expect((await cli(['task', 't', '-o', 'table'])).out).not.toContain('chosen by');
  });

  const failureOf = (state: string): object | null =>
    state === 'failed' ? { kind: 'exit', message: 'out of memory' } : null;

  it('stop waiting when the time is over', async () => {
    api.answer = () => ({ body: { task_status: 'queued' } });
    const { code, out, err } = await cli(['task', 't', '--wait', '--timeout', '0.2']);

    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('has not ended within 0.2 s, it is queued');
  });

  it('show and set strategies', async () => {
    api.answer = ({ path, text }) => {
      if (path === '/v1/queues') return { body: { queues: [QUEUE] } };
      if (path === '/v1/strategies') return { body: STRATEGIES };
      const isKnown = text.includes('"weighted"');
      return { body: isKnown ? { status: 'success', message: 'OK' } : UNKNOWN_STRATEGY };
    };
    const shown = await cli(['strategy']);
    const table = await cli(['strategy', '-o', 'table']);
    const set = await cli(['strategy', 'weighted', '-o', 'table']);
    const wrong = await cli(['strategy', 'fastest']);
    const absent = await cli(['strategy', '--model', 'x']);

    expect(JSON.parse(shown.out)).toEqual({
      queues: [{ model: 'm', strategy: 'earliest' }],
      ...STRATEGIES,
    });
    expect(table.out).toMatch(
      /^MODEL +PLACED BY\nm +earliest\n\nSTRATEGY +BINDS\nearliest +late +default\nweighted +early\n$/,
    );
    expect(set.out).toBe(
      'queues without a strategy of their own: placed by weighted from now on\n',
    );
    const chosen = api.calls.find(({ path }) => path === '/scheduler/set');
    expect(chosen?.text).toBe('{"name":"weighted"}');
    expect(wrong).toMatchObject({ code: 2, err: 'error: unknown; valid: earliest\n' });
    expect(absent.code).toBe(1);
  });

  it('set the strategy of a queue that is there, and take it back', async () => {
    api.answer = ({ method }) => ({ body: method === 'PATCH' ? QUEUE : { queues: [QUEUE] } });
    const set = await cli(['strategy', 'weighted', '--model', 'm', '-o', 'table']);
    const undone = await cli(['strategy', 'default', '--model', 'm']);
    const mistyped = await cli(['strategy', 'weighted', '--model', 'n']);
    const nowhere = await cli(['strategy', 'default']);
    const changes = api.calls.filter(({ method }) => method !== 'GET');

    expect(set.out).toBe('queue m: placed by earliest from now on\n');
    expect(JSON.parse(undone.out)).toEqual(QUEUE);
    expect(mistyped.code).toBe(1);
    expect(mistyped.err).toContain('no queue of the model n');
    expect(nowhere.code).toBe(2);
    expect(nowhere.err).toContain('--model');
    expect(changes.map(({ path, text }) => [path, text])).toEqual([
      ['/v1/queues/m', '{"strategy":"weighted"}'],
      ['/v1/queues/m', '{"strategy":null}'],
    ]);
  });

  const STRATEGIES = {
    strategies: [
      { name: 'earliest', binding: 'late' },
      { name: 'weighted', binding: 'early' },
    ],
    default: 'earliest',
  };
  const UNKNOWN_STRATEGY = { status: 'error', message: 'unknown; valid: earliest' };

  it('print each fault of an input, and end with 2', async () => {
    const detail = [
      { loc: ['body', 'model_name'], msg: 'too long', type: 'length' },
      { loc: ['body', 'task_input'], msg: 'too deep', type: 'range' },
    ];
    api.answer = () => ({ status: 422, body: { status: 'error', message: '2 faults', detail } });
    const { code, err } = await cli(['submit', '--model', 'm']);

    expect(code).toBe(2);
    expect(err).toBe(
      'error: 2 faults\n  - body.model_name: too long\n  - body.task_input: too deep (422)\n',
    );
  });

  it('end with 1 when refused, naming the key when one is wanted', async () => {
    api.answer = () => ({ status: 401, body: { message: 'no such key' } });
    const keyless = await cli(['queues']);
    api.answer = () => ({ status: 404, body: { title: 'Unknown task', detail: 'no task "x"' } });
    const unknown = await cli(['task', 'x']);
    api.answer = () => ({ body: '<html>' });
    const stranger = await cli(['queues']);

    expect(keyless).toMatchObject({ code: 1, out: '' });
    expect(keyless.err).toMatch(/no such key \(401\)\n.*FORESAIL_KEY/);
    expect(unknown).toMatchObject({ code: 1, err: 'error: no task "x" (404)\n' });
    expect(stranger.code).toBe(1);
    expect(stranger.err).toContain('is it Foresail?');
  });

  it('end with 3 when nobody is there, naming URL and setting', async () => {
    await api.goDown();
    const { code, err } = await cli(['instances']);

    expect(code).toBe(3);
    expect(err).toContain(`cannot reach the scheduler at ${api.url} (connection refused)`);
    expect(err).toContain('FORESAIL_URL');
  });

  it('say how to find a task whose receipt was lost', async () => {
    api.answer = () => 'cut';
    const { code, err } = await cli(['submit', '--model', 'm', '--task-id', 'order-1']);

    expect(code).toBe(3);
    expect(err).toContain('may have been taken');
    expect(err).toContain('foresail task order-1');
  });

  it('go quietly when their reader goes away', async () => {
    const many = Array.from({ length: 20_000 }, () => INSTANCE);
    api.answer = () => ({ body: { instances: many } });
    const run = CliRun.start(['instances'], { env: { FORESAIL_URL: api.url } });
    run.child.stdout?.once('data', () => run.child.stdout?.destroy());

    expect(await run.end).toMatchObject({ code: 0, err: '' });
  });
});

describe('openapi', () => {
  it('writes the document of the service, without a database', async () => {
    const file = join(folder, 'openapi.json');
    const printed = await runCli(['openapi']);
    const written = await runCli(['openapi', '--output', file]);
    const refused = await runCli(['openapi', '--output', join(folder, 'absent', 'x.json')]);

    expect(printed).toMatchObject({ code: 0, err: '' });
    const { paths } = JSON.parse(printed.out) as { paths: Record<string, unknown> };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/queue/submit', '/ti/register', '/v1/tasks/{id}', '/v1/queues']),
    );
    expect(written).toMatchObject({ code: 0, out: '' });
    expect(await readFile(file, 'utf8')).toBe(printed.out);
    expect(refused.code).toBe(1);
  });
});
