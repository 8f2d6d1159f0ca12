import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rename, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { clusterStatus } from '../../src/persistence/embedded/cluster-status';
import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';
import { type DurableCluster, startDurableCluster } from '../support/cluster';
import { freshDatabase, onServer } from '../support/database';
import { removeScratch, scratchDirectory, sweepScratch } from '../support/scratch';
import { copySeed, createSeed } from '../support/seed';

jest.setTimeout(60_000);

const tablesOf = (url: string): Promise<string[]> =>
  onServer(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables
       WHERE table_schema = 'public' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  });

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

describe('freshDatabase', () => {
  it('gives migrated databases that do not see each other, many at once', async () => {
    const databases = await Promise.all(Array.from({ length: 6 }, () => freshDatabase()));
    const [first, second] = databases;
    expect(new Set(databases.map(({ url }) => url)).size).toBe(6);
    expect(await tablesOf(first!.url)).toContain('tasks');
    await onServer(first!.url, (client) => client.query('CREATE TABLE mine (id int)'));
    expect(await tablesOf(first!.url)).toContain('mine');
    expect(await tablesOf(second!.url)).not.toContain('mine');
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('drops a database that somebody is still connected to', async () => {
    const { url, drop } = await freshDatabase();
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await drop();
    await gone;
    await expect(tablesOf(url)).rejects.toMatchObject({ code: '3D000' });
  });
});

describe('a durable cluster', () => {
  let cluster: DurableCluster;
  beforeAll(async () => {
    cluster = await startDurableCluster();
  });
  afterAll(() => cluster.dispose());

  it('keeps what was committed, and its address, over a kill and over a stop', async () => {
    const url = await cluster.createDatabase('foresail_test_kept');
    expect(url).toBe(cluster.databaseUrl('foresail_test_kept'));
    const before = await tablesOf(url);
    expect(before).toContain('tasks');
    await onServer(url, (client) => client.query('CREATE TABLE kept (id int)'));

    await cluster.kill();
    await expect(tablesOf(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cluster.start();
    expect(await tablesOf(url)).toEqual([...before, 'kept'].sort());

    await cluster.stop();
    await expect(tablesOf(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cluster.start();
    expect(await clusterStatus(cluster.dataDir)).toMatchObject({ running: true, url: cluster.url });
    await expect(cluster.start()).resolves.toBeUndefined();
  });

  it('has fsync on', async () => {
    const fsync = await onServer(cluster.url, (client) => client.query('SHOW fsync'));
    expect(fsync.rows).toEqual([{ fsync: 'on' }]);
  });
});

describe('sweepScratch', () => {
  it('removes what dead processes left, server and all, and nothing of living ones', async () => {
    const mine = await scratchDirectory();
    await createSeed(mine);
    // A directory named after a process that is dead, with a server that still runs in it.
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const theirs = path.join(os.tmpdir(), `foresail-test-${child.pid ?? 0}-12345-abcdef`);
    await mkdir(theirs);
    await copySeed(mine, path.join(mine, 'copy'));
    await rename(path.join(mine, 'copy'), path.join(theirs, 'data'));
    const dataDir = path.join(theirs, 'data');
    await chmod(theirs, 0o755);
    const server = await EmbeddedPostgres.start({ dataDir, log: () => undefined });
    await server.release();

    await sweepScratch();
    expect(await exists(theirs)).toBe(false);
    await expect(tablesOf(server.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await exists(path.join(mine, 'data'))).toBe(true);
    await removeScratch(mine);
    expect(await exists(mine)).toBe(false);
  });
});
