import { Client } from 'pg';

/** Lends a connection to that database. */
export async function withDatabase<T>(
  url: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** How many transactions the database has committed; it counts them itself, a moment later. */
export function committed(url: string): Promise<number> {
  return withDatabase(url, async (client) => {
    const { rows } = await client.query<{ commits: string }>(
      'SELECT xact_commit AS commits FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(rows[0]?.commits);
  });
}

/**
 * In how many commits the journal wrote of a task, in the mean: every step is an event, and the steps of
 * one commit have the same transaction.
 */
export function commitsPerTask(url: string): Promise<number> {
  return withDatabase(url, async (client) => {
    const { rows } = await client.query<{ mean: string }>(COMMITS_PER_TASK);
    return Number(rows[0]?.mean);
  });
}

const COMMITS_PER_TASK = `
  SELECT avg(commits) AS mean
    FROM (SELECT count(DISTINCT xmin::text) AS commits FROM task_events GROUP BY task_id) AS lives`;
