import type { Client } from 'pg';

/** How many sessions of the client's database wait for a lock of another one. */
export async function blockedSessions(client: Client): Promise<number> {
  // Within a transaction the list of sessions would be the one that was seen first.
  await client.query('SELECT pg_stat_clear_snapshot()');
  const { rows } = await client.query(
    `SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE NOT granted AND datname = current_database()`,
  );
  return rows.length;
}
