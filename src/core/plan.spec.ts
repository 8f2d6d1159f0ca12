import { exactly, heldOf, instanceOf, taskOf } from '../../test/support/builders';
import type { Instance } from './instance';
import { Plan } from './plan';
import { ONE_SLOT } from './resources';
import type { Task } from './task';
import { instant } from './units';

const NOW = instant(1_000);

/** Instances of which somebody was told that more or fewer tasks are planned there. */
const told: Instance[] = [];

function planOf(...instances: readonly Instance[]): Plan {
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  const plan = new Plan(byId, (instance) => told.push(instance));
  for (const instance of instances) plan.refresh(instance, NOW);
  return plan;
}

function lasting(ms: number): Task {
  return taskOf({ prediction: exactly(ms) });
}

describe('Plan', () => {
  it('binds each task to the instance that is through with its work first', () => {
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    a.backlog.hold(heldOf(lasting(100), { runningSince: NOW }));
    const plan = planOf(a, b);
    const tasks = [150, 80, 10].map(lasting);
    for (const task of tasks) plan.put(task, NOW);
    // b is idle; then a (100) ends before b (150); then b before a (180).
    expect(tasks.map((task) => task.plannedOn)).toEqual(['b', 'a', 'b']);
    expect(a.backlog.plannedMoments.mean).toBe(80);
  });

  it('knows that a faster instance is through earlier, and one with more slots too', () => {
    const [slow, fast, wide] = [instanceOf('slow'), instanceOf('fast'), instanceOf('wide', 4)];
    fast.speed = 2;
    const plan = planOf(slow, fast, wide);
    for (let i = 0; i < 70; i++) plan.put(lasting(100), NOW);
    const counts = [slow, fast, wide].map(({ backlog }) => backlog.plannedCount);
    expect(counts).toEqual([10, 20, 40]);
  });

  it('counts work that is not ours', () => {
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    a.backlog.observeForeign(500, NOW);
    const task = lasting(10);
    planOf(a, b).put(task, NOW);
    expect(task.plannedOn).toBe('b');
  });

  it.each<[string, (instance: Instance) => void]>([
    ['silent', (instance) => (instance.health = 'suspect')],
    ['lost', (instance) => (instance.health = 'lost')],
    ['draining', (instance) => (instance.drainAsked = true)],
    ['without slots', (instance) => (instance.capacity = { ...ONE_SLOT, slots: 0 })],
  ])('plans on an instance that is %s only when there is no other', (_name, change) => {
    const [unfit, busy] = [instanceOf('unfit'), instanceOf('busy')];
    change(unfit);
    busy.backlog.hold(heldOf(lasting(9_000), { runningSince: NOW }));
    const task = lasting(10);
    planOf(unfit, busy).put(task, NOW);
    expect(task.plannedOn).toBe('busy');
    const alone = lasting(10);
    planOf(unfit).put(alone, NOW);
    expect(alone.plannedOn).toBe('unfit');
  });

  it('leaves a task without a plan where there is no instance', () => {
    const task = lasting(10);
    const plan = planOf();
    plan.put(task, NOW);
    plan.drop(task, NOW);
    expect(task.plannedOn).toBeNull();
  });

  it('takes the work back when a task is dropped', () => {
    const a = instanceOf('a');
    const plan = planOf(a);
    const task = lasting(10);
    plan.put(task, NOW);
    plan.drop(task, NOW);
    plan.drop(task, NOW);
    expect([task.plannedOn, a.backlog.plannedCount]).toEqual([null, 0]);
  });

  it('plans a task in one place only', () => {
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    const plan = planOf(a, b);
    const task = lasting(10);
    plan.putOn(task, a, NOW);
    plan.putOn(task, b, NOW);
    expect([a, b].map(({ backlog }) => backlog.plannedCount)).toEqual([0, 1]);
  });

  it('forgets an instance that has left', () => {
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    const plan = planOf(a, b);
    b.backlog.observeForeign(500, NOW);
    plan.refresh(b, NOW);
    plan.forget(a);
    a.removed = true;
    plan.refresh(a, NOW);
    const task = lasting(10);
    plan.put(task, NOW);
    expect(task.plannedOn).toBe('b');
  });

  describe('when an instance takes a task that was planned elsewhere', () => {
    it('moves one of its own plans there, so that the plan stays even', () => {
      const [a, b] = [instanceOf('a'), instanceOf('b')];
      const plan = planOf(a, b);
      const [mine, other] = [lasting(10), lasting(10)];
      plan.putOn(mine, a, NOW);
      plan.putOn(other, b, NOW);
      plan.exchange(mine, b, NOW);
      expect([mine.plannedOn, other.plannedOn]).toEqual([null, 'a']);
    });

    it('does not move a task that is bound to it', () => {
      const [a, b] = [instanceOf('a'), instanceOf('b')];
      const plan = planOf(a, b);
      const [mine, bound] = [lasting(10), lasting(10)];
      plan.putOn(mine, a, NOW);
      plan.putOn(bound, b, NOW);
      b.line.add(bound);
      plan.exchange(mine, b, NOW);
      expect(bound.plannedOn).toBe('b');
    });

    it('only drops the plan when it was its own', () => {
      const [a, b] = [instanceOf('a'), instanceOf('b')];
      const plan = planOf(a, b);
      const [mine, other] = [lasting(10), lasting(10)];
      plan.putOn(mine, a, NOW);
      plan.putOn(other, a, NOW);
      plan.exchange(mine, a, NOW);
      expect([mine.plannedOn, other.plannedOn]).toEqual([null, 'a']);
    });
  });
});
