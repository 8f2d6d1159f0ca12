import {
  decisionOf,
  exactly,
  heldOf,
  instanceOf,
  QUEUE,
  settingsOf,
  taskOf,
} from '../../test/support/builders';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { RoundRobinStrategy } from '../strategies/round-robin.strategy';
import type { Instance } from './instance';
import { Queue, queueInWords, queueKey, queueName } from './queue';
import { ONE_SLOT } from './resources';
import type { PlacementStrategy, RankedStrategy } from './strategy';
import type { Task } from './task';
import { instant, strategyName } from './units';

const NOW = instant(1_000);
const SETTINGS = settingsOf('earliest');

function queueOf(
  instances: readonly Instance[],
  { prefetch = 0, strategy }: { prefetch?: number; strategy?: PlacementStrategy } = {},
): Queue {
  const used = strategy ?? new EarliestStrategy();
  const queue = new Queue(QUEUE, { ...SETTINGS, prefetch }, used, ONE_SLOT);
  for (const instance of instances) {
    queue.attach(instance);
    queue.refresh(instance, NOW);
  }
  return queue;
}

function joined(queue: Queue, count: number): Task[] {
  const tasks = Array.from({ length: count }, (_, i) => taskOf({ submittedAt: instant(i) }));
  for (const task of tasks) queue.join(task, NOW);
  return tasks;
}

function occupy(queue: Queue, instance: Instance, count = 1): void {
  for (let i = 0; i < count; i++) instance.backlog.hold(heldOf(taskOf()));
  queue.refresh(instance, NOW);
}

describe('a queue’s key', () => {
  it('is of its kind and its name, whatever the name contains', () => {
    expect(queueKey('model', 'meta/llama-3')).toBe('model/meta/llama-3');
    expect(queueName(queueKey('model', 'meta/llama-3'))).toBe('meta/llama-3');
    expect(queueInWords(queueKey('model', 'meta/llama-3'))).toBe('model "meta/llama-3"');
  });
});

