import { heldOf, instanceOf, taskOf } from '../../test/support/builders';
import { INSTANCE_KIND_OF, type Infeasible, type Instance } from './instance';
import { ONE_SLOT } from './resources';
import { instant } from './units';

const NOW = instant(1_000);

function occupied(instance: Instance, count: number): Instance {
  for (let i = 0; i < count; i++) instance.backlog.hold(heldOf(taskOf()));
  return instance;
}

describe('Instance', () => {
  it('takes a task that fits while it is online', () => {
    expect(instanceOf('i').infeasible(ONE_SLOT, NOW)).toBeUndefined();
    expect(occupied(instanceOf('i'), 3).infeasible(ONE_SLOT, NOW)).toBeUndefined();
  });

  it.each<[Infeasible, (instance: Instance) => void]>([
    ['removed', (instance) => (instance.removed = true)],
    ['draining', (instance) => (instance.drainAsked = true)],
    ['lost', (instance) => (instance.health = 'lost')],
    ['suspect', (instance) => (instance.health = 'suspect')],
    ['no_replicas', (instance) => (instance.capacity = { ...ONE_SLOT, slots: 0 })],
    ['resting', (instance) => instance.circuit.rest(instant(NOW + 1))],
  ])('says why it takes none: %s', (reason, change) => {
    const instance = instanceOf('i');
    change(instance);
    expect(instance.infeasible(ONE_SLOT, NOW)).toBe(reason);
  });

  it('says that a task is larger than it will ever be', () => {
    expect(instanceOf('i').infeasible({ ...ONE_SLOT, cpu: 1 }, NOW)).toBe('too_small');
  });

  it('has rested when the time has come', () => {
    const instance = instanceOf('i');
    instance.circuit.rest(NOW);
    expect(instance.infeasible(ONE_SLOT, NOW)).toBeUndefined();
  });

  it('has room for as many as it has slots', () => {
    expect(occupied(instanceOf('i', 2), 1).hasRoom(ONE_SLOT)).toBe(true);
    expect(occupied(instanceOf('i', 2), 2).hasRoom(ONE_SLOT)).toBe(false);
  });

  it.each([
    ['notifies, no prefetch', true, 0, 2],
    ['notifies, prefetch 1', true, 1, 3],
    ['never notified: one more in any case', false, 0, 3],
    ['never notified, prefetch 1', false, 1, 3],
    ['never notified, prefetch 2', false, 2, 4],
  ])('may get tasks ahead of its slots: %s', (_name, notifies, prefetch, most) => {
    const instance = instanceOf('i', 2, { notifies });
    while (instance.mayPrefetch(prefetch) && instance.backlog.heldCount < 9) occupied(instance, 1);
    expect(instance.backlog.heldCount).toBe(most);
  });

  it('counts as waiting what is planned and what no slot has begun', () => {
    const instance = occupied(instanceOf('i', 2), 3);
    instance.backlog.plan(taskOf());
    expect(instance.waiting).toBe(2);
    expect(instance).toMatchObject({ speed: 1, slots: 2, occupied: 3, waiting: 2, load: 1.5 });
  });

  it('shows its wait to a strategy, as it was when the choice began', () => {
    const instance = instanceOf('i');
    instance.backlog.hold(heldOf(taskOf(), { runningSince: instant(960) }));
    const candidate = instance.asCandidate(NOW);
    expect(candidate).toMatchObject({ instanceId: 'i', occupied: 1, load: 1 });
    expect(candidate.wait.mean).toBeCloseTo(60, 9);
    expect(candidate.wait).toBe(candidate.wait);
  });

  it('is called by its address', () => {
    expect(instanceOf('i').address).toBe('i.test:8000');
  });

  it('is of the kind that takes a kind of task', () => {
    expect(INSTANCE_KIND_OF).toEqual({
      model: 'task_instance',
      batch: 'host',
      placement: 'worker',
    });
  });
});
