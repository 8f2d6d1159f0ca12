import { Logger } from '@nestjs/common';
import { InstancesRig } from '../../test/support/instances-rig';
import { instanceId } from '../core/units';

describe('InstancesService', () => {
  let rig: InstancesRig;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    rig = await InstancesRig.start();
  });
  afterEach(() => rig.stop());

  it('takes over the registration of a row that is expected again', async () => {
    const instance = await rig.register();
    const { host, port } = rig.stub;
    const again = await rig.service.expect({ host, port, modelName: 'm' });
    expect(again).toBe(instance);
    expect(instance.registration).toBe(rig.repository.row(instance.id).registration);
  });

  it('sees that two addresses are one worker', async () => {
    const first = await rig.register();
    expect(rig.service.twinOf(first)).toBeUndefined();
    const second = await rig.register('localhost');
    expect([rig.service.twinOf(second), rig.service.twinOf(first)]).toEqual([first, second]);
    await rig.service.remove({ id: second.id });
    expect(rig.service.twinOf(first)).toBeUndefined();
  });

  it('removes by id or by address, and nobody who only has such a name', async () => {
    rig.says('m', '10.0.0.1:80');
    const instance = await rig.register();
    const { host, port } = rig.stub;
    expect(await rig.service.remove({ host: '10.0.0.1', port: 80 })).toBeUndefined();
    expect(await rig.service.remove({ id: instanceId('10.0.0.1:80') })).toBeUndefined();
    expect(await rig.service.remove({ id: instanceId(`${host}:${port}`) })).toBeUndefined();
    expect(await rig.service.remove({ host, port })).toBe(instance);
    await rig.register();
    expect(await rig.service.remove({ id: instance.id })).toMatchObject({ id: instance.id });
  });
});
