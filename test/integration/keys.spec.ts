import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/persistence/data-source';
import { KeyRing } from '../../src/persistence/key-ring';
import { KeysRepository } from '../../src/persistence/keys.repository';
import { readPostgresSettings } from '../../src/persistence/postgres-settings';
import { freshDatabase, type TestDatabase } from '../support/database';
import { PostgresProxy } from '../support/postgres-proxy';
import { until } from '../support/until';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let source: DataSource;
let keys: KeysRepository;
let ring: KeyRing;

beforeEach(async () => {
  database = await freshDatabase();
  source = await createDataSource(database.url, { poolSize: 1 }).initialize();
  keys = new KeysRepository(source);
  ring = await KeyRing.open(database.url, { refreshMs: HOUR_MS });
});

afterEach(async () => {
  await ring.close();
  await source.destroy();
  await database.drop();
});

describe('the table of keys', () => {
  it('shows a key once and keeps its digest only', async () => {
    expect(await keys.list()).toEqual([]);
    const { text, record } = await keys.create('laptop');
    expect(text).toMatch(/^fsl_[0-9a-f]{12}_[0-9a-f]{64}$/);
    const [listed, ...others] = await keys.list();
    expect(others).toEqual([]);
    expect(listed).toMatchObject({
      id: record.id,
      label: 'laptop',
      revokedAt: null,
      lastUsedAt: null,
    });
    expect(listed?.sha256).toBeUndefined();
    const rows = await source.query<{ row: string }[]>('SELECT k::text AS row FROM api_keys k');
    expect(rows[0]?.row).not.toContain(text.slice(-64));
  });

  it('revokes by id or prefix, once', async () => {
    const one = await keys.create('one');
    const two = await keys.create('two');
    expect(await keys.revoke(one.record.id)).toBe(true);
    expect(await keys.revoke(two.record.prefix)).toBe(true);
    expect(await keys.revoke(one.record.id)).toBe(false);
    expect(await keys.revoke('nobody')).toBe(false);
    expect((await keys.list()).map(({ revokedAt }) => revokedAt)).not.toContain(null);
  });

  it('notes a use at most once a minute', async () => {
    const { record } = await keys.create('one');
    const used = async (): Promise<number | undefined> =>
      (await keys.list())[0]?.lastUsedAt?.getTime();
    await keys.touch(record.id);
    const first = await used();
    expect(first).toBeDefined();
    await keys.touch(record.id);
    expect(await used()).toBe(first);
    await source.query(`UPDATE api_keys SET last_used_at = now() - interval '61 seconds'`);
    await keys.touch(record.id);
    expect(await used()).toBeGreaterThan((first ?? 0) - 1);
  });
});

describe('the ring of keys', () => {
  it('knows a valid key from memory, and no other', async () => {
    const { text } = await keys.create('one');
    await ring.refresh();
    expect(ring.anyKeyExists()).toBe(true);
    expect(ring.verify(text)).toBe(true);
    for (const wrong of [
      `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`,
      text.toUpperCase(),
      `${text} `,
      text.slice(0, -1),
      'fsl_',
      '',
    ]) {
      expect(await ring.verify(wrong)).toBe(false);
    }
  });

  it('looks an unknown key up, so that a new one works at once', async () => {
    expect(ring.anyKeyExists()).toBe(false);
    const { text } = await keys.create('new');
    await until(() => ring.verify(text), 'the new key');
    expect(ring.anyKeyExists()).toBe(true);
  });

  it('follows the table by itself', async () => {
    const quick = await KeyRing.open(database.url, { refreshMs: 20 });
    const { text, record } = await keys.create('one');
    await until(() => quick.anyKeyExists(), 'the new key');
    expect(quick.verify(text)).toBe(true);
    await keys.revoke(record.id);
    await until(async () => !(await quick.verify(text)), 'the revocation');
    expect(quick.anyKeyExists()).toBe(true);
    await quick.close();
  });

  it('refuses a key that has expired', async () => {
    const past = await keys.create('past', new Date(Date.now() - 1_000));
    const future = await keys.create('future', new Date(Date.now() + HOUR_MS));
    await ring.refresh();
    expect([ring.verify(past.text), ring.verify(future.text)]).toEqual([false, true]);
  });

  it('notes when a key was used', async () => {
    const { text } = await keys.create('one');
    await ring.refresh();
    expect(ring.verify(text)).toBe(true);
    await until(async () => (await keys.list())[0]?.lastUsedAt !== null, 'the note of the use');
  });

  it('goes on with what it knew while PostgreSQL is away', async () => {
    const { text } = await keys.create('one');
    const proxy = await PostgresProxy.listen(database.url);
    const behind = await KeyRing.open(proxy.url, { refreshMs: 20 });
    proxy.refuse();
    await expect(behind.refresh()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect([behind.anyKeyExists(), behind.verify(text)]).toEqual([true, true]);
    const other = await keys.create('two');
    expect(await behind.verify(other.text)).toBe(false);
    proxy.admit();
    await until(() => behind.verify(other.text), 'the key that was made meanwhile');
    await behind.close();
    await proxy.close();
  });
});

describe('settings of the server', () => {
  it('are read, with a warning for each that may lose a commit', async () => {
    const { version, warnings, ...settings } = await readPostgresSettings(database.url);
    expect(version).toMatch(/^\d+/);
    const isOff = Object.values(settings).map((value) => value === 'off');
    expect(warnings).toHaveLength(isOff.filter(Boolean).length);
  });

  it('reject when the server does not answer', async () => {
    const proxy = await PostgresProxy.listen(database.url);
    const { url } = proxy;
    await proxy.close();
    await expect(readPostgresSettings(url)).rejects.toThrow();
  });
});
