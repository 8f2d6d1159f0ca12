import type { DataSource } from 'typeorm';
import { queueKey } from '../../src/core/queue';
import type { QueueSettings } from '../../src/core/queue-settings';
import { strategyName } from '../../src/core/units';
import { createDataSource } from '../../src/persistence/data-source';
import { StrategySettingsRepository } from '../../src/persistence/strategy-settings.repository';
import { freshDatabase, type TestDatabase } from '../support/database';

describe('strategy settings', () => {
  let database: TestDatabase;
  let source: DataSource;
  let repository: StrategySettingsRepository;

  beforeEach(async () => {
    database = await freshDatabase();
    source = await createDataSource(database.url, { poolSize: 2 }).initialize();
    await source.query('UPDATE leadership SET epoch = 1');
    repository = new StrategySettingsRepository(source, { epoch: 1, end: () => undefined });
  });

  afterEach(async () => {
    await source.destroy();
    await database.drop();
  });

  const settings: QueueSettings = {
    strategy: strategyName('weighted'),
    orderG: 2,
    prefetch: 1,
    limit: 7,
    attemptTimeoutMs: 0.5,
    paused: true,
  };
  const UNSET = Object.fromEntries(Object.keys(settings).map((name) => [name, null]));

  it('come back as they were set, the general ones first', async () => {
    expect(await repository.all()).toEqual([]);
    const queue = queueKey('model', 'a/b');
    await repository.set(queue, settings);
    await repository.set(null, { ...settings, orderG: 0 });
    await repository.set(queue, { prefetch: 0 });
    expect(await repository.all()).toEqual([
      { queue: null, settings: { ...settings, orderG: 0 } },
      { queue, settings: { ...settings, prefetch: 0 } },
    ]);
  });

  it('say what was not set, or no longer is', async () => {
    await repository.set(null, { prefetch: 3, limit: 4 });
    await repository.set(null, { limit: null });
    expect(await repository.all()).toEqual([{ queue: null, settings: { ...UNSET, prefetch: 3 } }]);
  });

  it('are not written by a term that is over', async () => {
    await source.query('UPDATE leadership SET epoch = 2');
    await expect(repository.set(null, settings)).rejects.toMatchObject({ code: 'not_leading' });
    expect(await repository.all()).toEqual([]);
  });
});
