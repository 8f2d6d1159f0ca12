import {
  draftOf,
  exactly,
  fleetRig,
  heldOf,
  instanceDraftOf,
  newestHeld,
  placeAll,
  placeOf,
  QUEUE,
  rigWith,
  settingsOf,
  submitted,
  taskOf,
} from '../../test/support/builders';
import type { Fleet } from './fleet';
import { checkInvariants } from './invariants';
import { queueKey } from './queue';
import type {
  Candidate,
  Choice,
  ChoosingStrategy,
  PlacementStrategy,
  StrategyCatalog,
} from './strategy';
import type { Outcome } from './task';
import { after, instanceId, instant, strategyName, type NonEmpty } from './units';

const OTHER = queueKey('model', 'other');
const SUCCESS: Outcome = { kind: 'succeeded', executionMs: null };
const FAILURE: Outcome = { kind: 'failed', failure: 'exit', message: '', executionMs: null };

/** Takes the first candidate, and notes what it finds there when it is told that this held. */
class Watched implements ChoosingStrategy {
  readonly name = strategyName('watched');
  readonly binding = 'early';

  constructor(
    private readonly notes: string[],
    private readonly fleet: () => Fleet,
  ) {}

  choose(candidates: NonEmpty<Candidate>): Choice {
    return { instanceId: candidates[0].instanceId, reason: 'the first' };
  }

  placed(choice: Choice): void {
    const instance = this.fleet().instances.get(choice.instanceId);
    const { heldCount = 0 } = instance?.backlog ?? {};
    this.notes.push(`${choice.instanceId}: ${heldCount} held, ${instance?.line.size ?? 0} bound`);
  }
}

/** A catalog that knows one strategy, by any name. */
function catalogOf(strategy: PlacementStrategy): StrategyCatalog {
  return { has: () => true, names: () => [strategy.name], create: () => strategy };
}

