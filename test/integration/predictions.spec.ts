import type { DataSource } from 'typeorm';
import type { Term } from '../../src/ops/term';
import { createDataSource } from '../../src/persistence/data-source';
import { PredictionSettingsRepository } from '../../src/persistence/prediction-settings.repository';
import { journalRig, type JournalRig } from '../support/journal-rig';

const term: Term = { epoch: 1, end: () => undefined };

let rig: JournalRig;
let source: DataSource;

beforeEach(async () => {
  rig = await journalRig(1);
  source = await createDataSource(rig.url, { poolSize: 2 }).initialize();
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await source.destroy();
  await rig.close();
});

describe('prediction settings', () => {
  it('come back as they were set last', async () => {
    const repository = new PredictionSettingsRepository(source, term);
    expect(await repository.mode()).toBeNull();
    await repository.setMode('lookup_table');
    await repository.setMode('default');
    expect(await repository.mode()).toBe('default');
  });

  it('are not written by a term that is over', async () => {
    await rig.query('UPDATE leadership SET epoch = 2');
    const repository = new PredictionSettingsRepository(source, term);
    await expect(repository.setMode('lookup_table')).rejects.toMatchObject({ code: 'not_leading' });
    expect(await repository.mode()).toBeNull();
  });
});
