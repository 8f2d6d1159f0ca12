import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRoot } from '../../src/ops/accounts';
import { CliRun, runCli, type CliEnd } from '../support/cli-run';
import { freshDatabase, type TestDatabase } from '../support/database';
import { removeScratch, scratchDirectory } from '../support/scratch';
import { ServiceProcess, type Json } from '../support/service-process';
import { until } from '../support/until';
import { json, WorkerStub } from '../support/worker-stub';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(120_000);

let folder: string;
let database: TestDatabase;
let receiver: WorkerStub;
let service: ServiceProcess;

const start = async (port = 0): Promise<void> => {
  const settings = {
    FORESAIL_COMMANDS: 'on',
    FORESAIL_DATA_DIR: folder,
    FORESAIL_KILL_GRACE_MS: '300',
    ...(isRoot() && { FORESAIL_JOB_USER: 'daemon' }),
    FORESAIL_ALERT_URLS: `http://127.0.0.1:${receiver.port}/`,
    FORESAIL_ALERT_SECRET: 'sixteen-characters-or-more',
  };
  service = await ServiceProcess.start({ databaseUrl: database.url, port, env: settings });
};

const runs: CliRun[] = [];
const started = (...args: string[]): CliRun => {
  const run = CliRun.start(args, { env: { FORESAIL_URL: service.url } });
  runs.push(run);
  return run;
};

const cli = (...args: string[]): Promise<CliEnd> =>
  runCli(args, { env: { FORESAIL_URL: service.url } });

const listOf = async (...args: string[]): Promise<Json[]> =>
  JSON.parse((await cli(...args, '-o', 'json')).out) as Json[];

const statusOf = async (id: string): Promise<string> => {
  const jobs = await listOf('jobs');
  return String(jobs.find(({ job_id: one }: Json) => one === id)?.status);
};

const detached = async (...words: string[]): Promise<string> =>
  (await cli('run', '--detach', '-o', 'table', ...words)).out.trim();

beforeAll(async () => {
  folder = await scratchDirectory();
  await chmod(folder, 0o777);
  database = await freshDatabase();
  receiver = (await WorkerStub.start()).on('POST /', json({}));
  await start();
  await cli('hosts', 'register', 'h1', '--slots', '4', '--memory', '16', '--label', 'os=linux');
});

afterEach(() => {
  for (const run of runs.splice(0)) run.child.kill('SIGKILL');
});

afterAll(async () => {
  await cli('stop', '--status', 'RUNNING,PAUSED,QUEUED', '--yes');
  await until(async () => (await listOf('jobs', '--status', 'RUNNING')).length === 0, 'the ends');
  await service.stop();
  await receiver.stop();
  await database.drop();
  await removeScratch(folder);
});

describe('run', () => {
  it('prints what the command prints, and exits as it does', async () => {
    const { code, out, err } = await cli(
      ...['run', '--label', 'os=linux', '--env', 'NAME=you', '--'],
      'echo "hello, $NAME"; echo oops >&2; printf "no end"; exit 42',
    );
    expect(code).toBe(42);
    expect(out.trimEnd().split('\n').sort()).toEqual(['hello, you', 'no end', 'oops']);
    expect(err).toContain('failed on h1, exit code 42');
  });

  it('keeps words apart, whatever is in them', async () => {
    const { code, out } = await cli('run', '--', 'printf', '<%s>', 'a b', `it's`, '$HOME', '');
    expect([code, out]).toEqual([0, "<a b><it's><$HOME><>\n"]);
  });

  it('ends with 124 when the job takes too long', async () => {
    const { code, err } = await cli('run', '--timeout', '1', '--', 'sleep 1000');
    expect(code).toBe(124);
    expect(err).toContain('timeout on h1');
  });

  it('goes on through a restart of the scheduler, and loses no line', async () => {
    const go = join(folder, 'go');
    const command = `echo begun; until [ -e ${go} ]; do sleep 0.05; done; echo ended; exit 3`;
    const run = started('run', '--', command);
    await until(() => run.written.includes('begun'), 'the first line');
    const { port } = service;
    await service.kill();
    await writeFile(go, '');
    await start(port);
    const { code, out } = await run.end;
    expect([code, out]).toEqual([3, 'begun\nended\n']);
  });

  it('refuses what cannot be, in the words of the service', async () => {
    const { code, err } = await cli('run', '--workdir', '/etc', '--', 'true');
    expect(code).toBe(2);
    expect(err).toContain('workdir: "/etc" is not allowed');
  });
});

