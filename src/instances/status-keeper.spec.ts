import { Logger } from '@nestjs/common';
import { InstancesRig } from '../../test/support/instances-rig';
import type { Instance } from '../core/instance';
import { queueKey } from '../core/queue';
import { StatusKeeper } from './status-keeper';

describe('StatusKeeper', () => {
  let rig: InstancesRig;
  let keeper: StatusKeeper;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    rig = await InstancesRig.start();
    const { fleetRig, service, clients, repository, bell } = rig;
    keeper = new StatusKeeper(fleetRig.fleet, service, clients, repository, bell, fleetRig.clock);
  });
  afterEach(() => rig.stop());

  const standing = ({ queue, name, slots }: Instance) => ({ queue, name, slots });

  it('follows an instance to another model, and not to a third within ten seconds', async () => {
    const instance = await rig.register();
    rig.says('second');
    await keeper.probe(instance);
    rig.says('third');
    await keeper.probe(instance);
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'second'), slots: 0 });
    rig.fleetRig.clock.advance(9_999);
    await keeper.probe(instance);
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'second'), slots: 0 });
    rig.fleetRig.clock.advance(1);
    await keeper.probe(instance);
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'third'), slots: 2 });
    expect([...rig.fleetRig.fleet.queues.keys()]).toEqual([queueKey('model', 'third')]);
  });

  it('follows it at once when the change was asked for', async () => {
    const instance = await rig.register();
    for (const model of ['second', 'third']) {
      rig.says(model);
      await keeper.probe(instance, true);
    }
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'third'), slots: 2 });
  });

  it('changes model and name in its row first, and tries again while that fails', async () => {
    const instance = await rig.register();
    rig.says('second', 'gpu8');
    rig.repository.isAway = true;
    await keeper.probe(instance);
    expect(standing(instance)).toEqual({ queue: queueKey('model', 'm'), name: 'gpu7', slots: 0 });
    expect(instance.health).toBe('online');
    rig.repository.isAway = false;
    await keeper.probe(instance);
    const now = { queue: queueKey('model', 'second'), name: 'gpu8' };
    expect(standing(instance)).toEqual({ ...now, slots: 2 });
    expect(rig.repository.row(instance.id)).toMatchObject(now);
  });
});
