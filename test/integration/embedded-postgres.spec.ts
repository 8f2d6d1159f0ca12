import { cp, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { findAccount } from '../../src/ops/accounts';
import { findDistribution, prepareBinaries } from '../../src/persistence/embedded/binaries';
import {
  clusterStatus,
  clusterUrl,
  stopCluster,
} from '../../src/persistence/embedded/cluster-status';
import {
  EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../src/persistence/embedded/embedded-postgres';
import { layoutOf } from '../../src/persistence/embedded/layout';
import { lastPort } from '../../src/persistence/embedded/postmaster-file';
import { startServer, stopServer } from '../../src/persistence/embedded/server';
import { siteOf } from '../../src/persistence/embedded/site';
import { onServer } from '../support/database';
import { compileLauncher, killLaunchers, startLauncher } from '../support/launcher-process';
import { removeScratch, scratchDirectory } from '../support/scratch';
import { copySeed, createSeed } from '../support/seed';

const asRoot = process.getuid?.() === 0 ? it : it.skip;

jest.setTimeout(60_000);

let seed: string;
let scratch: string;
let home: string;
let lines: string[];

const start = (options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> =>
  EmbeddedPostgres.start({ dataDir: home, log: (line) => lines.push(line), ...options });

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

const ask = async (url: string, sql: string): Promise<unknown> =>
  onServer(url, async (client) => {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return Object.values(rows[0] ?? {})[0];
  });

/** Spares a test that is not about it the first start. */
const existing = (): Promise<void> => copySeed(seed, home);

/** Takes a port of an address for as long as the test needs it. */
const occupy = (port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });

beforeAll(async () => {
  seed = await scratchDirectory();
  await createSeed(seed);
});

afterAll(() => removeScratch(seed));

beforeEach(async () => {
  scratch = await scratchDirectory();
  home = path.join(scratch, 'data');
  lines = [];
});

afterEach(async () => {
  await killLaunchers();
  await removeScratch(scratch);
});

describe('the first start', () => {
  it('creates a checked, loopback-only cluster with the database, closed to other accounts', async () => {
    const server = await start();
    const { cluster, log, password } = layoutOf(home);

    expect(server.adopted).toBe(false);
    expect(server.version).toMatch(/^18\./);
    expect(await ask(server.url, 'SELECT current_database()')).toBe('foresail');
    expect(await ask(server.url, 'SHOW data_checksums')).toBe('on');
    expect(await ask(server.url, 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await ask(server.url, 'SHOW unix_socket_directories')).toBe('');
    expect(await ask(server.url, 'SHOW server_encoding')).toBe('UTF8');
    const locale = `SELECT datlocprovider::text || datlocale FROM pg_database
                    WHERE datname = current_database()`;
    expect(await ask(server.url, locale)).toBe('bC.UTF-8');
    expect(await modeOf(cluster)).toBe(0o700);
    expect(await modeOf(password)).toBe(0o600);
    expect(await modeOf(log)).toBe(0o600);
    const names = await readdir(home);
    expect(names.sort()).toEqual(['password', 'postgres-18', 'postgres.log', 'start.lock']);
    expect(lines.filter((line) => line.startsWith('PostgreSQL 18.'))).toHaveLength(1);
    expect(lines.join('\n')).not.toContain((await readFile(password, 'utf8')).trim());
    await server.stop();
  });

  it('refuses a connection without the password', async () => {
    await existing();
    const server = await start();
    const wrong = new URL(server.url);
    wrong.password = 'guess';
    await expect(ask(wrong.toString(), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await server.stop();
  });

  it('passes settings on, and refuses one that a shell would read', async () => {
    await existing();
    const evil = { application_name: '$(id)' };
    await expect(start({ settings: evil })).rejects.toThrow(
      /application_name="\$\(id\)".*DATABASE/,
    );
    const server = await start({ settings: { max_connections: '23' } });
    expect(await ask(server.url, 'SHOW max_connections')).toBe('23');
    await server.stop();
  });

  asRoot('runs as an unprivileged account, which root may choose', async () => {
    const nobody = await findAccount('nobody');
    const server = await start({ user: 'nobody' });
    expect(server.account).toBe('nobody');
    expect((await stat(layoutOf(home).cluster)).uid).toBe(nobody?.uid);
    await server.stop();

    // From then on the owner decides.
    const again = await start({ user: 'postgres' });
    expect(again.account).toBe('nobody');
    await again.stop();
  });

  asRoot('refuses to run as an account that does not exist, or as root', async () => {
    await expect(start({ user: 'no-such-account' })).rejects.toThrow(
      /"no-such-account".*does not know it.*DATABASE_URL/,
    );
    await expect(start({ user: 'root' })).rejects.toThrow(/does not run as root/);
  });
});

describe('stopping and starting again', () => {
  it('keeps the data, the password and the port', async () => {
    await existing();
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(await first.stop()).toBe('stopped');
    expect(await clusterStatus(home)).toMatchObject({ running: false, reason: 'stopped' });
    expect(await first.stop()).toBe('not-running');

    const second = await start();
    expect(second.adopted).toBe(false);
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'SELECT answer FROM kept')).toBe(42);
    await second.stop();
  });

  it('takes another port when the last one is taken', async () => {
    await existing();
    const first = await start();
    await first.stop();
    const occupant = await occupy(first.port, '127.0.0.1');
    const second = await start();
    expect(second.port).not.toBe(first.port);
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    await second.stop();
    occupant.close();
  });

  it('shows the server own words when a fixed port is taken', async () => {
    await existing();
    const occupant = await occupy(0, '127.0.0.1');
    const address = occupant.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(start({ port })).rejects.toThrow(/DATABASE_URL\.\n.*Address already in use/s);
    occupant.close();
  });

  it('tries another port once when the server finds its port taken', async () => {
    await existing();
    const site = await siteOf(home, undefined, () => undefined);
    const binaries = await prepareBinaries(home, site.account, site.log);
    const port = (await lastPort(site.layout.cluster)) ?? 0;
    // Free where the launcher looks, taken where the server listens.
    const occupant = await occupy(port, '127.0.0.2');
    const settings = { listen_addresses: '127.0.0.2' };
    const taken = await startServer(site, binaries, { settings, port: undefined });
    expect(taken).not.toBe(port);
    await stopServer(site, binaries, 'fast');
    occupant.close();
  });

  it('works in a directory whose name a shell would read', async () => {
    home = path.join(scratch, `it's $(touch x) \\ "mine"`);
    const server = await start();
    expect(await ask(server.url, 'SELECT 1')).toBe(1);
    expect(await server.stop()).toBe('stopped');
  });

  it('puts a large log aside', async () => {
    await existing();
    const { log } = layoutOf(home);
    await writeFile(log, Buffer.alloc(17 * 2 ** 20, '\n'));
    await (await start()).stop();
    expect((await stat(log)).size).toBeLessThan(2 ** 20);
    expect((await stat(`${log}.1`)).size).toBe(17 * 2 ** 20);
  });
});

describe('the functions behind the db commands', () => {
  it('tell what the server is doing, and stop it', async () => {
    expect(await clusterStatus(home)).toMatchObject({
      running: false,
      reason: expect.stringContaining('no data'),
    });
    await expect(clusterUrl(home)).rejects.toThrow(/does not run.*start Foresail.*DATABASE_URL/);
    expect(await stopCluster(home)).toBe('not-running');

    const server = await start();
    const status = await server.status();
    expect(status).toMatchObject({ running: true, port: server.port, version: server.version });
    expect(await clusterUrl(home)).toBe(server.url);

    expect(await stopCluster(home, { unlessUsed: true })).toBe('in-use');
    expect(await ask(server.url, 'SELECT 1')).toBe(1);
    await server.release();
    expect(await stopCluster(home, { unlessUsed: true })).toBe('stopped');
    expect(await clusterStatus(home)).toMatchObject({ running: false, reason: 'stopped' });
  });
});

describe('data that cannot be used', () => {
  it.each(['17', '19'])(
    'refuses a cluster made by PostgreSQL %s, and says what to do',
    async (major) => {
      const { cluster } = layoutOf(home);
      await existing();
      await writeFile(path.join(cluster, 'PG_VERSION'), `${major}\n`);
      await expect(start()).rejects.toThrow(
        new RegExp(`made by PostgreSQL ${major}.*brings PostgreSQL 18.*pg_dump.*FORESAIL_DATA_DIR`),
      );
      expect(await readFile(path.join(cluster, 'PG_VERSION'), 'utf8')).toBe(`${major}\n`);
    },
  );

  it('does not begin empty beside the cluster of another version', async () => {
    await mkdir(path.join(home, 'postgres-17'), { recursive: true });
    await expect(start()).rejects.toThrow(/postgres-17 was made by PostgreSQL 17/);
  });

  it('refuses a directory that is a cluster itself, or holds other files', async () => {
    await mkdir(layoutOf(home).cluster, { recursive: true });
    await writeFile(path.join(layoutOf(home).cluster, 'thesis.txt'), 'precious');
    await expect(start()).rejects.toThrow(/not empty and holds no PostgreSQL data/);
    await writeFile(path.join(home, 'PG_VERSION'), '18\n');
    await expect(start()).rejects.toThrow(/data directory of a PostgreSQL itself/);
  });

  it('says so when the password is missing', async () => {
    await existing();
    await rm(layoutOf(home).password);
    await expect(start()).rejects.toThrow(/Cannot read the password.*restore.*DATABASE_URL/);
  });

  it('names a data directory that cannot be created', async () => {
    await writeFile(path.join(scratch, 'file'), '');
    home = path.join(scratch, 'file', 'data');
    await expect(start()).rejects.toThrow(
      /Cannot use the data directory .*file.*FORESAIL_DATA_DIR/,
    );
  });

  asRoot('names the directory that the account cannot enter', async () => {
    const closed = path.join(scratch, 'closed');
    await mkdir(closed, { mode: 0o700 });
    home = path.join(closed, 'data');
    await expect(start()).rejects.toThrow(
      new RegExp(`"postgres|nobody".*cannot enter ${closed} on the way to ${home}; .*chmod o\\+x`),
    );
  });
});

describe('binaries', () => {
  const scope = '@embedded-postgres';

  /** A checkout of its own with PostgreSQL in it, links not made, below a closed directory. */
  const closedCheckout = async (): Promise<string> => {
    const { native } = await findDistribution();
    const closed = path.join(scratch, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const checkout = path.join(closed, 'checkout');
    await compileLauncher(checkout);
    const packaged = path.dirname(native);
    const target = path.join(checkout, 'node_modules', scope, path.basename(packaged));
    const isLink = async (file: string): Promise<boolean> => (await lstat(file)).isSymbolicLink();
    const filter = async (file: string): Promise<boolean> => !(await isLink(file));
    await cp(packaged, target, { recursive: true, filter });
    return checkout;
  };

  asRoot('are copied once when only root can enter the checkout', async () => {
    const launcher = startLauncher(await closedCheckout(), home);
    const { url, account } = await launcher.started;
    expect(account).not.toBe('root');
    expect(await ask(url, 'SELECT 1')).toBe(1);
    expect(launcher.log.join('\n')).toMatch(
      /copying the PostgreSQL binaries to .*data\/bin-18\.\d/,
    );
    expect(await launcher.stop()).toBe('stopped');

    const again = startLauncher(path.join(scratch, 'closed', 'checkout'), home);
    await again.started;
    expect(again.log.join('\n')).not.toContain('copying');
    expect(await again.stop()).toBe('stopped');
  });

  it('that are not installed are an error with a remedy', async () => {
    const checkout = path.join(scratch, 'checkout');
    await compileLauncher(checkout);
    // A package without an entry ends the search, whatever directories further up hold.
    const { native } = await findDistribution();
    const name = path.basename(path.dirname(native));
    const hollow = path.join(checkout, 'node_modules', scope, name);
    await mkdir(hollow, { recursive: true });
    await writeFile(path.join(hollow, 'package.json'), '{ "exports": {} }');
    const launcher = startLauncher(checkout, home);
    await expect(launcher.started).rejects.toThrow(
      /No bundled PostgreSQL for this platform.*set DATABASE_URL/,
    );
  });
});
