import { Client } from 'pg';
import { FENCE, SESSION } from '../../src/persistence/journal-sql';
import { sqlStateOf } from '../../src/persistence/sql-state';
import { StatementPipeline } from '../../src/persistence/statement-pipeline';
import { freshDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';

let database: TestDatabase;
let client: Client;
let other: Client;

beforeEach(async () => {
  database = await freshDatabase();
  client = await connected();
  other = await connected();
  await client.query(`
    CREATE TABLE kept (n int PRIMARY KEY);
    PREPARE keep AS INSERT INTO kept VALUES ($1);
    PREPARE show AS SELECT * FROM generate_series(1, $1::int)`);
});

afterEach(async () => {
  await client.end();
  await other.end();
  await database.drop();
});

async function connected(): Promise<Client> {
  const made = new Client({ connectionString: database.url });
  made.on('error', () => undefined);
  await made.connect();
  return made;
}

function keep(...numbers: readonly number[]): StatementPipeline {
  return new StatementPipeline(numbers.map((n) => ({ name: 'keep', values: [String(n)] })));
}

async function kept(): Promise<number[]> {
  const { rows } = await other.query<{ n: number }>('SELECT n FROM kept ORDER BY n');
  return rows.map(({ n }) => n);
}

async function stateOf(work: Promise<void>): Promise<string | undefined> {
  return work.then(
    () => 'none',
    (error: unknown) => sqlStateOf(error),
  );
}

describe('StatementPipeline', () => {
  it('is one transaction, whatever its statements return', async () => {
    const pipeline = new StatementPipeline([
      { name: 'keep', values: ['1'] },
      { name: 'show', values: ['3'] },
      { name: 'keep', values: ['2'] },
    ]);
    await pipeline.commit(client);
    expect(pipeline.executed).toBe(3);
    const xmin = 'SELECT DISTINCT xmin::text FROM kept';
    expect((await other.query(xmin)).rowCount).toBe(1);
    expect(await kept()).toEqual([1, 2]);
  });

  it('is undone by a statement that fails, and says which; the connection goes on', async () => {
    const pipeline = keep(1, 2, 1, 3);
    expect(await stateOf(pipeline.commit(client))).toBe('23505');
    expect(pipeline.executed).toBe(2);
    expect(await kept()).toEqual([]);
    await keep(4).commit(client);
    expect(await kept()).toEqual([4]);
  });

  it('says when it was the commit that failed', async () => {
    await client.query(
      'ALTER TABLE kept ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED, DROP CONSTRAINT kept_pkey',
    );
    const pipeline = keep(1, 1);
    expect(await stateOf(pipeline.commit(client))).toBe('23505');
    expect(pipeline.executed).toBe(2);
    expect(await kept()).toEqual([]);
  });

  it('gives up the connection when it cannot be put on it whole', async () => {
    const { connection } = client;
    jest.spyOn(connection, 'sync').mockImplementation(() => {
      throw new Error('no memory');
    });
    await expect(keep(1).commit(client)).rejects.toThrow('no memory');
    await until(() => connection.stream.destroyed, 'the end of the connection');
    expect(await kept()).toEqual([]);
  });

  it('cannot hold the lease when only a part of it has arrived', async () => {
    for (const statement of SESSION) await client.query(statement);
    const shown = await client.query('SHOW transaction_timeout');
    expect(shown.rows).toEqual([{ transaction_timeout: '15s' }]);
    await client.query('SET transaction_timeout = 500');
    await other.query('UPDATE leadership SET epoch = 1');
    const { connection } = client;
    // What it has of the flush, the server executes.
    jest.spyOn(connection, 'sync').mockImplementation(() => connection.flush());
    const torn = new StatementPipeline([{ name: FENCE.name, values: ['1'] }]);
    const ended = stateOf(torn.commit(client));
    await until(() => torn.executed === 1, 'the fence');
    await other.query('UPDATE leadership SET epoch = 2');
    expect(await ended).toBe('25P04');
  });
});
