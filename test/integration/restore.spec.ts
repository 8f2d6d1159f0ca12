import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/persistence/data-source';
import { InstancesRepository } from '../../src/persistence/instances.repository';
import { restoreFleet } from '../../src/persistence/restore-fleet';
import { StrategySettingsRepository } from '../../src/persistence/strategy-settings.repository';
import { TasksRepository } from '../../src/persistence/tasks.repository';
import { fleetRig } from '../support/builders';
import { journalRig, PAYLOAD, type JournalRig } from '../support/journal-rig';

describe('restoreFleet', () => {
  let rig: JournalRig;
  let source: DataSource;

  beforeEach(async () => {
    rig = await journalRig();
    source = createDataSource(rig.url);
    await source.initialize();
  });

  afterEach(async () => {
    await source.destroy();
    await rig.close();
  });

  it('lets others have their turn while many tasks are restored', async () => {
    const count = 900;
    const admitted = Array.from({ length: count }, () => rig.admit());
    await Promise.all(admitted.map(({ changes }) => rig.journal.submit(changes, PAYLOAD)));
    const { fleet, clock } = fleetRig();
    const term = { epoch: 1, end: () => undefined };
    const sizes = new Set<number>();
    let isOver = false;
    const look = (): void => {
      sizes.add(fleet.tasks.size);
      if (!isOver) setImmediate(look);
    };
    look();
    await restoreFleet(
      fleet,
      { clock, logger: rig.log },
      new TasksRepository(source),
      new InstancesRepository(source, term),
      new StrategySettingsRepository(source, term),
    );
    isOver = true;
    expect(fleet.tasks.size).toBe(count);
    expect([...sizes].filter((size) => size > 0 && size < count).length).toBeGreaterThan(0);
  });
});
