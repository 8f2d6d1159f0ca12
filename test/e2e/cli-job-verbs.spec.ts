import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CliRun, runCli, type CliEnd } from '../support/cli-run';
import { FakeApi } from '../support/fake-api';
import { FakeJobs, type FakeJob } from '../support/fake-jobs';
import type { Json } from '../support/service-process';
import { until } from '../support/until';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(60_000);

const ME = userInfo().username;

let folder: string;
let api: FakeApi;
let fake: FakeJobs;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foresail-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  fake = new FakeJobs();
  api = await FakeApi.start(fake.answer);
});
afterEach(() => api.goDown());

const cli = (args: readonly string[], input?: string): Promise<CliEnd> =>
  runCli(args, { env: { FORESAIL_URL: api.url }, ...(input === undefined ? {} : { input }) });

const bodies = (path: string): unknown[] =>
  api.calls.filter((call) => call.path === path).map(({ text }): unknown => JSON.parse(text));

/** Prints what it is told look by look, and then ends so. */
function printing(log: readonly string[][], end: Record<string, unknown>) {
  return (job: FakeJob): void => {
    const at = job.log.length;
    const next = log.find((_, n) => log.slice(0, n).flat().length === at);
    job.record['assigned_host_id'] = 'h1';
    job.record['status'] = 'RUNNING';
    if (next) job.log.push(...next);
    else Object.assign(job.record, end);
  };
}

describe('run', () => {
  it('prints the log while it comes, and exits as the job does', async () => {
    fake.step = printing([['one'], ['two', 'three']], { status: 'FAILED', exit_code: 42 });
    const { code, out, err } = await cli(['run', '--', 'sh', '-c', 'echo "$HOME"']);
    expect([code, out]).toEqual([42, 'one\ntwo\nthree\n']);
    expect(err).toContain('[foresail] job job-1 submitted');
    expect(err).toContain('[foresail] running on h1');
    expect(err).toContain('[foresail] failed on h1, exit code 42');
    expect(bodies('/scheduler/jobs')).toEqual([
      { command: `sh -c 'echo "$HOME"'`, owner: ME, resource_request: {} },
    ]);
  });

  it.each([
    ['SUCCESS', 0, 0],
    ['TIMEOUT', null, 124],
    ['CANCELLED', 0, 1],
    ['FAILED', null, 1],
  ])('ends after %s with exit code %s in %i', async (status, exitCode, code) => {
    fake.step = printing([], { status, exit_code: exitCode });
    expect((await cli(['run', 'true'])).code).toBe(code);
  });

  it('hands over what the job needs', async () => {
    fake.step = printing([], { status: 'SUCCESS', exit_code: 0 });
    const flags =
      '--project chip --design top --owner ana --priority 5 --timeout 60 --retries 2 --slots 2 --cpu 4 ' +
      '--memory 8 --tool innovus --tokens 3 --label os=linux --label arch=x86 --env A=1 --env B=x=y ' +
      '--workdir /tmp';
    await cli(['run', ...flags.split(' '), '--', 'make && make test']);
    expect(bodies('/scheduler/jobs')).toEqual([
      {
        command: 'make && make test',
        project: 'chip',
        design: 'top',
        owner: 'ana',
        priority: 5,
        timeout_sec: 60,
        retry_limit: 2,
        workdir: '/tmp',
        env: { A: '1', B: 'x=y' },
        resource_request: {
          slots: 2,
          cpu: 4,
          memory_gb: 8,
          tool_version: 'innovus',
          license_tokens: 3,
          host_labels: { os: 'linux', arch: 'x86' },
        },
      },
    ]);
  });

  it('waits for a scheduler that restarts, and submits once', async () => {
    fake.step = printing([['one']], { status: 'SUCCESS', exit_code: 0 });
    let cut = true;
    api.answer = (call) => {
      const answer = fake.answer(call);
      if (call.method !== 'POST' || !cut) return answer;
      cut = false;
      fake.jobs.pop();
      return 'cut';
    };
    const { code, out } = await cli(['run', 'true']);
    expect([code, out]).toEqual([0, 'one\n']);
    const keys = api.calls.filter(({ method }) => method === 'POST').map(({ headers }) => headers);
    expect(keys).toHaveLength(2);
    expect(keys[0]?.['idempotency-key']).toBe(keys[1]?.['idempotency-key']);
  });

  it('leaves the job alone after Ctrl-C, and says how to go on', async () => {
    fake.step = (job) => (job.log = ['working']);
    const run = CliRun.start(['run', 'true'], { env: { FORESAIL_URL: api.url } });
    await until(() => run.written.includes('working'), 'the log');
    run.child.kill('SIGINT');
    const { code, err } = await run.end;
    expect(code).toBe(130);
    expect(err).toContain('job job-1 goes on: foresail logs -f job-1, foresail stop job-1');
    expect(fake.jobs[0]?.record['status']).toBe('QUEUED');
  });

  it('does not wait after Ctrl-C for a scheduler that does not answer', async () => {
    fake.step = (job) => (job.log = ['working']);
    const run = CliRun.start(['run', 'true'], { env: { FORESAIL_URL: api.url } });
    await until(() => run.written.includes('working'), 'the log');
    api.isSilent = true;
    const before = api.calls.length;
    await until(() => api.calls.length > before, 'a call that is not answered');
    run.child.kill('SIGINT');
    expect((await run.end).code).toBe(130);
  });

  it('prints the id and goes with --detach', async () => {
    expect(await cli(['run', '--detach', '-o', 'table', '--', 'true'])).toMatchObject({
      code: 0,
      out: 'job-1\n',
    });
  });

  it('says what is wrong with the job', async () => {
    api.answer = () => ({
      status: 400,
      body: { status: 400, message: 'commands are off; FORESAIL_COMMANDS=on', data: {} },
    });
    const { code, err } = await cli(['run', 'true']);
    expect(code).toBe(2);
    expect(err).toContain('commands are off; FORESAIL_COMMANDS=on');
  });
});

