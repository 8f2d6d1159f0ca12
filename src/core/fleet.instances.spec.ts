import {
  draftOf,
  exactly,
  instanceDraftOf,
  newestHeld,
  placeAll,
  placeOf,
  QUEUE,
  rigWith,
  settingsOf,
  submitted,
} from '../../test/support/builders';
import { queueKey } from './queue';
import type { Outcome } from './task';
import { instant, strategyName } from './units';

const OTHER = queueKey('model', 'other');
const SUCCESS: Outcome = { kind: 'succeeded', executionMs: null };

describe('Fleet', () => {
  describe('an instance', () => {
    it('that joins takes what waits', () => {
      const { fleet } = rigWith([0]);
      const { task } = submitted(fleet, draftOf());
      fleet.addInstance(instanceDraftOf('new'));
      placeAll(fleet);
      expect(placeOf(task)).toBe('dispatching new');
    });

    it('that leaves keeps its attempts to their end, and is gone then', () => {
      const { fleet, instances } = rigWith([1]);
      const [running, waiting] = [1, 2].map(() => submitted(fleet, draftOf()).task);
      const [instance] = instances;
      if (!running || !waiting || !instance) throw new Error('two tasks, one instance');
      fleet.removeInstance(instance);
      expect([placeOf(waiting), fleet.instances.size]).toEqual(['queued nowhere', 1]);
      expect(fleet.submit(draftOf())).toMatchObject({ code: 'no_instance' });
      fleet.course.ended(newestHeld(fleet, running), SUCCESS);
      expect([running.state, fleet.instances.size]).toEqual(['succeeded', 0]);
      expect(fleet.findInstance('i-1')).toBeUndefined();
    });

    it('that comes back while its attempts go on takes what waits', () => {
      const { fleet, instances } = rigWith([2]);
      submitted(fleet, draftOf());
      const [instance] = instances;
      if (!instance) throw new Error('one instance');
      fleet.removeInstance(instance);
      fleet.reviveInstance(instance);
      expect(placeOf(submitted(fleet, draftOf()).task)).toBe('dispatching i-1');
      expect(instance.backlog.heldCount).toBe(2);
    });

    it.each(['lost', 'draining', 'without slots'] as const)(
      'that is %s lets go of what was bound to it',
      (how) => {
        const { fleet, instances } = rigWith([1, 1], settingsOf('round_robin'));
        const tasks = [1, 2, 3, 4].map(() => submitted(fleet, draftOf()).task);
        const [, second] = instances;
        if (!second) throw new Error('two instances');
        const none = { ...second.capacity, slots: 0 };
        fleet.updateInstance(
          second,
          how === 'lost'
            ? { health: 'lost' }
            : how === 'draining'
              ? { drainAsked: true }
              : { capacity: none },
        );
        placeAll(fleet);
        expect(tasks.slice(2).map(placeOf)).toEqual(['queued i-1', 'queued i-1']);
      },
    );

    it('that is only suspect keeps what is bound to it', () => {
      const { fleet, instances } = rigWith([1], settingsOf('round_robin'));
      const tasks = [1, 2].map(() => submitted(fleet, draftOf()).task);
      if (instances[0]) fleet.updateInstance(instances[0], { health: 'suspect' });
      expect(instances[0]?.line.size).toBe(1);
      expect(tasks.map(placeOf)).toEqual(['dispatching i-1', 'queued i-1']);
    });

    it('that moves to another queue takes its attempts along, not what waited for it', () => {
      const { fleet, instances } = rigWith([1, 1], settingsOf('round_robin'));
      const tasks = [1, 2, 3, 4].map(() => submitted(fleet, draftOf()).task);
      if (instances[1]) fleet.moveInstance(instances[1], OTHER);
      placeAll(fleet);
      expect(tasks.map(placeOf)).toEqual([
        'dispatching i-1',
        'dispatching i-2',
        'queued i-1',
        'queued i-1',
      ]);
      expect(fleet.submit(draftOf({ queue: OTHER })).kind).toBe('accepted');
    });

    it('that moves from queue to queue leaves no empty ones behind', () => {
      const { fleet, instances } = rigWith([1]);
      const [instance] = instances;
      if (!instance) throw new Error('one instance');
      for (let n = 0; n < 1_000; n++) fleet.moveInstance(instance, queueKey('model', `m${n}`));
      expect([...fleet.queues.keys()]).toEqual(['model/m999']);
      fleet.removeInstance(instance);
      expect(fleet.queues.size).toBe(0);
      expect(fleet.submit(draftOf())).toMatchObject({ code: 'no_instance' });
    });

    it('that leaves lets its queue stay for its settings', () => {
      const { fleet, instances } = rigWith([1]);
      fleet.configure(QUEUE, { limit: 5 });
      if (instances[0]) fleet.moveInstance(instances[0], OTHER);
      expect([...fleet.queues.keys()]).toEqual([QUEUE, OTHER]);
      fleet.configure(QUEUE, { limit: null });
      if (instances[0]) fleet.moveInstance(instances[0], QUEUE);
      if (instances[0]) fleet.moveInstance(instances[0], OTHER);
      expect([...fleet.queues.keys()]).toEqual([OTHER]);
    });

    it('that leaves lets its queue stay for its tasks, until the last has ended', () => {
      const { fleet, instances } = rigWith([1]);
      const [running, waiting] = [1, 2].map(() => submitted(fleet, draftOf()).task);
      if (!running || !waiting || !instances[0]) throw new Error('two tasks, one instance');
      fleet.moveInstance(instances[0], OTHER);
      fleet.course.stop(waiting, 'cancelled', 'no longer wanted');
      fleet.forget(waiting);
      expect(fleet.queues.has(QUEUE)).toBe(true);
      fleet.course.ended(newestHeld(fleet, running), SUCCESS);
      fleet.forget(running);
      expect([...fleet.queues.keys()]).toEqual([OTHER]);
    });

    it('that moves away leaves its bound tasks to whoever is free', () => {
      const { fleet, instances } = rigWith([1, 2], settingsOf('round_robin'));
      const tasks = [1, 2, 3].map(() => submitted(fleet, draftOf()).task);
      placeAll(fleet);
      expect(tasks.map(placeOf)[2]).toBe('queued i-1');
      if (instances[0]) fleet.moveInstance(instances[0], OTHER);
      placeAll(fleet);
      expect(tasks.map(placeOf)[2]).toBe('dispatching i-2');
    });

    it('has the order of the queue that it moves to', () => {
      const { fleet, instances } = rigWith([0], settingsOf('shortest_queue'));
      const [instance] = instances;
      if (!instance) throw new Error('one instance');
      fleet.configure(OTHER, settingsOf('shortest_queue', { orderG: 2 }));
      fleet.moveInstance(instance, OTHER);
      fleet.updateInstance(instance, { capacity: { ...instance.capacity, slots: 1 } });
      const long = { queue: OTHER, prediction: exactly(9_000) };
      const short = { queue: OTHER, prediction: exactly(1), submittedAt: instant(5) };
      const drafts = [long, long, short].map(draftOf);
      const [running, , quick] = drafts.map((draft) => submitted(fleet, draft).task);
      if (running) fleet.course.ended(newestHeld(fleet, running), SUCCESS);
      placeAll(fleet);
      expect(quick?.state).toBe('dispatching');
    });

    it('is found by its new name', () => {
      const { fleet, instances } = rigWith([1]);
      if (instances[0]) fleet.updateInstance(instances[0], { name: 'gpu-7' });
      expect(fleet.findInstance('gpu-7')).toBe(instances[0]);
    });
  });

  describe('configure', () => {
    it('changes every queue without such a setting of its own', () => {
      const { fleet } = rigWith([1]);
      fleet.addInstance(instanceDraftOf('o', 1, { queue: OTHER }));
      fleet.configure(OTHER, { strategy: strategyName('weighted') });
      fleet.configure(null, { strategy: strategyName('round_robin'), prefetch: 1 });
      const names = [...fleet.queues.values()].map(({ key, strategy }) => [key, strategy.name]);
      expect(names).toEqual([
        [QUEUE, 'round_robin'],
        [OTHER, 'weighted'],
      ]);
      expect([fleet.settingsFor(queueKey('model', 'new')), fleet.settingsFor(OTHER)]).toEqual([
        settingsOf('round_robin', { prefetch: 1 }),
        settingsOf('weighted', { prefetch: 1 }),
      ]);
    });

    it('goes back to what holds for every queue', () => {
      const { fleet } = rigWith([1]);
      fleet.configure(QUEUE, { strategy: strategyName('weighted'), prefetch: 2 });
      fleet.configure(QUEUE, { strategy: null });
      expect(fleet.settingsFor(QUEUE)).toEqual(settingsOf('earliest', { prefetch: 2 }));
      fleet.configure(null, { orderG: 5 });
      fleet.configure(null, { orderG: null });
      expect(fleet.defaultSettings).toEqual(settingsOf('earliest'));
    });

    it('holds for a queue that does not exist yet', () => {
      const { fleet } = rigWith([1]);
      fleet.configure(OTHER, settingsOf('weighted'));
      expect(fleet.queues.get(OTHER)?.strategy.name).toBe('weighted');
      fleet.addInstance(instanceDraftOf('o', 1, { queue: OTHER }));
      expect(fleet.queues.get(OTHER)?.instances.size).toBe(1);
    });

    it.each([null, QUEUE, OTHER])('changes nothing when the strategy is unknown: %s', (key) => {
      const { fleet } = rigWith([1]);
      expect(() => fleet.configure(key, settingsOf('guess'))).toThrow('guess');
      expect(fleet.defaultSettings).toEqual(settingsOf('earliest'));
      expect(fleet.settingsFor(key ?? OTHER)).toEqual(settingsOf('earliest'));
    });

    it('lets bound tasks go to whoever is free first when the strategy binds late', () => {
      const { fleet } = rigWith([1, 1], settingsOf('round_robin'));
      const tasks = [1, 2, 3].map(() => submitted(fleet, draftOf()).task);
      expect(tasks.map(placeOf)[2]).toBe('queued i-1');
      fleet.configure(null, settingsOf('earliest'));
      if (tasks[1]) fleet.course.ended(newestHeld(fleet, tasks[1]), SUCCESS);
      placeAll(fleet);
      expect(tasks.map(placeOf)[2]).toBe('dispatching i-2');
    });

    it('binds what waits when the strategy binds early', () => {
      const { fleet, instances } = rigWith([1, 1]);
      for (let i = 0; i < 6; i++) submitted(fleet, draftOf());
      fleet.configure(null, settingsOf('shortest_queue'));
      placeAll(fleet);
      expect(instances.map(({ line }) => line.size)).toEqual([2, 2]);
    });

    it('takes and keeps tasks of a paused queue, and places them when it goes on', () => {
      const { fleet, instances } = rigWith([2]);
      const running = submitted(fleet, draftOf()).task;
      fleet.configure(QUEUE, { paused: true });
      const waiting = submitted(fleet, draftOf()).task;
      expect(placeAll(fleet)).toBe(0);
      expect([running, waiting].map(placeOf)).toEqual(['dispatching i-1', 'queued i-1']);
      fleet.course.ended(newestHeld(fleet, running), SUCCESS);
      expect([placeAll(fleet), instances[0]?.backlog.heldCount]).toEqual([0, 0]);
      fleet.configure(QUEUE, { paused: false });
      expect([placeAll(fleet), waiting.state]).toEqual([1, 'dispatching']);
    });

    it.each(['shortest_queue', 'round_robin'])('keeps what %s has bound during a pause', (name) => {
      const { fleet } = rigWith([1, 1], settingsOf(name));
      const tasks = [1, 2, 3, 4].map(() => submitted(fleet, draftOf()).task);
      fleet.configure(null, { paused: true });
      const late = submitted(fleet, draftOf()).task;
      for (const task of tasks.slice(0, 2)) fleet.course.ended(newestHeld(fleet, task), SUCCESS);
      expect(placeAll(fleet)).toBe(0);
      expect([...tasks.slice(2), late].map(({ state }) => state)).toEqual(
        Array.from({ length: 3 }, () => 'queued'),
      );
      fleet.configure(null, { paused: null });
      placeAll(fleet);
      expect(tasks.slice(2).map(({ state }) => state)).toEqual(['dispatching', 'dispatching']);
      expect(late.state).toBe('queued');
    });

    it('refuses above a new limit, and takes again below it', () => {
      const { fleet } = rigWith([1]);
      for (let i = 0; i < 3; i++) submitted(fleet, draftOf());
      fleet.configure(QUEUE, { limit: 2 });
      expect(fleet.submit(draftOf())).toMatchObject({ kind: 'rejected', code: 'queue_full' });
      fleet.configure(QUEUE, { limit: 3 });
      expect(fleet.submit(draftOf()).kind).toBe('accepted');
    });

    it('sends ahead when that is allowed', () => {
      const { fleet } = rigWith([1]);
      const tasks = [1, 2, 3].map(() => submitted(fleet, draftOf()).task);
      fleet.configure(null, settingsOf('earliest', { prefetch: 1 }));
      placeAll(fleet);
      expect(tasks.map(({ state }) => state)).toEqual(['dispatching', 'dispatching', 'queued']);
    });
  });
});
