import { fleetRig, instanceDraftOf, type FleetRig } from '../../test/support/builders';
import type { Instance } from './instance';
import { NO_TRAITS } from './instance';
import { checkInvariants } from './invariants';
import type { Placing } from './placements';
import { PLACEMENT_QUEUE } from './queue';
import { NOTHING, ONE_SLOT, type Resources } from './resources';
import { QuantileDistribution } from './distribution';
import { newTask, type Task } from './task';
import { taskId, type InstanceId } from './units';

const LANDING_MS = 3_000;
const UNKNOWN = { serviceTime: new QuantileDistribution([0.5], [0]), method: 'none' };

interface Rig extends FleetRig {
  readonly worker: (name: string, size: Partial<Resources>, tags?: readonly string[]) => Instance;
  readonly place: (
    clientId: string,
    tags?: readonly string[],
    needs?: Partial<Resources>,
  ) => Placing;
  /** The name of the worker at which it is placed. */
  readonly placedAt: (clientId: string) => string | undefined;
  readonly heard: (worker: Instance, currentTasks: number, taskIds?: readonly string[]) => void;
}

function rig(most = 1_000): Rig {
  const placements = { suspectMs: 10_000, landingMs: LANDING_MS, retentionMs: 60_000, most };
  const fleetAndClock = fleetRig({ placements });
  const { fleet, clock } = fleetAndClock;
  let ids = 0;
  const settle = (changes: readonly { readonly task: Task }[]): void => {
    for (const { task } of changes) if (task.state === 'released') fleet.forget(task);
  };
  return {
    ...fleetAndClock,
    worker: (name, size, tags = []) =>
      fleet.addInstance(
        instanceDraftOf(name, 0, {
          kind: 'worker',
          queue: PLACEMENT_QUEUE,
          host: name,
          port: 0,
          name,
          capacity: { ...NOTHING, ...size },
          traits: { ...NO_TRAITS, tags },
          lastContact: clock.now(),
        }),
      ),
    place: (clientId, tags = [], needs = {}) => {
      const task = newTask(
        {
          id: taskId(`task-${++ids}`),
          kind: 'placement',
          clientId,
          queue: PLACEMENT_QUEUE,
          priority: 0,
          submittedAt: clock.now(),
          prediction: UNKNOWN,
          demand: { ...ONE_SLOT, ...needs },
          job: null,
          attemptTimeoutMs: 60_000,
          maxAttempts: 1,
          payloadBytes: 2,
        },
        PLACEMENT_QUEUE,
      );
      settle(fleet.placements.makeRoom());
      const placing = fleet.placements.place(task, tags);
      expect(checkInvariants(fleet)).toEqual([]);
      return placing;
    },
    placedAt: (clientId) => {
      const task = fleet.taskByClientId('placement', clientId);
      const at: InstanceId | undefined = task?.attempts.at(-1)?.instanceId;
      return at && fleet.instances.get(at)?.name;
    },
    heard: (worker, currentTasks, taskIds) => {
      const figures = { currentTasks, taskIds: taskIds ? new Set(taskIds) : null };
      settle(fleet.placements.heard(worker, figures, Infinity));
      expect(checkInvariants(fleet)).toEqual([]);
    },
  };
}