describe('Fleet', () => {
  describe('submit', () => {
    it('reserves a free slot at once', () => {
      const { fleet, instances } = rigWith([1]);
      const { task, changes } = submitted(fleet, draftOf());
      expect(changes.map(({ event }) => event.type)).toEqual(['submitted', 'reserved']);
      expect(placeOf(task)).toBe('dispatching i-1');
      expect(instances[0]?.backlog.heldCount).toBe(1);
    });

    it('plans what must wait', () => {
      const { fleet } = rigWith([1]);
      const tasks = [1, 2].map(() => submitted(fleet, draftOf()).task);
      expect(tasks.map(placeOf)).toEqual(['dispatching i-1', 'queued i-1']);
    });

    it('reserves at once although others stand aside in their backoff', () => {
      const { fleet } = rigWith([1]);
      const first = submitted(fleet, draftOf()).task;
      fleet.course.lost(newestHeld(fleet, first), 'silent');
      expect(first.state).toBe('queued');
      expect(submitted(fleet, draftOf()).task.state).toBe('dispatching');
    });

    it('does not overtake those who wait', () => {
      const { fleet, instances } = rigWith([1]);
      const [first, second] = [1, 2].map(() => submitted(fleet, draftOf()).task);
      if (!first || !second || !instances[0]) throw new Error('two tasks, one instance');
      fleet.course.ended(newestHeld(fleet, first), SUCCESS);
      expect(submitted(fleet, draftOf({ submittedAt: instant(1) })).task.state).toBe('queued');
      placeAll(fleet);
      expect(second.state).toBe('dispatching');
    });

    it('does not count the plan of the task itself as work ahead of it', () => {
      const { fleet } = rigWith([1, 1], settingsOf('shortest_queue'));
      submitted(fleet, draftOf({ prediction: exactly(150) }));
      const { task } = submitted(fleet, draftOf({ prediction: exactly(200) }));
      expect(placeOf(task)).toBe('dispatching i-2');
      const next = submitted(fleet, draftOf({ prediction: exactly(1_000) }));
      expect(placeOf(next.task)).toBe('queued i-1');
    });

    it('knows a client’s id as long as the task is live, per kind', () => {
      const { fleet } = rigWith([1]);
      fleet.addInstance(instanceDraftOf('w', 1, { queue: queueKey('placement', 'p') }));
      const { task } = submitted(fleet, draftOf({ clientId: 'c' }));
      const again = draftOf({ clientId: 'c' });
      expect(fleet.declined(again)).toEqual({ kind: 'known', task });
      expect(fleet.submit(again)).toEqual({ kind: 'known', task });
      const other = { kind: 'placement', queue: queueKey('placement', 'p') } as const;
      expect(fleet.submit(draftOf({ clientId: 'c', ...other })).kind).toBe('accepted');
      expect([fleet.findTask('model', 'c'), fleet.findTask('model', task.id)]).toEqual([
        task,
        task,
      ]);
    });

    it('refuses what nobody could run', () => {
      const { fleet } = rigWith([1]);
      const nobodys = draftOf({ queue: OTHER });
      expect(fleet.submit(nobodys)).toMatchObject({ code: 'no_instance' });
      expect(fleet.declined(nobodys)).toMatchObject({ code: 'no_instance' });
      expect(fleet.declined(draftOf({}))).toBeUndefined();
      expect(fleet.tasks.size).toBe(0);
    });
  });

  describe('placeWaiting', () => {
    it('places no more than its limit, and says when that was the reason to stop', () => {
      const { fleet } = rigWith([0]);
      for (let i = 0; i < 3; i++) submitted(fleet, draftOf());
      const [instance] = [...fleet.instances.values()];
      if (instance)
        fleet.updateInstance(instance, { capacity: { ...instance.capacity, slots: 3 } });
      const calls = [2, 2].map((limit) => fleet.placeWaiting(limit));
      expect(calls.map(({ changes, more }) => [changes.length, more])).toEqual([
        [2, true],
        [1, false],
      ]);
    });

    it('ends, however small the limit and whatever cannot be placed', () => {
      const { fleet } = rigWith([1]);
      for (let i = 0; i < 3; i++) submitted(fleet, draftOf());
      fleet.stir();
      expect(fleet.placeWaiting(1)).toEqual({ changes: [], more: false });
    });

    it('places a task again when its backoff is over, elsewhere', () => {
      const { fleet, clock } = rigWith([1, 1]);
      const { task } = submitted(fleet, draftOf());
      const first = task.attempts[0]?.instanceId;
      fleet.course.lost(newestHeld(fleet, task), 'silent');
      const due = Number(fleet.nextDue());
      expect(due).toBe(task.notBefore);
      fleet.stir();
      expect(placeAll(fleet)).toBe(0);
      clock.advance(due - clock.now());
      fleet.stir();
      expect(placeAll(fleet)).toBe(1);
      expect([task.attemptNo, task.notBefore]).toEqual([2, null]);
      expect(task.attempts.at(-1)?.instanceId).not.toBe(first);
    });

    it('uses an instance again when it has rested', () => {
      const { fleet, clock, instances } = rigWith([1]);
      const restsUntil = after(clock.now(), 250);
      if (instances[0]) fleet.circuits.rest(instances[0], 250);
      const { task } = submitted(fleet, draftOf());
      expect([placeOf(task), fleet.nextDue()]).toEqual(['queued i-1', restsUntil]);
      clock.advance(250);
      fleet.stir();
      expect(placeAll(fleet)).toBe(1);
      expect(fleet.nextDue()).toBeUndefined();
    });

    it('tells a strategy of its choice once that has held', () => {
      const placed: string[] = [];
      const { fleet } = fleetRig({ strategies: catalogOf(new Watched(placed, () => fleet)) });
      fleet.addInstance(instanceDraftOf('i-1'));
      submitted(fleet, draftOf());
      submitted(fleet, draftOf());
      expect(placed).toEqual(['i-1: 1 held, 0 bound', 'i-1: 1 held, 1 bound']);
    });

    it('starts a bound task when its instance is free', () => {
      const { fleet } = rigWith([1, 1], settingsOf('round_robin'));
      const tasks = [1, 2, 3, 4].map(() => submitted(fleet, draftOf()).task);
      expect(tasks.map(placeOf)).toEqual([
        'dispatching i-1',
        'dispatching i-2',
        'queued i-1',
        'queued i-2',
      ]);
      if (tasks[1]) fleet.course.ended(newestHeld(fleet, tasks[1]), SUCCESS);
      placeAll(fleet);
      expect(tasks.slice(2).map(placeOf)).toEqual(['queued i-1', 'dispatching i-2']);
    });

    it('has nothing due once a task that came back is bound', () => {
      const { fleet, clock } = rigWith([1], settingsOf('shortest_queue'));
      const lost = submitted(fleet, draftOf()).task;
      fleet.course.lost(newestHeld(fleet, lost), 'silent');
      submitted(fleet, draftOf());
      clock.advance(60_000);
      fleet.stir();
      placeAll(fleet);
      expect([placeOf(lost), fleet.nextDue()]).toEqual(['queued i-1', undefined]);
    });
  });

  describe('forget', () => {
    it('lets an ended task go, with its client’s id', () => {
      const { fleet } = rigWith([1]);
      const { task } = submitted(fleet, draftOf({ clientId: 'c' }));
      const held = newestHeld(fleet, task);
      fleet.course.ended(held, SUCCESS);
      expect(fleet.submit(draftOf({ clientId: 'c' })).kind).toBe('known');
      fleet.forget(task);
      expect([fleet.tasks.size, fleet.livePayloadBytes, fleet.attempts.size]).toEqual([0, 0, 0]);
      expect(fleet.submit(draftOf({ clientId: 'c' })).kind).toBe('accepted');
    });

    it('does not take the client’s id away from a later task', () => {
      const { fleet } = rigWith([1]);
      const first = submitted(fleet, draftOf({ clientId: 'c' })).task;
      fleet.course.stop(first, 'cancelled', 'asked');
      fleet.forget(first);
      const second = submitted(fleet, draftOf({ clientId: 'c' })).task;
      fleet.forget(first);
      expect(fleet.taskByClientId('model', 'c')).toBe(second);
    });

    it('keeps an abandoned attempt until it ends', () => {
      const { fleet, instances } = rigWith([1]);
      const { task } = submitted(fleet, draftOf());
      const held = newestHeld(fleet, task);
      fleet.course.stop(task, 'cancelled', 'asked');
      fleet.forget(task);
      expect([fleet.held(held.attempt), instances[0]?.backlog.heldCount]).toEqual([held, 1]);
      fleet.course.ended(held, SUCCESS);
      expect([fleet.attempts.size, instances[0]?.backlog.heldCount]).toEqual([0, 0]);
    });

    it('leaves nothing behind when the end was quicker than the confirmation', () => {
      const { fleet } = rigWith([1]);
      const { task } = submitted(fleet, draftOf());
      const held = newestHeld(fleet, task);
      fleet.course.ended(held, SUCCESS);
      fleet.forget(task);
      fleet.course.confirmed(held, 'r1');
      expect(fleet.attempts.byRemoteId('r1')).toBeUndefined();
    });
  });

  describe('revert', () => {
    it('undoes a submission that waits', () => {
      const { fleet, instances } = rigWith([0]);
      const { task } = submitted(fleet, draftOf({ clientId: 'c' }));
      fleet.revert(task);
      expect([fleet.tasks.size, fleet.livePayloadBytes]).toEqual([0, 0]);
      expect([fleet.queues.get(QUEUE)?.waiting, instances[0]?.backlog.plannedCount]).toEqual([
        0, 0,
      ]);
      expect(fleet.taskByClientId('model', 'c')).toBeUndefined();
    });

    it('gives the slot of one that was reserved to the next', () => {
      const { fleet } = rigWith([1]);
      const [first, second] = [1, 2].map(() => submitted(fleet, draftOf()).task);
      if (!first || !second) throw new Error('two tasks');
      fleet.revert(first);
      placeAll(fleet);
      expect([placeOf(second), fleet.attempts.size]).toEqual(['dispatching i-1', 1]);
      expect(checkInvariants(fleet)).toEqual([]);
    });
  });

  it('counts every loss, also of an attempt that reported its failure late', () => {
    const { fleet, clock } = rigWith([1]);
    const { task } = submitted(fleet, draftOf({ maxAttempts: 2 }));
    for (let i = 0; i < 2; i++) {
      const held = newestHeld(fleet, task);
      fleet.course.lost(held, 'silent');
      fleet.course.ended(held, FAILURE);
      clock.advance(60_000);
      fleet.stir();
      placeAll(fleet);
    }
    expect([task.state, task.failure?.kind]).toEqual(['failed', 'attempts_exhausted']);
  });

  describe('restore', () => {
    it('takes in waiting and running tasks as they were', () => {
      const { fleet, instances } = rigWith([1]);
      const running = taskOf({ state: 'running', clientId: 'c' });
      const { attempt } = heldOf(running, { remoteId: 'r1', runningSince: instant(5) });
      const waiting = taskOf();
      for (const task of [running, waiting]) fleet.restore(task);
      expect(fleet.attempts.byRemoteId('r1')?.attempt).toBe(attempt);
      expect(fleet.taskByClientId('model', 'c')).toBe(running);
      expect([instances[0]?.backlog.heldCount, placeOf(waiting)]).toEqual([1, 'queued i-1']);
      expect([attempt.runningSince, fleet.livePayloadBytes]).toEqual([5, 20]);
      expect(checkInvariants(fleet)).toEqual([]);
    });

    it('does not give a slot to an attempt whose worker is through with it', () => {
      const { fleet, instances } = rigWith([1]);
      const task = taskOf({ state: 'running' });
      heldOf(task, { vacated: true });
      fleet.restore(task);
      expect(instances[0]?.backlog.heldCount).toBe(0);
      expect(checkInvariants(fleet)).toEqual([]);
    });

    it('keeps of an ended task only the attempt that still occupies a worker', () => {
      const { fleet, instances } = rigWith([1]);
      const task = taskOf({ state: 'succeeded', finishedAt: instant(5), clientId: 'c' });
      heldOf(task, { state: 'lost' });
      const { attempt } = heldOf(task, { state: 'abandoned' });
      fleet.restore(task);
      expect([...fleet.attempts.all()].map((held) => held.attempt)).toEqual([attempt]);
      expect([fleet.tasks.size, fleet.livePayloadBytes, instances[0]?.backlog.heldCount]).toEqual([
        0, 0, 1,
      ]);
      expect(fleet.taskByClientId('model', 'c')).toBeUndefined();
    });

    it('reports a defect when the instance of a live attempt is missing', () => {
      const { fleet } = rigWith([1]);
      const task = taskOf({ state: 'running' });
      heldOf(task, { instanceId: instanceId('gone') });
      expect(() => fleet.restore(task)).toThrow('no instance gone');
    });
  });
});