describe('logs', () => {
  it('prints the last lines, as many as asked for', async () => {
    const id = fake.add();
    fake.jobs[0]!.log = ['a', 'b', 'c'];
    expect((await cli(['logs', id])).out).toBe('a\nb\nc\n');
    expect((await cli(['logs', id, '-n', '1'])).out).toBe('c\n');
    expect(JSON.parse((await cli(['logs', id, '-o', 'json'])).out)).toEqual(['a', 'b', 'c']);
    expect(await cli(['logs', 'job-9'])).toMatchObject({ code: 1, out: '' });
  });

  it('follows it to the end of the job', async () => {
    fake.step = printing([['a'], ['b']], { status: 'SUCCESS', exit_code: 0 });
    expect(await cli(['logs', '-f', fake.add()])).toMatchObject({ code: 0, out: 'a\nb\n' });
  });
});

describe('jobs', () => {
  it('lists those that are asked for', async () => {
    fake.add({ owner: 'ana', status: 'RUNNING', started_at: '2026-11-21T10:00:00.000Z' });
    fake.add({ owner: 'ben', status: 'FAILED', exit_code: 3, command: 'x '.repeat(60) });
    const table = await cli(['jobs', '-o', 'table']);
    expect(table.out.split('\n')[1]).toMatch(/job-2 +ben +default +FAILED +– +– +3 +x x .*…$/);
    expect(table.out.split('\n')[2]).toMatch(/job-1 +ana +default +RUNNING/);
    const listed = JSON.parse((await cli(['jobs', '--owner', 'ana', '--all'])).out) as Json[];
    expect(listed).toEqual([fake.jobs[0]?.record]);
    const several = await cli(['jobs', '--status', 'RUNNING, FAILED,PAUSED']);
    expect(JSON.parse(several.out)).toEqual([fake.jobs[1]?.record, fake.jobs[0]?.record]);
    const one = await cli(['jobs', '--status', 'RUNNING,FAILED', '--limit', '1']);
    expect(JSON.parse(one.out)).toEqual([fake.jobs[1]?.record]);
    const none = await cli(['jobs', '--status', 'PAUSED', '-o', 'table']);
    expect(none.out).toBe('no job is like that\n');
  });

  it('pages through as many as there are', async () => {
    for (let n = 0; n < 1_100; n++) fake.add();
    const listed = JSON.parse((await cli(['jobs', '--all', '-o', 'json'])).out) as Json[];
    expect(new Set(listed.map(({ job_id: id }: Json) => String(id))).size).toBe(1_100);
  });

  it('generates a file that can be submitted, like the one among the examples', async () => {
    const file = join(folder, 'generated.json');
    const args = ['--count', '10', '--owner', 'ana', '--project', 'examples'];
    expect((await cli(['jobs', 'generate', ...args, '--output', file])).code).toBe(0);
    const example = join(__dirname, '..', '..', 'examples', 'jobs.json');
    expect(await readFile(file, 'utf8')).toBe(await readFile(example, 'utf8'));
    const { jobs } = JSON.parse(await readFile(file, 'utf8'));
    expect(jobs[9].command).toContain('echo "job 10 of 10');
    const submitted = await cli(['submit', '--batch', file, '--detach', '-o', 'json']);
    expect(JSON.parse(submitted.out)).toHaveLength(10);
    expect(bodies('/scheduler/jobs/batch')).toEqual([{ jobs }]);
  });
});