describe('Placements', () => {
  it('places at the least load, and nowhere when all are full', () => {
    const { worker, place, placedAt } = rig();
    worker('small', { slots: 1 });
    worker('large', { slots: 4 });
    for (let n = 0; n < 5; n++) expect(place(`t${n}`)).toMatchObject({ kind: 'placed' });
    const places = Array.from({ length: 5 }, (_, n) => placedAt(`t${n}`));
    expect(places.filter((name) => name === 'small')).toHaveLength(1);
    expect(place('one more')).toEqual({ kind: 'unplaced' });
  });

  it('begins a placement as dispatched, with an event that names the worker', () => {
    const { worker, place } = rig();
    const { id } = worker('w', { slots: 1 });
    expect(place('a')).toMatchObject({
      kind: 'placed',
      changes: [
        {
          task: { state: 'dispatched', attemptNo: 1 },
          event: { type: 'submitted', from: null, to: 'dispatched', instanceId: id, seq: 1 },
          attempts: [{ state: 'live', decision: null }],
        },
      ],
    });
  });

  it('places only where all tags are, and takes a worker without places for a full one', () => {
    const { worker, place, placedAt } = rig();
    worker('none', { slots: 0 }, ['gpu', 'fast']);
    worker('gpu', { slots: 9 }, ['gpu']);
    expect(place('a', ['gpu', 'fast'])).toEqual({ kind: 'unplaced' });
    place('b', ['gpu']);
    expect(placedAt('b')).toBe('gpu');
  });

  it('knows a task that is placed, and places it anew once it is over', () => {
    const { fleet, worker, place } = rig();
    worker('w', { slots: 2 });
    place('a');
    const task = fleet.taskByClientId('placement', 'a');
    expect(place('a')).toEqual({ kind: 'known', task });
    if (task) for (const { task: one } of fleet.placements.release(task, '')) fleet.forget(one);
    expect(place('a')).toMatchObject({ kind: 'placed' });
  });

  it('counts a placement beside a bare count for as long as it may be landing', () => {
    const { clock, worker, place, heard } = rig();
    const w = worker('w', { slots: 3 });
    place('a');
    clock.advance(LANDING_MS - 1);
    heard(w, 1);
    expect(w.occupied).toBe(2);
    clock.advance(1);
    heard(w, 1);
    expect(w.occupied).toBe(1);
  });

  it('ends what an exact worker does not name, not before it can have landed', () => {
    const { fleet, clock, worker, place, placedAt, heard } = rig();
    const w = worker('w', { slots: 3 });
    place('old');
    clock.advance(LANDING_MS);
    place('young');
    heard(w, 0, []);
    expect([placedAt('old'), placedAt('young')]).toEqual([undefined, 'w']);
    expect(w.occupied).toBe(1);
    heard(w, 1, ['young']);
    heard(w, 0, []);
    expect(placedAt('young')).toBeUndefined();
    expect(fleet.placements.count).toBe(0);
  });

  it('ends nothing while nothing can be recorded', () => {
    const { fleet, clock, worker, place, placedAt } = rig();
    const w = worker('w', { slots: 3 });
    place('a');
    clock.advance(LANDING_MS);
    expect(fleet.placements.heard(w, { currentTasks: 0, taskIds: new Set() }, 0)).toEqual([]);
    expect(placedAt('a')).toBe('w');
  });

  it('reserves cpu and memory until the placement is over, count or no count', () => {
    const { fleet, clock, worker, place, heard } = rig();
    const w = worker('w', { slots: 9, cpu: 4, memoryGb: 8, gpuMemoryGb: 16 });
    expect(place('a', [], { cpu: 3, gpuMemoryGb: 16 })).toMatchObject({ kind: 'placed' });
    expect(place('b', [], { cpu: 2 })).toEqual({ kind: 'unplaced' });
    expect(place('c', [], { cpu: 1, memoryGb: 8 })).toMatchObject({ kind: 'placed' });
    clock.advance(LANDING_MS);
    heard(w, 2);
    expect(w.room).toEqual({ slots: 7, cpu: 0, memoryGb: 0, gpuMemoryGb: 0 });
    const task = fleet.taskByClientId('placement', 'a');
    if (task) fleet.placements.release(task, '');
    expect(place('b', [], { cpu: 2, gpuMemoryGb: 16 })).toMatchObject({ kind: 'placed' });
    expect(place('d', [], { gpuMemoryGb: 0.1 })).toEqual({ kind: 'unplaced' });
  });

  it('places nothing at a worker that is silent, drains, or is lost', () => {
    const { fleet, clock, worker, place } = rig();
    const w = worker('w', { slots: 9 });
    clock.advance(9_999);
    expect(place('a')).toMatchObject({ kind: 'placed' });
    clock.advance(1);
    expect(place('b')).toEqual({ kind: 'unplaced' });
    fleet.updateInstance(w, { lastContact: clock.now() });
    expect(place('b')).toMatchObject({ kind: 'placed' });
    fleet.updateInstance(w, { drainsItself: true });
    expect(place('c')).toEqual({ kind: 'unplaced' });
    fleet.updateInstance(w, { drainsItself: false, health: 'lost' });
    expect(place('c')).toEqual({ kind: 'unplaced' });
    expect(fleet.placements.releaseAt(w, 'lost', 1)).toHaveLength(1);
    expect(fleet.placements.releaseAt(w, 'lost', 5)).toHaveLength(1);
  });

  it('lets the oldest go that nobody names, when there are as many as may be', () => {
    const { clock, worker, place, placedAt, heard } = rig(3);
    const [named, counted] = [
      worker('named', { slots: 9 }, ['n']),
      worker('counted', { slots: 9 }, ['c']),
    ];
    place('kept', ['n']);
    heard(named, 1, ['kept']);
    place('first', ['c']);
    clock.advance(LANDING_MS);
    heard(counted, 1);
    place('reserving', ['c'], { cpu: 0 });
    place('new', ['c']);
    expect(placedAt('first')).toBeUndefined();
    expect([placedAt('kept'), placedAt('new')]).toEqual(['named', 'counted']);
  });

  it('takes none beyond the limit when all of them are named', () => {
    const { worker, place, heard } = rig(1);
    const w = worker('w', { slots: 9 });
    place('a');
    heard(w, 1, ['a']);
    expect(place('b')).toMatchObject({ kind: 'rejected', code: 'queue_full' });
  });

  it('lets placements go that are past their retention, oldest first', () => {
    const { fleet, clock, worker, place } = rig();
    worker('w', { slots: 9 });
    place('a');
    clock.advance(1_000);
    place('b');
    clock.advance(59_000);
    expect(fleet.placements.expire(10).map(({ task }) => task.clientId)).toEqual(['a']);
    clock.advance(1_000);
    expect(fleet.placements.expire(10).map(({ task }) => task.clientId)).toEqual(['b']);
    expect(fleet.placements.expire(10)).toEqual([]);
  });

  it('keeps a placement past its retention while its worker names it', () => {
    const { fleet, clock, worker, place, placedAt, heard } = rig();
    const w = worker('w', { slots: 9, cpu: 4 });
    place('long', [], { cpu: 4 });
    place('lost on the way');
    heard(w, 1, ['long']);
    clock.advance(60_000);
    expect(fleet.placements.expire(10).map(({ task }) => task.clientId)).toEqual([
      'lost on the way',
    ]);
    expect(placedAt('long')).toBe('w');
    heard(w, 0, []);
    expect(fleet.placements.count).toBe(0);
  });
});
