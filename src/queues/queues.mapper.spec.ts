import { draftOf, exactly, fleetRig, instanceDraftOf } from '../../test/support/builders';
import { isSchedulerError } from '../core/errors';
import { queueKey } from '../core/queue';
import { NOTHING } from '../core/resources';
import { strategyName } from '../core/units';
import { queueAnswer, statisticsAnswer, toSettingsChange } from './queues.mapper';
import { QueuesService } from './queues.service';

const SETTINGS = {
  strategy: 'earliest',
  order_weight: 0,
  prefetch: 0,
  limit: 1000,
  attempt_timeout_ms: 3_600_000,
  paused: false,
};

describe('queueAnswer', () => {
  it('tells how each queue is placed, how long it is, and the wait at its instances', () => {
    const { fleet, clock } = fleetRig();
    fleet.addInstance(instanceDraftOf('gpu7'));
    fleet.addInstance(instanceDraftOf('gpu8', 1, { queue: queueKey('model', 'other') }));
    for (const ms of [100, 50]) fleet.submit(draftOf({ prediction: exactly(ms) }));
    const service = new QueuesService(fleet, clock);
    expect(service.list('model').map(queueAnswer)).toEqual([
      {
        model: 'm',
        ...SETTINGS,
        waiting: 1,
        running: 1,
        unfit: {},
        instances: [{ instance_id: 'gpu7', instance_name: 'gpu7', wait_ms: 150, wait_error_ms: 0 }],
      },
      {
        model: 'other',
        ...SETTINGS,
        waiting: 0,
        running: 0,
        unfit: {},
        instances: [{ instance_id: 'gpu8', instance_name: 'gpu8', wait_ms: 0, wait_error_ms: 0 }],
      },
    ]);
  });

  it('tells what is set, and counts why instances get nothing', () => {
    const { fleet, clock } = fleetRig();
    const key = queueKey('model', 'm');
    const change = { strategy: strategyName('weighted'), orderG: 1, prefetch: 2, limit: 3 };
    fleet.configure(key, { ...change, attemptTimeoutMs: 4, paused: true });
    fleet.addInstance(instanceDraftOf('fit'));
    for (const id of ['a', 'b']) fleet.addInstance(instanceDraftOf(id, 1, { capacity: NOTHING }));
    expect(queueAnswer(new QueuesService(fleet, clock).get('model', 'm'))).toMatchObject({
      strategy: 'weighted',
      order_weight: 1,
      prefetch: 2,
      limit: 3,
      attempt_timeout_ms: 4,
      paused: true,
      unfit: { no_replicas: 2, paused: 1 },
    });
  });

  it('says of which model there is no queue', () => {
    const { fleet, clock } = fleetRig();
    expect(() => new QueuesService(fleet, clock).get('model', 'x')).toThrow(/model "x"/);
  });
});

describe('statisticsAnswer', () => {
  it('names the times', () => {
    const spread = { p50: 1, p90: 2, p95: 3, p99: 4, max: 5, mean: 1.5 };
    const lastTasks = { tasks: 7, wait: spread, service: null, total: spread };
    const lastHour = { tasks: 0, wait: null, service: null, total: null };
    expect(statisticsAnswer({ lastTasks, lastHour })).toEqual({
      last_tasks: { tasks: 7, wait_ms: spread, service_ms: null, total_ms: spread },
      last_hour: { tasks: 0, wait_ms: null, service_ms: null, total_ms: null },
    });
  });
});

describe('toSettingsChange', () => {
  it('takes what is named, null included, and nothing else', () => {
    expect(toSettingsChange({ order_weight: 0 })).toEqual({ orderG: 0 });
    expect(toSettingsChange({ strategy: null, paused: false })).toEqual({
      strategy: null,
      paused: false,
    });
    const all = { strategy: 's', order_weight: 1, prefetch: 2, limit: 3, attempt_timeout_ms: 4 };
    expect(toSettingsChange({ ...all, paused: null })).toEqual({
      strategy: 's',
      orderG: 1,
      prefetch: 2,
      limit: 3,
      attemptTimeoutMs: 4,
      paused: null,
    });
  });

  it('refuses to do nothing', () => {
    let thrown: unknown;
    try {
      toSettingsChange({});
    } catch (error) {
      thrown = error;
    }
    expect(isSchedulerError(thrown, 'invalid_input')).toBe(true);
  });
});