describe('submit --batch', () => {
  it('runs a hundred jobs to their ends, arrays among them', async () => {
    const file = join(folder, 'jobs.json');
    await cli(...['jobs', 'generate', '--count', '90', '--output', file], '--command', 'exit 0');
    const { jobs } = JSON.parse(await readFile(file, 'utf8')) as { jobs: object[] };
    const array = { command: 'exit $((FORESAIL_ARRAY_INDEX == 4))', count: 10, project: 'array' };
    await writeFile(file, JSON.stringify([...jobs, array]));
    const { code, out, err } = await cli('submit', '--batch', file, '-o', 'json');
    expect([code, err]).toEqual([1, expect.stringContaining('1 FAILED of 100 jobs')]);
    const ended = JSON.parse(out) as Json[];
    expect(ended.map(({ status }: Json) => String(status))).toEqual(
      Array.from({ length: 100 }, (_, n) => (n === 94 ? 'FAILED' : 'SUCCESS')),
    );
    expect(await listOf('jobs', '--project', 'array', '--status', 'FAILED')).toHaveLength(1);
  });

  it('takes all or none', async () => {
    const file = join(folder, 'bad.json');
    await writeFile(file, JSON.stringify([{ command: 'true', project: 'none' }, { command: '' }]));
    const { code, err } = await cli('submit', '--batch', file);
    expect(code).toBe(2);
    expect(err).toMatch(/jobs.*1.*command/);
    expect(await listOf('jobs', '--project', 'none')).toEqual([]);
  });
});

describe('logs', () => {
  it('are read from the end, and followed to the end', async () => {
    const go = join(folder, 'go-on');
    const command = `seq 1 50; until [ -e ${go} ]; do sleep 0.05; done; echo done`;
    const id = await detached('--', command);
    const follow = started('logs', '-f', id);
    await until(() => follow.written.includes('50'), 'the first lines');
    expect((await cli('logs', id, '-n', '2')).out).toBe('49\n50\n');
    await writeFile(go, '');
    const { code, out } = await follow.end;
    const numbers = Array.from({ length: 50 }, (_, n) => `${n + 1}\n`).join('');
    expect([code, out]).toEqual([0, `${numbers}done\n`]);
  });
});

describe('stop, pause, resume, rerun', () => {
  it('do it to jobs, one by one and by filter', async () => {
    const beat = join(folder, 'beat');
    const command = `while :; do echo >> ${beat}; sleep 0.02; done`;
    const id = await detached('--project', 'control', '--', command);
    await until(() => existsSync(beat), 'the job to run');
    await until(async () => (await statusOf(id)) === 'RUNNING', 'its record');
    expect((await cli('pause', id)).code).toBe(0);
    await until(async () => (await statusOf(id)) === 'PAUSED', 'the pause');
    const early = await cli('rerun', id);
    expect([early.code, early.err]).toEqual([1, expect.stringContaining('1 of 1 refused')]);
    expect((await cli('resume', '--project', 'control', '--yes')).code).toBe(0);
    await until(async () => (await statusOf(id)) === 'RUNNING', 'the end of the pause');
    expect((await cli('stop', '--project', 'control', '--yes')).code).toBe(0);
    await until(async () => (await statusOf(id)) === 'CANCELLED', 'the end');
    const [again] = await listOf('rerun', '--project', 'control', '--status', 'CANCELLED', '--yes');
    expect(again).toMatchObject({ id, job: { parent_job_id: id } });
    expect((await cli('stop', String(again.job.job_id))).code).toBe(0);
    await until(async () => (await statusOf(String(again.job.job_id))) === 'CANCELLED', 'its end');
  });
});

describe('hosts, tasks and alerts', () => {
  it('show the same jobs from their sides', async () => {
    const id = await detached('--slots', '3', '--', 'sleep 1000');
    await until(async () => (await statusOf(id)) === 'RUNNING', 'the job');
    const hosts = await cli('hosts', '-o', 'table');
    expect(hosts.out.split('\n')[1]).toMatch(/^h1 +ONLINE +3 of 4 /);
    const tasks = await cli('tasks', '--kind', 'batch', '--state', 'running', '-o', 'table');
    expect(tasks.out).toMatch(new RegExp(`${id} +default +running .* h1`));
    expect((await cli('task', id, '-o', 'table')).out).toContain('running');
    await cli('stop', id);
  });

  it('tell of a job that failed, once', async () => {
    const id = await detached('--owner', 'ana', '--', 'exit 9');
    const told = (): unknown[] =>
      receiver.calls
        .map(({ body }) => JSON.parse(body) as { subject: string })
        .filter(({ subject }) => subject === id);
    await until(() => told().length > 0, 'the webhook');
    expect(told()).toMatchObject([
      {
        kind: 'job_failed',
        message: expect.stringContaining(`job ${id} of ana failed on h1: exited with 9`),
        details: { owner: 'ana', host_id: 'h1', exit_code: 9, failure: 'exit' },
      },
    ]);
    const alerts = await cli('alerts', '--kind', 'job_failed', '-o', 'table');
    expect(alerts.out).toMatch(new RegExp(`job_failed +1 of 1 +job ${id}`));
    expect((await cli('alerts', 'test')).code).toBe(0);
  });
});