describe('submit --batch', () => {
  const file = (): string => join(folder, 'batch.json');

  it('waits until all have ended, and says which did not go well', async () => {
    await writeFile(file(), JSON.stringify([{ command: 'good' }, { command: 'bad' }]));
    fake.step = ({ record }) => {
      const bad = record['command'] === 'bad';
      Object.assign(record, { status: bad ? 'FAILED' : 'SUCCESS', exit_code: bad ? 7 : 0 });
    };
    const { code, out, err } = await cli(['submit', '--batch', file(), '-o', 'table']);
    expect(code).toBe(1);
    expect(out).toMatch(/job-2 .*FAILED .* 7 +bad/);
    expect(out).not.toContain('job-1 ');
    expect(err).toContain('2 jobs submitted');
    expect(err).toContain('1 FAILED of 2 jobs');
  });

  it('takes standard input, and numbers as they are written', async () => {
    fake.step = ({ record }) => Object.assign(record, { status: 'SUCCESS', exit_code: 0 });
    const text = '{"jobs": [{"command": "c", "priority": 1.0}]}';
    const { code, out } = await cli(['submit', '--batch', '-', '-o', 'table'], text);
    expect([code, out]).toEqual([0, 'all 1 succeeded\n']);
    expect(api.calls.find(({ method }) => method === 'POST')?.text).toBe(text);
  });

  it.each([
    ['nothing', '', 'is not JSON'],
    ['no jobs', '{"tasks": []}', 'a list of jobs, or an object with "jobs"'],
    ['a job that is refused', '[{"command": "c"}, {}]', 'jobs.1.command: is missing'],
  ])('refuses a file with %s', async (_what, text, message) => {
    await writeFile(file(), text);
    const { code, err } = await cli(['submit', '--batch', file()]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it.each([
    [['--batch', '/absent.json'], 'ENOENT'],
    [['--batch', 'x', '--model', 'm'], '--model'],
    [['--model', 'm', '--detach'], '--detach goes with --batch'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await cli(['submit', ...args]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('stop, pause, resume, rerun', () => {
  it('do it to each id, and say to which it could not be done', async () => {
    const [one, two] = [fake.add({ status: 'RUNNING' }), fake.add({ status: 'SUCCESS' })];
    const { code, out, err } = await cli(['stop', one, two, 'job-9', '-o', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject([
      { id: one, job: { status: 'CANCELLED' }, error: null },
      { id: two, job: null, error: expect.stringContaining('a job that is SUCCESS cannot stop') },
      { id: 'job-9', job: null, error: expect.stringContaining('there is no job "job-9"') },
    ]);
    expect(err).toContain('2 of 3 refused');
    expect(api.calls[0]?.query.get('operator')).toBe(ME);
  });

  it('do it to those to which it can be done, by filter, when told to', async () => {
    fake.add({ status: 'RUNNING', owner: 'ana' });
    fake.add({ status: 'RUNNING', owner: 'ben' });
    fake.add({ status: 'PAUSED', owner: 'ana' });
    expect((await cli(['pause', '--owner', 'ana', '--yes'])).code).toBe(0);
    const statuses = (): unknown[] => fake.jobs.map(({ record }) => record['status']);
    expect(statuses()).toEqual(['PAUSED', 'RUNNING', 'PAUSED']);
    expect((await cli(['resume', '--owner', 'ana', '--yes'])).code).toBe(0);
    expect(statuses()).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
    const nobody = await cli(['resume', '--owner', 'ana', '--yes']);
    expect(nobody).toMatchObject({ code: 0, out: '', err: 'no job is like that\n' });
  });

  it('name the new job of a rerun', async () => {
    const id = fake.add({ status: 'FAILED' });
    const { out } = await cli(['rerun', '--status', 'FAILED', '--yes', '-o', 'json']);
    expect(JSON.parse(out)).toMatchObject([{ id, job: { job_id: 'job-2', parent_job_id: id } }]);
  });

  it('ask on a terminal, and do nothing without a yes', async () => {
    fake.add({ status: 'RUNNING', owner: 'ana' });
    const args = ['stop', '--owner', 'ana', '--url', api.url];
    const asked = CliRun.onTerminal(args);
    await until(() => asked.out.includes('stop 1 job? [y/N]'), 'the question');
    asked.type('n\r');
    expect((await asked.end).out).toContain('nothing was done');
    expect(fake.jobs[0]?.record['status']).toBe('RUNNING');
    const again = CliRun.onTerminal(args);
    await until(() => again.out.includes('[y/N]'), 'the question');
    again.type('y\r');
    await again.end;
    expect(fake.jobs[0]?.record['status']).toBe('CANCELLED');
  });

  it.each([
    [['stop'], 'which jobs? name ids, or --owner'],
    [['rerun', '--owner', 'ana'], 'which of them? say --status SUCCESS'],
    [['stop', 'job-1', '--owner', 'ana'], 'not both'],
    [['stop', '--owner', 'unknown'], 'stop 1 job? nobody can be asked here: say --yes'],
  ])('refuse %j', async (args, message) => {
    fake.add();
    const { code, err } = await cli(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(api.calls.filter(({ method }) => method === 'POST')).toEqual([]);
  });
});

describe('hosts', () => {
  it('are registered and listed', async () => {
    const flags = '--slots 8 --cpu 16 --memory 64 --label os=linux --label arch=x86'.split(' ');
    const prefix = ['--prefix', 'ssh -o BatchMode=yes ana@h1'];
    const made = await cli(['hosts', 'register', 'h1', ...flags, ...prefix, '-o', 'table']);
    expect(made.out).toMatch(/^host +h1\nstatus +ONLINE\nslots +0 of 8\n/);
    expect(bodies('/scheduler/hosts/register')).toEqual([
      {
        host_id: 'h1',
        total_slots: 8,
        total_cpu: 16,
        total_memory_gb: 64,
        labels: { os: 'linux', arch: 'x86' },
        executor_prefix: 'ssh -o BatchMode=yes ana@h1',
      },
    ]);
    const { out } = await cli(['hosts', '-o', 'table']);
    expect(out.split('\n')[1]).toMatch(
      /^h1 +ONLINE +0 of 8 +0 of 16 +0 of 64 +os=linux arch=x86 +ssh -o BatchMode=yes ana@h1$/,
    );
    expect(await cli(['hosts', 'register', 'h1', '--label', 'os'])).toMatchObject({ code: 2 });
  });
});

describe('alerts', () => {
  const alert = {
    ...{ id: 'a', kind: 'host_lost', subject: 'i', message: 'host h1 is lost', left_out: 0 },
    ...{ raised_at: '2026-11-21T10:00:00.000Z', over_at: null, details: {} },
    deliveries: [
      { receiver: 'http://a/…', state: 'delivered', tries: 1, error: null },
      { receiver: 'http://b/…', state: 'pending', tries: 2, error: 'connect ECONNREFUSED' },
    ],
  };

  it('are listed with what reached whom', async () => {
    api.answer = () => ({ body: { alerts: [alert], next_cursor: null } });
    const { out } = await cli(['alerts', '--kind', 'host_lost', '-o', 'table']);
    expect(out.split('\n')[1]).toMatch(/host_lost +1 of 2 +host h1 is lost$/);
    expect(api.calls[0]?.query.get('kind')).toBe('host_lost');
  });

  it('are tested: who did not take it is named', async () => {
    api.answer = () => ({ body: { ...alert, kind: 'test' } });
    const { code, out, err } = await cli(['alerts', 'test', '-o', 'table']);
    expect(code).toBe(1);
    expect(out).toMatch(/http:\/\/b\/… +pending +connect ECONNREFUSED/);
    expect(err).toContain('1 of 2 webhooks did not take it');
    api.answer = () => ({ body: { ...alert, deliveries: [] } });
    expect((await cli(['alerts', 'test'])).err).toContain(
      'no webhook is set (FORESAIL_ALERT_URLS)',
    );
  });
});
