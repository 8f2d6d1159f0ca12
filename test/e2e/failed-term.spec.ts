import { Client } from 'pg';
import { freshDatabase, type TestDatabase } from '../support/database';
import { ServiceProcess } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(120_000);

describe('a term that cannot begin', () => {
  let database: TestDatabase;
  let client: Client;
  let service: ServiceProcess | undefined;

  beforeEach(async () => {
    database = await freshDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
  });

  afterEach(async () => {
    await service?.kill();
    await client.end();
    await database.drop();
  });

  it('is told as what it is, and tried again until it can', async () => {
    await client.query('ALTER TABLE instances RENAME TO instances_away');
    service = await ServiceProcess.start({ databaseUrl: database.url });
    expect(service.log).toContain('Foresail stands by (its term could not begin');
    expect(service.log).not.toContain('another process');
    expect(await service.get('/readyz')).toMatchObject({
      status: 503,
      body: { code: 'not_leading', detail: expect.stringContaining('could not begin') },
    });

    await client.query('ALTER TABLE instances_away RENAME TO instances');
    const leads = async (): Promise<boolean> => (await service?.get('/readyz'))?.status === 200;
    await until(leads, 'a term to begin', 30_000);
  });
});
