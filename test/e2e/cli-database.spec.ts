import { join } from 'node:path';
import { runCli } from '../support/cli-run';
import { freshDatabase } from '../support/database';
import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';
import { removeScratch, scratchDirectory } from '../support/scratch';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(60_000);

describe('db and keys', () => {
  it('make, list and revoke keys in the configured database', async () => {
    const database = await freshDatabase();
    const env = { DATABASE_URL: database.url };
    const made = await runCli(['keys', 'create', '--label', 'ci', '--expires-in', '1'], { env });
    const { key, ...record } = JSON.parse(made.out) as { key: string; prefix: string; id: string };
    const listed = await runCli(['keys', 'list'], { env });
    const revoked = await runCli(['keys', 'revoke', record.prefix], { env });
    const again = await runCli(['keys', 'revoke', record.id], { env });
    const after = await runCli(['keys', 'list', '-o', 'table'], { env });
    await database.drop();

    expect(made).toMatchObject({ code: 0, err: '' });
    expect(key).toContain(record.prefix);
    expect(JSON.parse(listed.out)).toEqual([record]);
    expect(listed.out).not.toContain(key);
    expect(revoked).toMatchObject({ code: 0, out: `revoked ${record.prefix}\n` });
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(after.out).toMatch(new RegExp(`^PREFIX .*\n${record.prefix} +ci +20`));
  });

  it('tell of an external database, its password hidden, and do not stop it', async () => {
    const database = await freshDatabase();
    const env = { DATABASE_URL: database.url };
    const status = await runCli(['db', 'status'], { env });
    const url = await runCli(['db', 'url'], { env });
    const stop = await runCli(['db', 'stop'], { env });
    await database.drop();
    const gone = await runCli(['db', 'status'], { env });

    const { password } = new URL(database.url);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.out)).toMatchObject({ engine: 'external', running: true });
    expect(password).not.toBe('');
    expect(status.out).not.toContain(password);
    expect(url.out).toBe(`${database.url}\n`);
    expect(stop).toMatchObject({ code: 2, out: '' });
    expect(gone.code).toBe(1);
    expect(JSON.parse(gone.out)).toMatchObject({ running: false });
  });

  it('tell of an embedded database that was never started', async () => {
    const folder = await scratchDirectory();
    const dataDir = join(folder, 'never');
    const status = await runCli(['db', 'status', '--data-dir', dataDir]);
    const url = await runCli(['db', 'url', '--data-dir', dataDir]);
    const stop = await runCli(['db', 'stop', '--data-dir', dataDir]);
    await removeScratch(folder);

    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject({ engine: 'embedded', running: false });
    expect(url).toMatchObject({ code: 1, out: '' });
    expect(stop).toMatchObject({ code: 0, out: expect.stringContaining('was not running') });
  });

  it('start an embedded database for the moment, and stop one that was left running', async () => {
    const folder = await scratchDirectory();
    const place = ['--data-dir', join(folder, 'data')];
    const made = await runCli(['keys', 'create', ...place]);
    const after = await runCli(['db', 'status', ...place]);
    const server = await EmbeddedPostgres.start({ dataDir: place[1] ?? '', log: () => undefined });
    const used = await runCli(['db', 'stop', ...place]);
    await server.release();
    const listed = await runCli(['keys', 'list', ...place]);
    const running = await EmbeddedPostgres.start({ dataDir: place[1] ?? '', log: () => undefined });
    await running.release();
    const status = await runCli(['db', 'status', ...place]);
    const url = await runCli(['db', 'url', ...place]);
    const stopped = await runCli(['db', 'stop', ...place]);
    await removeScratch(folder);

    expect(made).toMatchObject({ code: 0, err: '' });
    expect(after.code).toBe(1);
    expect(used).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
    expect(JSON.parse(listed.out)).toHaveLength(1);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.out)).toMatchObject({
      engine: 'embedded',
      running: true,
      port: running.port,
      url: running.url.replace(/:[^:@/]+@/, ':***@'),
    });
    expect(url.out).toBe(`${running.url}\n`);
    expect(stopped).toMatchObject({ code: 0, out: expect.stringContaining('stopped') });
  });
});
