import {
  decisionOf,
  exactly,
  heldOf,
  instanceOf,
  QUEUE,
  quartiles,
  settingsOf,
  taskOf,
} from '../../test/support/builders';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { ShortestQueueStrategy } from '../strategies/shortest-queue.strategy';
import type { Instance } from './instance';
import { Queue } from './queue';
import { waitsOf } from './queue-waits';
import { ONE_SLOT } from './resources';
import type { PlacementStrategy } from './strategy';
import type { Prediction } from './task';
import { instant } from './units';

const NOW = instant(10_000);

/** An instance on which a task runs since now; none when there is no prediction. */
function busyWith(id: string, prediction: Prediction | null, slots = 1): Instance {
  const instance = instanceOf(id, slots);
  if (prediction) instance.backlog.hold(heldOf(taskOf({ prediction }), { runningSince: NOW }));
  return instance;
}

function queueOf(
  instances: readonly Instance[],
  {
    strategy = new EarliestStrategy(),
    orderG = 0,
  }: { strategy?: PlacementStrategy; orderG?: number } = {},
): Queue {
  const queue = new Queue(QUEUE, { ...settingsOf(strategy.name), orderG }, strategy, ONE_SLOT);
  for (const instance of instances) {
    queue.attach(instance);
    queue.refresh(instance, NOW);
  }
  return queue;
}

function join(queue: Queue, lengths: readonly number[], at = NOW): void {
  for (const ms of lengths) queue.join(taskOf({ prediction: exactly(ms), submittedAt: at }), NOW);
}

function meansOf(queue: Queue): (number | undefined)[] {
  const waits = waitsOf(queue, NOW);
  return [...queue.instances.keys()].map((id) => waits.get(id)?.mean);
}

describe('waitsOf', () => {
  it('is nothing on a free instance, and what remains on another one', () => {
    const queue = queueOf([busyWith('a', null), busyWith('b', exactly(500))]);

    expect(meansOf(queue)).toEqual([0, 500]);
  });

  it('under late binding is the time when the first instance is through with its share of the line', () => {
    const queue = queueOf([busyWith('a', exactly(300)), busyWith('b', exactly(500))]);
    join(queue, [100, 1_000]);

    // The line: 100 starts on a at 300, 1 000 there at 400; b is free at 500.
    expect(meansOf(queue)).toEqual([1_400, 500]);
  });

  it('under early binding is the line of each instance alone', () => {
    const instances = [busyWith('a', exactly(300)), busyWith('b', exactly(500))];
    const queue = queueOf(instances, { strategy: new ShortestQueueStrategy() });
    const [task, other] = [
      taskOf({ prediction: exactly(70) }),
      taskOf({ prediction: exactly(30) }),
    ];
    for (const one of [task, other]) {
      queue.join(one, NOW);
      queue.bind(one, instances[0]!, decisionOf(), NOW);
    }

    expect(meansOf(queue)).toEqual([400, 500]);
  });

  it('is of the first of several that may be first, which is sooner than each of them', () => {
    const each = quartiles(500, 1_000, 1_500);
    const queue = queueOf(['a', 'b', 'c', 'd'].map((id) => busyWith(id, each)));
    const waits = [...waitsOf(queue, NOW).values()];

    expect(new Set(waits.map(({ mean }) => mean)).size).toBe(1);
    expect(waits[0]!.mean).toBeLessThan(0.6 * each.serviceTime.mean);
    expect(waits[0]!.variance).toBeLessThan(each.serviceTime.variance);
  });

  it('leaves out of the common line who gets no work, and tells of it what it has', () => {
    const draining = busyWith('a', exactly(100));
    draining.drainAsked = true;
    const queue = queueOf([draining, busyWith('b', exactly(500))]);
    join(queue, [50]);

    expect(meansOf(queue)).toEqual([100, 550]);
  });

  it('adds work that is not ours, and the rest that an instance has', () => {
    const [foreign, resting] = [busyWith('a', null), busyWith('b', null)];
    foreign.backlog.observeForeign(80, NOW);
    resting.circuit.restsUntil = instant(NOW + 60);

    expect(meansOf(queueOf([foreign, resting]))).toEqual([80, 60]);
  });

  it('takes the new task for one of those that came last where lengths weigh in the order', () => {
    const long = queueOf([busyWith('a', exactly(100))], { orderG: 10 });
    join(long, [1_000, 1_000]);
    const mixed = queueOf([busyWith('a', exactly(100))], { orderG: 10 });
    join(mixed, [1_000, 1_000, 1, 1]);
    const fifo = queueOf([busyWith('a', exactly(100))]);
    join(fifo, [1_000, 1_000, 1, 1]);

    expect(meansOf(long)).toEqual([2_100]);
    expect(meansOf(fifo)).toEqual([2_102]);
    // Half of the plays are of a short task, which overtakes the long ones.
    expect(meansOf(mixed)[0]).toBeGreaterThan(900);
    expect(meansOf(mixed)[0]).toBeLessThan(1_300);
  });

  it('reckons with those that will come and overtake, if they come as they lately did', () => {
    const queue = queueOf([busyWith('a', exactly(10_000))], { orderG: 2 });
    join(queue, [4_000], instant(0));
    join(queue, [1_000], instant(5_000));

    // One of each length came in 10 s. In 16 of 31 plays the new task is long: those of 1 s that
    // come within 2 × (4 s − 1 s) overtake it.
    const overtaking = (6_000 / 10_000) * 1_000;
    expect(meansOf(queue)[0]).toBeCloseTo(15_000 + (16 / 31) * overtaking, 6);
  });

  it('leaves out who waits with a lower priority, at any order', () => {
    for (const orderG of [0, 2]) {
      const queue = queueOf([busyWith('a', exactly(100))], { orderG });
      for (const priority of [1, -1]) {
        const prediction = exactly(40);
        queue.join(taskOf({ prediction, priority, submittedAt: NOW }), NOW);
      }

      expect(meansOf(queue)).toEqual([140]);
    }
  });

  it('takes more than 64 waiting tasks as one mass', () => {
    const queue = queueOf([busyWith('a', exactly(100)), busyWith('b', exactly(100))]);
    join(queue, new Array<number>(1_000).fill(40));

    for (const mean of meansOf(queue)) expect(mean).toBeCloseTo(20_100, 6);
  });

  it('is as uncertain as the errors of predictions lately were', () => {
    const queue = queueOf([busyWith('a', quartiles(500, 1_000, 1_500))]);
    const before = waitsOf(queue, NOW).get(queue.instances.keys().next().value!)!;
    const wrong = heldOf(taskOf({ prediction: quartiles(500, 1_000, 1_500) }));
    for (let n = 0; n < 50; n++) queue.learn(wrong, { kind: 'succeeded', executionMs: 2_600 });
    const after = waitsOf(queue, NOW).get(queue.instances.keys().next().value!)!;

    expect(after.mean).toBe(before.mean);
    expect(after.variance).toBeGreaterThan(2 * before.variance);
  });
});
