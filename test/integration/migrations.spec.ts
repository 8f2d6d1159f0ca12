import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource, migrate } from '../../src/persistence/data-source';
import { freshDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await freshDatabase();
  client = new Client({ connectionString: database.url, application_name: 'tests' });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('migrations', () => {
  it('leave nothing behind when they are reverted, and build the same again', async () => {
    const before = await schemaOf();
    const source = await connected();
    await revertAll(source);
    const left = (await schemaOf()).filter((line) => !line.startsWith('migrations'));
    expect(left).toEqual([]);
    await migrate(database.url);
    expect(await schemaOf()).toEqual(before);
  });

  it('wait for each other when several processes start at once', async () => {
    const before = await schemaOf();
    const source = await connected();
    await revertAll(source);
    await Promise.all(Array.from({ length: 5 }, () => migrate(database.url)));
    expect(await schemaOf()).toEqual(before);
  });

  it('build what the entities describe', async () => {
    const source = await connected();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();
    // What entities cannot express, they would drop: constraints and indexes with their names.
    const changes = upQueries.map((change) => change.query);
    expect(
      changes.filter((text) => !/^(ALTER TABLE \S+ DROP CONSTRAINT|DROP INDEX)/.test(text)),
    ).toEqual([]);
  });

  async function revertAll(source: DataSource): Promise<void> {
    for (let left = source.migrations.length; left > 0; left--) await source.undoLastMigration();
    await source.destroy();
  }

  async function connected(): Promise<DataSource> {
    return createDataSource(database.url, { poolSize: 1 }).initialize();
  }

  /** Every column, constraint, index, trigger and function, one line each. */
  async function schemaOf(): Promise<string[]> {
    const { rows } = await client.query<{ line: string }>(`
      SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line
        FROM information_schema.columns WHERE table_schema = 'public'
      UNION ALL
      SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
      UNION ALL
      SELECT format('%s %s', tablename, indexdef) FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL
      SELECT format('%s %s', tgrelid::regclass, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL
      SELECT format('function %s', proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY line`);
    return rows.map(({ line }) => line);
  }
});
