import { Logger } from '@nestjs/common';
import { fleetRig, instanceDraftOf } from '../../test/support/builders';
import type { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { SpeedRecord } from '../core/speed';
import type { InstanceId } from '../core/units';
import type { InstancesRepository } from '../persistence/instances.repository';
import { SpeedKeeper } from './speed-keeper';

Logger.overrideLogger(false);

describe('SpeedKeeper', () => {
  let fleet: Fleet;
  let one: Instance;
  let other: Instance;
  let writes: ReadonlyMap<InstanceId, SpeedRecord>[];
  let failure: Error | null;
  let keeper: SpeedKeeper;

  beforeEach(() => {
    fleet = fleetRig().fleet;
    one = fleet.addInstance(instanceDraftOf('one'));
    other = fleet.addInstance(instanceDraftOf('other'));
    writes = [];
    failure = null;
    const repository: Pick<InstancesRepository, 'saveSpeeds'> = {
      saveSpeeds: (speeds) => {
        if (failure) return Promise.reject(failure);
        writes.push(speeds);
        return Promise.resolve();
      },
    };
    keeper = new SpeedKeeper(fleet, repository);
  });

  it('writes those of which something new is known, once', async () => {
    await keeper.save();
    fleet.updateInstance(one, { declaredSpeed: 3 });
    await keeper.save();
    await keeper.save();
    expect(writes).toEqual([new Map([[one.id, { declared: 3, surplus: 0, outcomes: 0 }]])]);
  });

  it('tries again what a database did not take', async () => {
    fleet.updateInstance(other, { declaredSpeed: 3 });
    failure = new Error('away');
    await keeper.save();
    failure = null;
    await keeper.save();
    expect(writes.map((speeds) => [...speeds.keys()])).toEqual([[other.id]]);
  });

  it('writes what is left when the term ends', async () => {
    fleet.updateInstance(one, { declaredSpeed: 3 });
    await keeper.onModuleDestroy();
    expect(writes).toHaveLength(1);
  });
});
