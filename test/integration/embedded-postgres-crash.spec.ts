import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { accountFor } from '../../src/persistence/embedded/account';
import { clusterStatus, stopCluster } from '../../src/persistence/embedded/cluster-status';
import {
  EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../src/persistence/embedded/embedded-postgres';
import { layoutOf } from '../../src/persistence/embedded/layout';
import { readPostmasterFile } from '../../src/persistence/embedded/postmaster-file';
import { settle } from '../../src/persistence/embedded/settle';
import { siteOf } from '../../src/persistence/embedded/site';
import { onServer } from '../support/database';
import {
  compileLauncher,
  killLaunchers,
  type LauncherProcess,
  startLauncher,
} from '../support/launcher-process';
import { removeScratch, scratchDirectory } from '../support/scratch';
import { copySeed, createSeed } from '../support/seed';
import { until } from '../support/until';

jest.setTimeout(60_000);

let seed: string;
let scratch: string;
let home: string;
let checkout: string;
let lines: string[];
let bystanders: ChildProcess[];

const start = (options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> =>
  EmbeddedPostgres.start({ dataDir: home, log: (line) => lines.push(line), ...options });

/** Spares a test that is not about it the first start. */
const existing = (): Promise<void> => copySeed(seed, home);

const launcher = (): LauncherProcess => startLauncher(checkout, home);

const answers = (url: string): Promise<boolean> =>
  onServer(url, (client) => client.query('SELECT 1')).then(
    () => true,
    () => false,
  );

const postmasterPid = async (): Promise<number> => {
  const file = await readPostmasterFile(layoutOf(home).cluster);
  if (file === undefined) throw new Error('there is no postmaster.pid');
  return file.pid;
};

const pidFile = (): string => path.join(layoutOf(home).cluster, 'postmaster.pid');

/** A living process of the account that runs PostgreSQL, which has nothing to do with it. */
const bystander = async (): Promise<number> => {
  const account = await accountFor(layoutOf(home), undefined);
  const owner = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  const child = spawn('/bin/sleep', ['600'], { cwd: '/', stdio: 'ignore', ...owner });
  await once(child, 'spawn');
  bystanders.push(child);
  return child.pid ?? 0;
};

/** Makes `postmaster.pid` name another process, as after a reboot or a long time. */
const giveAwayPid = async (pid: number): Promise<void> => {
  const [, ...rest] = (await readFile(pidFile(), 'utf8')).split('\n');
  await writeFile(pidFile(), [String(pid), ...rest].join('\n'));
};

const killServer = async (): Promise<void> => {
  process.kill(await postmasterPid(), 'SIGKILL');
  await until(async () => !(await clusterStatus(home)).running, 'the death of the server');
};

beforeAll(async () => {
  seed = await scratchDirectory();
  await createSeed(seed);
});

afterAll(() => removeScratch(seed));

beforeEach(async () => {
  scratch = await scratchDirectory();
  home = path.join(scratch, 'data');
  checkout = path.join(scratch, 'checkout');
  lines = [];
  bystanders = [];
  await compileLauncher(checkout);
});

afterEach(async () => {
  await killLaunchers();
  for (const child of bystanders) child.kill('SIGKILL');
  await removeScratch(scratch);
});

describe('when the process that started PostgreSQL ends', () => {
  it('the server outlives a kill -9 and is adopted by the next', async () => {
    await existing();
    const killed = launcher();
    const { url, adopted } = await killed.started;
    expect(adopted).toBe(false);
    const pid = await postmasterPid();
    await killed.kill('SIGKILL');

    const next = await start();
    expect(next.adopted).toBe(true);
    expect(next.url).toBe(url);
    expect(await postmasterPid()).toBe(pid);
    expect(await next.stop({ unlessUsed: true })).toBe('stopped');
  });

  it('the server outlives Ctrl-C and a hang-up of the terminal', async () => {
    await existing();
    for (const signal of ['SIGINT', 'SIGHUP'] as const) {
      const interrupted = launcher();
      const { url } = await interrupted.started;
      await interrupted.kill(signal, 'group');
      expect(await answers(url)).toBe(true);
    }
  });

  it('a first start that was killed half way is repeated from the beginning', async () => {
    const killed = launcher();
    const leftovers = async (): Promise<string[]> =>
      (await readdir(home).catch(() => [])).filter((name) => name.startsWith('postgres-18.tmp'));
    await until(async () => (await leftovers()).length > 0, 'the begin of initdb');
    await killed.kill('SIGKILL');
    expect(await leftovers()).not.toEqual([]);

    const next = await start();
    expect(next.adopted).toBe(false);
    expect(await answers(next.url)).toBe(true);
    await next.stop();
    await (await start()).stop();
    expect(await leftovers()).toEqual([]);
  });
});

describe('several processes on one data directory', () => {
  it('that start at the same moment end up on one server, which the last one stops', async () => {
    const crowd = [launcher(), launcher(), launcher()];
    const servers = await Promise.all(crowd.map(({ started }) => started));
    expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
    expect(servers.filter(({ adopted }) => !adopted)).toHaveLength(1);

    const outcomes: string[] = [];
    for (const process of crowd) outcomes.push(await process.stop());
    expect(outcomes).toEqual(['in-use', 'in-use', 'stopped']);
    expect(await clusterStatus(home)).toMatchObject({ running: false, reason: 'stopped' });
  });

  it('that starts while another stops finds a server that works', async () => {
    await existing();
    const first = await start();
    const [, second] = await Promise.all([first.stop({ unlessUsed: true }), start()]);
    expect(await answers(second.url)).toBe(true);
    await second.stop();
  });

  it('leaves the server running for a standby that is connected through its pool only', async () => {
    await existing();
    const server = await start();
    const standby = new Client({ connectionString: server.url, application_name: 'foresail' });
    await standby.connect();
    expect(await server.stop({ unlessUsed: true })).toBe('in-use');
    await standby.end();
    expect(await stopCluster(home, { unlessUsed: true })).toBe('stopped');
  });
});

describe('when PostgreSQL is killed', () => {
  it('it comes back by itself, on the same port, for everybody', async () => {
    await existing();
    const [first, second] = [await start(), await start()];
    await onServer(first.url, (client) => client.query('CREATE TABLE kept (id int)'));
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');

    await until(
      () => lines.filter((line) => line.startsWith('connected to PostgreSQL again')).length === 2,
      'two reconnections',
    );
    expect(await postmasterPid()).not.toBe(pid);
    await onServer(first.url, (client) => client.query('SELECT id FROM kept'));
    expect(lines.filter((line) => line.includes('has crashed'))).toHaveLength(1);
    expect(await first.stop({ unlessUsed: true })).toBe('in-use');
    expect(await second.stop({ unlessUsed: true })).toBe('stopped');
  });

  it('it stays away when it was stopped on purpose, and comes back with the next start', async () => {
    await existing();
    const server = await start();
    expect(await stopCluster(home)).toBe('stopped');
    await until(() => lines.some((line) => line.includes('stopped by somebody')), 'the notice');
    expect(await clusterStatus(home)).toMatchObject({ running: false, reason: 'stopped' });
    const next = await start();
    expect(next.url).toBe(server.url);
    await next.stop();
  });

  it('a stale pid file whose pid another process has does not stop the start', async () => {
    await existing();
    const server = await start({ restartAfterCrash: false });
    await killServer();
    await giveAwayPid(await bystander());
    expect(await clusterStatus(home)).toMatchObject({
      running: false,
      reason: expect.stringContaining('is gone'),
    });

    const next = await start();
    expect(next.adopted).toBe(false);
    expect(await answers(next.url)).toBe(true);
    await server.release();
    await next.stop();
  });

  it('a new server waits for children of the old one that still hold its memory', async () => {
    await existing();
    const server = await start({ restartAfterCrash: false });
    const session = new Client({ connectionString: server.url });
    session.on('error', () => undefined);
    await session.connect();
    const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const orphan = rows[0]?.pid ?? 0;
    process.kill(orphan, 'SIGSTOP'); // It will not notice that its parent is gone.
    await killServer();
    await giveAwayPid(await bystander());

    let done = false;
    const next = start().finally(() => (done = true));
    const refusal = async (): Promise<boolean> =>
      (await readFile(layoutOf(home).log, 'utf8')).includes('pre-existing shared memory block');
    await until(refusal, 'the refusal to share the memory');
    expect(done).toBe(false);
    process.kill(orphan, 'SIGKILL');
    expect(await answers((await next).url)).toBe(true);
    await session.end().catch(() => undefined);
    await server.release();
    await (await next).stop();
  });

  it('a server that is there but does not answer is reported, not fought', async () => {
    await existing();
    const server = await start({ restartAfterCrash: false });
    await server.release();
    const pid = await postmasterPid();
    process.kill(pid, 'SIGSTOP');
    try {
      expect(await clusterStatus(home)).toMatchObject({
        running: false,
        reason: expect.stringContaining(`pid ${pid} does not let us in`),
      });
      const site = await siteOf(home, undefined, () => undefined);
      await expect(settle(site, { silentMs: 100, busyMs: 100 })).rejects.toThrow(
        new RegExp(`pid ${pid}\\) holds .*kill ${pid}`),
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await stopCluster(home)).toBe('stopped');
  });
});
