import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { CliRun, runCli } from '../support/cli-run';
import { removeScratch, scratchDirectory } from '../support/scratch';
import { until } from '../support/until';
import { isRoot } from '../../src/ops/accounts';
import { clusterStatus } from '../../src/persistence/embedded/cluster-status';
import { freePort } from '../../src/persistence/embedded/free-port';

// A demo starts a database and a fleet of processes, on a machine that has other things to do.
jest.setTimeout(300_000);

const PATIENCE_MS = 120_000;

describe('demo', () => {
  let folder: string;
  let port: number;
  let running: CliRun | null;

  beforeEach(async () => {
    folder = await scratchDirectory();
    port = await freePort();
    running = null;
  });

  afterEach(async () => {
    running?.child.kill('SIGKILL');
    await running?.end;
    await until(() => workers().length === 0, 'the end of the workers', PATIENCE_MS);
    await removeScratch(join(folder, 'data')).catch(() => undefined);
    await removeScratch(folder);
  });

  const args = (...flags: string[]): string[] => {
    const place = ['--data-dir', join(folder, 'data'), '--port', String(port)];
    return ['demo', ...place, ...flags];
  };

  const small = ['--tasks', '12', '--workers', '2', '--speed', '50'];

  const processes = (part: string): string[] =>
    execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(part));

  /** Processes of the fleet, known by the scheduler that they were told. */
  const workers = (): string[] => processes(`--scheduler http://127.0.0.1:${port} `);

  const dataDir = (): string => join(folder, 'data', 'demo');

  /** Root needs somebody else for commands, and a folder that he may enter. */
  const forJobs = (): Record<string, string> =>
    isRoot() ? { FORESAIL_JOB_USER: 'daemon', FORESAIL_WORK_ROOTS: join(folder, 'jobs') } : {};

  const serving = async (...flags: string[]): Promise<CliRun> => {
    const run = CliRun.start(args(...flags), { env: forJobs() });
    running = run;
    const isThere = (): boolean => run.err.includes('Ctrl-C ends it all') || run.hasEnded;
    await until(isThere, 'the end of the workload', PATIENCE_MS);
    expect(run.hasEnded ? run.err : '').toBe('');
    return run;
  };

  it('runs a workload through a fleet, tells how it went, and leaves nothing behind', async () => {
    const settings = {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      FORESAIL_KEY: 'not-mine',
      FORESAIL_WORKER_NETWORKS: '10.0.0.0/8',
    };
    const run = runCli(args('--exit', '--tasks', '60'), { env: settings });
    const { code, out, err } = await run;

    expect([code, err]).toEqual([0, expect.stringContaining('submitting 60 tasks')]);
    const report = JSON.parse(out) as { workers: { name: string; tasks: number }[] };
    expect(report).toMatchObject({ submitted: 60, completed: 60, failed: 0 });
    expect(report.workers.map(({ name }) => name)).toEqual([
      ...['code-1', 'code-2', 'conv-1', 'conv-2', 'conv-3', 'conv-4'],
    ]);
    expect(report.workers.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(60);
    expect(workers()).toEqual([]);
    expect(existsSync(dataDir())).toBe(false);
  });

  it('goes on serving until it is interrupted, and refuses a second one beside it', async () => {
    const run = await serving(...small, '-o', 'table');
    const url = `http://127.0.0.1:${port}`;
    const shown = await runCli(['instances', '--url', url]);
    const more = ['--limit', '3', '--speed', '50', '--time-scale', '50'];
    const replayed = await runCli(['replay', '--synthetic', ...more, '--url', url]);
    const second = await runCli(['demo', '--data-dir', join(folder, 'data'), '--port', '0']);
    const job = await runCli(['run', '--url', url, '--', 'test "$(hostname)" && exit 7']);
    const sleep = ['sleep', '31415.9265'];
    await runCli(['run', '--detach', '--url', url, '--', ...sleep]);
    await until(() => processes(sleep.join(' ')).length > 0, 'the job', PATIENCE_MS);
    run.child.kill('SIGINT');
    const { code, out, err } = await run.end;

    expect(err).toContain('Commands are switched on for this session');
    expect(job.code).toBe(7);
    expect(processes(sleep.join(' '))).toEqual([]);
    const seen = JSON.parse(shown.out) as { kind: string; health: string }[];
    expect(seen.map(({ kind, health }) => `${kind} ${health}`).sort()).toEqual([
      ...['host online', 'task_instance online', 'task_instance online'],
    ]);
    expect(JSON.parse(replayed.out)).toMatchObject({ completed: 3 });
    expect(second).toMatchObject({ code: 1, out: '' });
    expect(second.err).toContain(`another demo uses ${dataDir()}`);
    expect(code).toBe(0);
    expect(out).toMatch(/12 submitted, 12 completed, 0 failed[^]*\nWORKER +SPEED +TASKS /);
    expect(workers()).toEqual([]);
    expect(existsSync(dataDir())).toBe(false);
  });

  it('takes its workers with it when it is killed, and begins afresh after that', async () => {
    const run = await serving(...small);
    expect(workers()).toHaveLength(2);
    run.child.kill('SIGKILL');
    await run.end;
    await until(() => workers().length === 0, 'the end of the workers', PATIENCE_MS);
    expect((await clusterStatus(dataDir())).running).toBe(true);
    const { code, out } = await runCli(args('--exit', ...small));

    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ submitted: 12, completed: 12 });
    expect(existsSync(dataDir())).toBe(false);
  });

  it('can be interrupted in the middle', async () => {
    const run = CliRun.start(args('--speed', '0.01'));
    running = run;
    await until(() => run.err.includes('submitting'), 'the workload', PATIENCE_MS);
    run.child.kill('SIGTERM');
    const { code, err } = await run.end;

    expect(code).toBe(1);
    expect(err).toMatch(/error: interrupted; everything that ran was ended\n$/);
    expect(workers()).toEqual([]);
    expect(existsSync(dataDir())).toBe(false);
  });

  it('says at once that its port is taken', async () => {
    const server = await listeningOn(port);
    const { code, out, err } = await runCli(args());
    server.close();

    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      /^error: port \d+ on 127\.0\.0\.1 is taken: choose another with .*--port\n$/,
    );
    expect(existsSync(dataDir())).toBe(false);
  });
});

function listeningOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
