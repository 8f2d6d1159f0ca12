import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';

/** A database of a test's own. */
export interface TestDatabase {
  readonly url: string;
  /** Drops it, whoever is connected. */
  readonly drop: () => Promise<void>;
}

/** What global set-up tells the workers, by the names of the environment. */
export const TEST_SERVER = {
  url: 'FORESAIL_TEST_SERVER_URL',
  template: 'FORESAIL_TEST_TEMPLATE',
  dataDir: 'FORESAIL_TEST_DATA_DIR',
} as const;

/** Every database that tests create or drop has a name that begins so. */
export const TEST_PREFIX = 'foresail_test_';

const OBJECT_IN_USE = '55006';
const LONGEST_CLONE_WAIT_MS = 20_000;

/**
 * A migrated, empty database of its own, cloned from the template in about 20 ms. Drop it when done.
 *
 * @throws {Error} outside the projects that have a database (`integration`, `e2e`)
 */
export async function freshDatabase(): Promise<TestDatabase> {
  const server = required(TEST_SERVER.url);
  const template = required(TEST_SERVER.template);
  const worker = process.env['JEST_WORKER_ID'] ?? '0';
  const name = `${TEST_PREFIX}${worker}_${randomBytes(6).toString('hex')}`;
  await onServer(server, (client) => clone(client, template, name));
  return {
    url: databaseUrl(server, name),
    drop: () => onServer(server, (client) => dropDatabase(client, name)),
  };
}

/** Runs work on a connection of its own. */
export async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'tests' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The URL of another database on the same server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

/** Drops a test's database, whoever is connected. */
export async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
}

/** The name as an identifier; only names that no real database has are let through. */
export function quoted(name: string): string {
  if (/^foresail_test_\w+$/.test(name)) return `"${name}"`;
  throw new Error(`tests only touch databases named ${TEST_PREFIX}*, not ${name}`);
}

async function clone(client: Client, template: string, name: string): Promise<void> {
  const { rows } = await client.query<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  );
  // Copying through the log is the fast way for a small template; 14 knows only the other.
  const strategy = (rows[0]?.major ?? 0) >= 15 ? 'STRATEGY wal_log' : '';
  const deadline = performance.now() + LONGEST_CLONE_WAIT_MS;
  for (;;) {
    try {
      await client.query(
        `CREATE DATABASE ${quoted(name)} TEMPLATE ${quoted(template)} ${strategy}`,
      );
      return;
    } catch (error) {
      const busy = error instanceof DatabaseError && error.code === OBJECT_IN_USE;
      if (!busy || performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value !== undefined) return value;
  throw new Error(`${name} is not set: run this test in the project "integration" or "e2e"`);
}
