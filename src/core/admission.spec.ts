import { draftOf, instanceOf, QUEUE, settingsOf, taskOf } from '../../test/support/builders';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { refusal } from './admission';
import { BATCH_QUEUE, Queue, queueKey } from './queue';
import { ONE_SLOT } from './resources';
import { instant } from './units';

const LIMITS = { liveTasks: 5, livePayloadBytes: 100 };
const IDLE = { liveTasks: 0, payloadBytes: 0 };

function queueWith(instances: number, waiting = 0): Queue {
  const settings = settingsOf('earliest', { limit: 2 });
  const queue = new Queue(QUEUE, settings, new EarliestStrategy(), ONE_SLOT);
  for (let i = 0; i < instances; i++) {
    const instance = instanceOf(`i-${i}`);
    queue.instances.set(instance.id, instance);
  }
  for (let i = 0; i < waiting; i++) queue.join(taskOf(), instant(0));
  return queue;
}

describe('refusal', () => {
  it('is none when everything is below its limit', () => {
    expect(refusal(draftOf(), queueWith(1, 1), IDLE, LIMITS)).toBeUndefined();
  });

  it.each([
    ['an unknown queue', undefined],
    ['a queue without instances', queueWith(0)],
  ])('says that nobody could run it: %s', (_name, queue) => {
    const draft = draftOf({ queue: queueKey('model', 'llama') });
    expect(refusal(draft, queue, IDLE, LIMITS)).toEqual({
      kind: 'rejected',
      code: 'no_instance',
      message: 'no instance is registered for model "llama"',
    });
  });

  it('lets a batch job wait for a host that is not there yet', () => {
    const draft = draftOf({ kind: 'batch', queue: BATCH_QUEUE });
    expect(refusal(draft, undefined, IDLE, LIMITS)).toBeUndefined();
    expect(refusal(draft, queueWith(0, 2), IDLE, LIMITS)).toMatchObject({ code: 'queue_full' });
    expect(refusal(draft, undefined, { ...IDLE, liveTasks: 5 }, LIMITS)).toMatchObject({
      code: 'queue_full',
    });
  });

  it('takes a task although its only instance is draining: it may come back', () => {
    const queue = queueWith(1);
    for (const instance of queue.instances.values()) instance.drainAsked = true;
    expect(refusal(draftOf(), queue, IDLE, LIMITS)).toBeUndefined();
  });

  it.each([
    [
      'waiting tasks of the queue',
      2,
      IDLE,
      10,
      '2 tasks wait for model "m"; the limit of its queue is 2',
    ],
    ['live tasks', 0, { liveTasks: 5, payloadBytes: 0 }, 10, '5 tasks are live; the limit is 5'],
    [
      'bytes of input',
      0,
      { liveTasks: 1, payloadBytes: 95 },
      10,
      'live tasks hold 95 bytes of input; with the 10 of this one they would be above the limit of 100',
    ],
  ])('names the limit that is reached: %s', (_name, waiting, load, payloadBytes, message) => {
    expect(refusal(draftOf({ payloadBytes }), queueWith(1, waiting), load, LIMITS)).toEqual({
      kind: 'rejected',
      code: 'queue_full',
      message,
    });
  });

  it('lets the last one in that just fits', () => {
    const load = { liveTasks: 4, payloadBytes: 90 };
    expect(refusal(draftOf({ payloadBytes: 10 }), queueWith(1, 1), load, LIMITS)).toBeUndefined();
  });
});
