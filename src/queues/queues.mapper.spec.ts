import { draftOf, exactly, fleetRig, instanceDraftOf } from '../../test/support/builders';
import { queueKey } from '../core/queue';
import { queuesAnswer } from './queues.mapper';
import { QueuesService } from './queues.service';

describe('queuesAnswer', () => {
  it('tells how each queue is placed, how long it is, and the wait at its instances', () => {
    const { fleet, clock } = fleetRig();
    fleet.addInstance(instanceDraftOf('gpu7'));
    fleet.addInstance(instanceDraftOf('gpu8', 1, { queue: queueKey('model', 'other') }));
    for (const ms of [100, 50]) fleet.submit(draftOf({ prediction: exactly(ms) }));
    const service = new QueuesService(fleet, clock);
    const settings = { strategy: 'earliest', order_weight: 0 };
    expect(queuesAnswer(service.list('model'), service.waits('model'))).toEqual({
      queues: [
        {
          model: 'm',
          ...settings,
          waiting: 1,
          instances: [
            { instance_id: 'gpu7', instance_name: 'gpu7', wait_ms: 150, wait_error_ms: 0 },
          ],
        },
        {
          model: 'other',
          ...settings,
          waiting: 0,
          instances: [{ instance_id: 'gpu8', instance_name: 'gpu8', wait_ms: 0, wait_error_ms: 0 }],
        },
      ],
    });
  });
});