describe('Queue', () => {
  it('counts a task as waiting in whichever line it stands', () => {
    const a = instanceOf('a');
    const queue = queueOf([a]);
    const [first, second] = joined(queue, 3);
    if (!first || !second) throw new Error('three tasks joined');
    queue.bind(first, a, decisionOf(), NOW);
    expect([queue.waiting, queue.line.size, a.line.size]).toEqual([3, 2, 1]);
    queue.leave(first, a, NOW);
    queue.leave(second, undefined, NOW);
    queue.leave(second, undefined, NOW);
    expect([queue.waiting, queue.line.size, a.line.size]).toEqual([1, 1, 0]);
    expect(a.backlog.plannedCount).toBe(1);
  });

  it('ends the backoff of a task that is bound: its time had come', () => {
    const a = instanceOf('a');
    const queue = queueOf([a]);
    const task = taskOf({ notBefore: instant(900) });
    queue.join(task, NOW);
    queue.bind(task, a, decisionOf(), NOW);
    expect([task.notBefore, a.line.nextDue(), a.line.head(NOW)]).toEqual([null, undefined, task]);
  });

  it('orders the line of an instance that joins as its own', () => {
    const a = instanceOf('a');
    const queue = new Queue(QUEUE, { ...SETTINGS, orderG: 2 }, new EarliestStrategy(), ONE_SLOT);
    queue.attach(a);
    const long = taskOf({ submittedAt: instant(0), prediction: exactly(500) });
    const short = taskOf({ submittedAt: instant(1), prediction: exactly(5) });
    for (const task of [long, short]) {
      queue.join(task, NOW);
      queue.bind(task, a, decisionOf(), NOW);
    }
    expect(a.line.head(NOW)).toBe(short);
  });

  describe('open instances', () => {
    it('are those with a free slot', () => {
      const [a, b] = [instanceOf('a'), instanceOf('b', 2)];
      const queue = queueOf([a, b]);
      occupy(queue, a);
      occupy(queue, b);
      expect([a.readiness, b.readiness, queue.census.open]).toEqual(['busy', 'free', 1]);
      expect(queue.candidates()).toEqual([b]);
    });

    it('are those with room ahead when no slot is free', () => {
      const [a, b] = [instanceOf('a'), instanceOf('b')];
      const queue = queueOf([a, b], { prefetch: 1 });
      occupy(queue, a);
      expect([queue.best(), queue.candidates()]).toEqual([[b, a], [b]]);
      occupy(queue, b);
      expect(new Set(queue.candidates())).toEqual(new Set([a, b]));
      occupy(queue, a);
      expect(queue.candidates()).toEqual([b]);
      occupy(queue, b);
      expect([queue.census.open, queue.best()]).toEqual([0, []]);
    });

    it('come in the order of the strategy', () => {
      const [slow, fast] = [instanceOf('slow'), instanceOf('fast')];
      fast.learnedSpeed.declared = 2;
      const queue = queueOf([slow, fast]);
      expect(queue.best()).toEqual([fast, slow]);
      expect(queue.best((one) => one !== fast)).toEqual([slow]);
    });

    it('are ranked anew when other tasks are planned on them', () => {
      const fewest: RankedStrategy = {
        name: strategyName('fewest'),
        binding: 'early',
        rank: ({ waiting }) => waiting,
      };
      const [a, b] = [instanceOf('a'), instanceOf('b')];
      const queue = queueOf([a, b], { strategy: fewest });
      const [task] = joined(queue, 1);
      if (!task) throw new Error('one task joined');
      queue.plan.putOn(task, a, NOW);
      expect(queue.best()).toEqual([b, a]);
      queue.plan.putOn(task, b, NOW);
      expect(queue.best()).toEqual([a, b]);
    });

    it('are counted by how they stand', () => {
      const instances = ['a', 'b', 'c', 'd'].map((id) => instanceOf(id));
      const [a, b, c] = instances as [Instance, Instance, Instance];
      const queue = queueOf(instances);
      b.drainAsked = true;
      c.health = 'suspect';
      occupy(queue, a);
      for (const instance of [b, c]) queue.refresh(instance, NOW);
      expect([queue.census.open, queue.census.fit]).toEqual([1, 2]);
      expect(queue.census.unfit()).toEqual({ draining: 1, suspect: 1 });
      queue.detach(b, NOW);
      expect([queue.census.unfit(), b.readiness]).toEqual([{ suspect: 1 }, null]);
    });

    it('are looked at again after a change of prefetch', () => {
      const a = instanceOf('a');
      const queue = queueOf([a]);
      occupy(queue, a);
      queue.configure({ ...SETTINGS, prefetch: 1 }, undefined);
      queue.refresh(a, NOW);
      expect(a.readiness).toBe('ahead');
    });
  });

  describe('a new setting', () => {
    it('orders all lines anew', () => {
      const a = instanceOf('a');
      const queue = queueOf([a], { strategy: new RoundRobinStrategy() });
      const lines = [0, 1].map((bound) => {
        const long = taskOf({ submittedAt: instant(0), prediction: exactly(500) });
        const short = taskOf({ submittedAt: instant(1), prediction: exactly(5) });
        for (const task of [long, short]) {
          queue.join(task, NOW);
          if (bound === 1) queue.bind(task, a, decisionOf(), NOW);
        }
        return { line: bound === 1 ? a.line : queue.line, long, short };
      });
      for (const { line, long } of lines) expect(line.head(NOW)).toBe(long);
      queue.configure({ ...SETTINGS, orderG: 2 }, undefined);
      for (const { line, short } of lines) expect(line.head(NOW)).toBe(short);
    });

    it('of the strategy lets bound tasks wait in the queue’s line again', () => {
      const a = instanceOf('a');
      const queue = queueOf([a], { strategy: new RoundRobinStrategy() });
      const tasks = joined(queue, 2);
      for (const task of tasks) queue.bind(task, a, decisionOf(), NOW);
      queue.configure(SETTINGS, new EarliestStrategy());
      expect([queue.line.size, a.line.size, queue.waiting]).toEqual([2, 0, 2]);
      expect(tasks.map(({ plannedOn }) => plannedOn)).toEqual(['a', 'a']);
      expect(queue.strategy.name).toBe('earliest');
    });

    it('of the prefetch alone leaves bound tasks where they are', () => {
      const a = instanceOf('a');
      const queue = queueOf([a], { strategy: new RoundRobinStrategy() });
      for (const task of joined(queue, 2)) queue.bind(task, a, decisionOf(), NOW);
      queue.configure({ ...SETTINGS, prefetch: 3 }, undefined);
      expect([queue.line.size, a.line.size]).toEqual([0, 2]);
    });
  });

  it.each(['setFree', 'detach'] as const)('%s: what waited for it waits for the others', (how) => {
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    const queue = queueOf([a, b]);
    const tasks = joined(queue, 4);
    const [first] = tasks;
    if (first) queue.bind(first, a, decisionOf(), NOW);
    a.drainAsked = true;
    queue.refresh(a, NOW);
    queue[how](a, NOW);
    expect(tasks.map(({ plannedOn }) => plannedOn)).toEqual(['b', 'b', 'b', 'b']);
    expect([a.backlog.plannedCount, a.line.size, queue.line.size, queue.waiting]).toEqual([
      0, 0, 4, 4,
    ]);
    expect(queue.instances.has(a.id)).toBe(how === 'setFree');
  });

  it('leaves tasks without a plan when the last instance goes', () => {
    const a = instanceOf('a');
    const queue = queueOf([a]);
    const [task] = joined(queue, 1);
    queue.detach(a, NOW);
    expect([task?.plannedOn, queue.waiting, queue.census.fit]).toEqual([null, 1, 0]);
  });
});
