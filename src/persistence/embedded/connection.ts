import { realpath } from 'node:fs/promises';
import { Client } from 'pg';
import { DATABASE, HOST, SUPERUSER } from './layout';

declare module 'pg' {
  // Missing in its published types: whether the connection keeps the process alive.
  interface Client {
    ref(): void;
    unref(): void;
  }
}

// Every client of Foresail begins its name with this; see `countOtherUsers`.
const FAMILY = 'foresail';

/** How to reach the server of a cluster. */
export interface Address {
  readonly port: number;
  readonly password: string;
}

/** Connection URL of a database of the embedded server, password included. */
export function urlOf({ port, password }: Address, database = DATABASE): string {
  return `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@${HOST}:${port}/${database}`;
}

/**
 * Opens a connection to the maintenance database. Its loss is seen as an `end` event only. Rejects
 * with the driver's error.
 */
export async function connect(address: Address, timeoutMs: number): Promise<Client> {
  const client = new Client({
    connectionString: urlOf(address, 'postgres'),
    application_name: `${FAMILY}-embedded`,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
  });
  // Without a listener the loss of the connection would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

/** Version of the connected server (`18.4`) and whether it serves that cluster. */
export async function identify(
  client: Client,
  cluster: string,
): Promise<{ version: string; ours: boolean }> {
  const { rows } = await client.query<{ version: string; directory: string }>(
    `SELECT current_setting('server_version') AS version,
            current_setting('data_directory') AS directory`,
  );
  const [row] = rows;
  if (row === undefined) return { version: 'unknown', ours: false };
  const directory = await realpath(row.directory).catch(() => row.directory);
  return { version: row.version, ours: directory === (await realpath(cluster)) };
}

/** Creates the application's database if it is missing. */
export async function ensureDatabase(client: Client): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
}

/** How many connections of Foresail processes the server has, this one not counted. */
export async function countOtherUsers(client: Client): Promise<number> {
  const { rows } = await client.query<{ users: number }>(
    `SELECT count(*)::int AS users
       FROM pg_stat_activity
      WHERE backend_type = 'client backend'
        AND starts_with(application_name, $1)
        AND pid <> pg_backend_pid()`,
    [FAMILY],
  );
  return rows[0]?.users ?? 0;
}
