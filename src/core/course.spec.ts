import { taskOf } from '../../test/support/builders';
import {
  A,
  ACTIVE,
  B,
  courseRig,
  FAILURE,
  NOW,
  steps,
  SUCCESS,
} from '../../test/support/course-rig';
import { isTerminal, TASK_STATES, type AttemptState } from './task';
import { instant } from './units';

describe('sent', () => {
  it('notes the time of the first sending', () => {
    const { course, clock, active } = courseRig();
    const held = active('dispatching');
    course.sent(held);
    clock.advance(50);
    course.sent(held);
    expect(held.attempt.sentAt).toBe(NOW);
  });
});

describe('confirmed', () => {
  it('moves a reserved task, and the attempt has a name from then on', () => {
    const { course, attempts, active } = courseRig();
    const held = active('dispatching');
    expect(steps(course.confirmed(held, 'r1'))).toEqual(['dispatched>dispatched']);
    expect(attempts.byRemoteId('r1')).toBe(held);
  });

  it.each(TASK_STATES.filter((state) => state !== 'dispatching'))(
    'changes nothing but the name of a task that is %s',
    (state) => {
      const { course, attempts, active } = courseRig();
      const held = active(state);
      expect(course.confirmed(held, 'r1')).toEqual([]);
      expect([held.task.state, attempts.byRemoteId('r1')]).toEqual([state, held]);
    },
  );

  it('comes too late when the completion was quicker', () => {
    const { course, active } = courseRig();
    const held = active('dispatching');
    expect(course.ended(held, SUCCESS).kind).toBe('recorded');
    expect(course.confirmed(held, 'r1')).toEqual([]);
    expect([held.task.state, held.attempt.state]).toEqual(['succeeded', 'ended']);
  });

  it('of a lost attempt does not move the task, but its late result will find it', () => {
    const { course, attempts, held } = courseRig();
    const task = taskOf({ state: 'dispatching' });
    const lost = held(task, { state: 'lost', instanceId: A });
    held(task, { instanceId: B });
    expect(course.confirmed(lost, 'r1')).toEqual([]);
    expect([task.state, attempts.byRemoteId('r1')]).toEqual(['dispatching', lost]);
  });
});

describe('started', () => {
  it.each(TASK_STATES)('of a task that is %s', (state) => {
    const { course, active } = courseRig();
    const held = active(state);
    const moves = state === 'dispatched';
    expect(steps(course.started(held))).toEqual(moves ? ['running>running'] : []);
    expect(held.task.state).toBe(moves ? 'running' : state);
  });

  it('by an attempt that is not the live one means nothing', () => {
    const { course, held } = courseRig();
    const lost = held(taskOf({ state: 'dispatched' }), { state: 'lost' });
    expect(course.started(lost)).toEqual([]);
  });
});

describe('vacated', () => {
  it('frees the slot while the result is still to be fetched', () => {
    const { course, asked, active } = courseRig();
    const held = active('running');
    expect(course.vacated(held, 33)[0]?.event).toMatchObject({ type: 'vacated', to: null });
    expect(held).toMatchObject({
      task: { state: 'running' },
      attempt: { state: 'live', vacated: true, executionMs: 33 },
    });
    expect(asked).toEqual(['vacate 1']);
    expect([course.vacated(held, 44), held.attempt.executionMs]).toEqual([[], 33]);
  });

  it('is noted of a lost attempt, which has no slot: its result may still count', () => {
    const { course, asked, held } = courseRig();
    const lost = held(taskOf({ state: 'dispatching' }), { state: 'lost' });
    course.vacated(lost, 33);
    expect([lost.attempt.vacated, lost.attempt.executionMs, asked]).toEqual([true, 33, []]);
  });

  it.each(['abandoned', 'ended'] as const)('means nothing of %s attempts', (state) => {
    const { course, asked, held } = courseRig();
    const one = held(taskOf({ state: 'dispatching' }), { state });
    course.vacated(one, 33);
    expect([one.attempt.vacated, one.attempt.executionMs, asked]).toEqual([false, null, []]);
  });

  it('does not keep the result from counting', () => {
    const { course, active } = courseRig();
    const held = active('running');
    course.vacated(held, null);
    expect(steps(course.ended(held, SUCCESS).changes)).toEqual(['succeeded>succeeded']);
  });
});

describe('ended', () => {
  it.each([...ACTIVE, 'stopping' as const])('ends a task that is %s, well or not', (state) => {
    for (const outcome of [SUCCESS, FAILURE]) {
      const { course, asked, active } = courseRig();
      const { task, attempt } = active(state);
      const ending = course.ended({ task, attempt }, outcome);
      expect(ending.kind).toBe('recorded');
      expect(steps(ending.changes)).toEqual([`${outcome.kind}>${outcome.kind}`]);
      expect(task).toMatchObject({ state: outcome.kind, finishedAt: NOW });
      expect(attempt).toMatchObject({
        state: 'ended',
        endedAt: NOW,
        executionMs: outcome.executionMs,
      });
      expect(asked).toEqual(['vacate 1']);
    }
  });

  it('says why a task failed, and nothing when it succeeded', () => {
    const { course, active } = courseRig();
    const bad = active('running');
    const good = active('running');
    course.ended(bad, FAILURE);
    course.ended(good, SUCCESS);
    expect(bad.task.failure).toEqual({ kind: 'exit', message: 'exit 1' });
    expect(good.task.failure).toBeNull();
  });

  it('speaks for or against its worker, once', () => {
    const { course, judged, active } = courseRig();
    const [first, second] = [active('running'), active('running')];
    for (const outcome of [SUCCESS, FAILURE]) course.ended(first, outcome);
    course.lost(second, 'silent');
    for (const outcome of [FAILURE, SUCCESS, SUCCESS]) course.ended(second, outcome);
    expect(judged).toEqual(['1 succeeded', '1 succeeded']);
  });

  it('counts once: a repeat changes nothing', () => {
    const { course, active } = courseRig();
    const held = active('running');
    course.ended(held, FAILURE);
    const before = { ...held.task, attempt: { ...held.attempt } };
    expect(course.ended(held, SUCCESS)).toEqual({ kind: 'ignored', changes: [] });
    expect({ ...held.task, attempt: { ...held.attempt } }).toEqual(before);
  });

  it('takes the late success of a lost attempt before the retry was placed', () => {
    const { course, asked, held } = courseRig();
    const task = taskOf({ state: 'queued' });
    const lost = held(task, { state: 'lost' });
    const ending = course.ended(lost, SUCCESS);
    expect(steps(ending.changes)).toEqual(['succeeded>succeeded']);
    expect(ending.changes[0]?.event).toMatchObject({ from: 'queued', attemptNo: 1 });
    expect(asked).toEqual(['vacate 1', 'leave']);
  });

  it.each(ACTIVE)('takes the late success although the retry is %s, and abandons that', (state) => {
    const { course, asked, held } = courseRig();
    const task = taskOf({ state });
    const lost = held(task, { state: 'lost', instanceId: A });
    const retry = held(task, { instanceId: B });
    const ending = course.ended(lost, SUCCESS);
    expect(ending.kind).toBe('recorded');
    expect(ending.changes[0]?.attempts).toEqual([retry.attempt, lost.attempt]);
    expect(ending.changes[0]?.event).toMatchObject({ attemptNo: 1, instanceId: 'a' });
    expect([task.state, lost.attempt.state, retry.attempt.state]).toEqual([
      'succeeded',
      'ended',
      'abandoned',
    ]);
    expect(asked).toEqual(['vacate 1']);
  });

  it.each(['queued', ...ACTIVE] as const)('notes a late failure while %s, no more', (state) => {
    const { course, held } = courseRig();
    const task = taskOf({ state });
    const lost = held(task, { state: 'lost' });
    const retry = state === 'queued' ? undefined : held(task);
    const ending = course.ended(lost, FAILURE);
    expect(ending.kind).toBe('ignored');
    expect(steps(ending.changes)).toEqual(['late_result']);
    expect([task.state, retry?.attempt.state ?? 'live']).toEqual([state, 'live']);
    expect(lost.attempt).toMatchObject({ state: 'lost', executionMs: null });
  });

  it.each(['succeeded', 'failed', 'cancelled', 'timed_out', 'released'] as const)(
    'of an abandoned attempt frees its slot and leaves a task alone that is %s',
    (state) => {
      for (const outcome of [SUCCESS, FAILURE]) {
        const { course, asked, held } = courseRig();
        const task = taskOf({ state, finishedAt: instant(5) });
        const abandoned = held(task, { state: 'abandoned' });
        const ending = course.ended(abandoned, outcome);
        expect(ending.kind).toBe('freed');
        expect(steps(ending.changes)).toEqual(['attempt_ended']);
        expect([task.state, task.finishedAt, asked]).toEqual([state, 5, ['vacate 1']]);
        expect(course.ended(abandoned, outcome).kind).toBe('ignored');
      }
    },
  );
});

describe('returned', () => {
  it.each(ACTIVE)('lets a task wait again that is %s, a short while and elsewhere', (state) => {
    const { course, asked, active } = courseRig();
    const { task, attempt } = active(state);
    expect(steps(course.returned({ task, attempt }, 'busy'))).toEqual(['requeued>queued']);
    expect(task).toMatchObject({ state: 'queued', avoid: A, notBefore: NOW + 50 });
    expect(attempt).toMatchObject({ state: 'ended', endedAt: NOW });
    expect(asked).toEqual(['vacate 1', 'requeue']);
  });

  it('is no attempt’s fault: however often, it is not poison', () => {
    const { course, held } = courseRig();
    const task = taskOf({ state: 'dispatching', maxAttempts: 1 });
    for (let i = 0; i < 5; i++) {
      course.returned(held(task), 'busy');
      expect(task.state).toBe('queued');
      task.state = 'dispatching';
    }
  });

  it('doubles the pause up to its bound', () => {
    const { course, held } = courseRig(1);
    const task = taskOf({ state: 'dispatching' });
    const pauses = [1, 2, 3, 4].map(() => {
      course.returned(held(task), 'busy');
      task.state = 'dispatching';
      return Number(task.notBefore) - NOW;
    });
    expect(pauses).toEqual([100, 200, 250, 250]);
  });

  it('gives back the slot of an abandoned attempt that was never sent', () => {
    const { course, asked, held } = courseRig();
    const task = taskOf({ state: 'cancelled', finishedAt: instant(5) });
    const { attempt } = held(task, { state: 'abandoned' });
    expect(steps(course.returned({ task, attempt }, 'stopped'))).toEqual(['attempt_ended']);
    expect([attempt.state, asked]).toEqual(['ended', ['vacate 1']]);
  });

  it.each(['lost', 'ended'] as const)('means nothing of %s attempts', (state) => {
    const { course, asked, held } = courseRig();
    const one = held(taskOf(), { state });
    expect(course.returned(one, 'late refusal')).toEqual([]);
    expect([one.attempt.state, asked]).toEqual([state, []]);
  });

  it('ends a task that is being stopped: it never ran', () => {
    const { course, asked, active } = courseRig();
    const { task, attempt } = active('stopping', { stopReason: 'cancelled' });
    expect(steps(course.returned({ task, attempt }, 'refused'))).toEqual(['cancelled>cancelled']);
    expect([task.finishedAt, attempt.state, asked]).toEqual([NOW, 'ended', ['vacate 1']]);
  });
});

describe('lost', () => {
  it.each(ACTIVE)('lets a task wait again that is %s', (state) => {
    const { course, asked, active } = courseRig();
    const { task, attempt } = active(state);
    expect(steps(course.lost({ task, attempt }, 'silent'))).toEqual(['requeued>queued']);
    expect(task).toMatchObject({ state: 'queued', avoid: A, notBefore: NOW + 500 });
    expect(attempt).toMatchObject({ state: 'lost', endedAt: NOW });
    expect(asked).toEqual(['vacate 1', 'requeue']);
  });

  it('may leave the choice of the instance open', () => {
    const { course, active } = courseRig();
    const held = active('running', { avoid: B });
    course.lost(held, 'answer lost', false);
    expect(held.task.avoid).toBeNull();
  });

  it('waits longer after every loss, with full jitter', () => {
    const pauses = (chance: number): number[] => {
      const { course, held } = courseRig(chance);
      const task = taskOf({ state: 'running', maxAttempts: 9 });
      return [1, 2, 3, 4, 5, 6, 7, 8].map(() => {
        course.lost(held(task), 'silent');
        task.state = 'running';
        return Number(task.notBefore) - NOW;
      });
    };
    expect(pauses(1)).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000));
    expect(pauses(0)).toEqual(new Array(8).fill(0));
  });

  it('makes a task poison that keeps losing its workers', () => {
    const { course, asked, held } = courseRig();
    const task = taskOf({ state: 'running', maxAttempts: 2 });
    course.lost(held(task), 'silent');
    task.state = 'running';
    const last = held(task);
    expect(steps(course.lost(last, 'gone'))).toEqual(['failed>failed']);
    expect(task).toMatchObject({
      state: 'failed',
      finishedAt: NOW,
      failure: {
        kind: 'attempts_exhausted',
        message: '2 attempts lost their worker, the last one: gone',
      },
    });
    expect([last.attempt.state, asked]).toEqual(['lost', ['vacate 1', 'requeue', 'vacate 2']]);
  });

  it('does not bring a poisoned task back when it succeeds after all', () => {
    const { course, active } = courseRig();
    const held = active('running', { maxAttempts: 1 });
    course.lost(held, 'gone');
    const ending = course.ended(held, SUCCESS);
    expect([ending.kind, held.task.state]).toEqual(['freed', 'failed']);
  });

  it('ends a task that is being stopped, and says that nobody saw the end', () => {
    for (const reason of ['cancelled', 'timed_out'] as const) {
      const { course, active } = courseRig();
      const { task, attempt } = active('stopping', { stopReason: reason });
      const [change] = course.lost({ task, attempt }, 'worker gone');
      expect(change?.event).toMatchObject({ to: reason, message: 'unconfirmed: worker gone' });
      expect([task.state, task.finishedAt, attempt.state]).toEqual([reason, NOW, 'lost']);
    }
  });

  it('frees the slot of an abandoned attempt', () => {
    const { course, asked, held } = courseRig();
    const one = held(taskOf({ state: 'cancelled' }), { state: 'abandoned' });
    expect(steps(course.lost(one, 'gone'))).toEqual(['attempt_ended']);
    expect([one.attempt.state, asked]).toEqual(['ended', ['vacate 1']]);
  });

  it.each(['lost', 'ended'] as const)('means nothing of %s attempts', (state) => {
    const { course, asked, held } = courseRig();
    const one = held(taskOf(), { state });
    expect([course.lost(one, 'again'), one.attempt.state, asked]).toEqual([[], state, []]);
  });
});

describe('stop', () => {
  it('takes a waiting task out of its line', () => {
    const { course, asked } = courseRig();
    const task = taskOf();
    expect(steps(course.stop(task, 'cancelled', 'asked'))).toEqual(['cancelled>cancelled']);
    expect([task.state, task.finishedAt, asked]).toEqual(['cancelled', NOW, ['leave']]);
    expect(task.stopReason).toBe('cancelled');
  });

  it.each(ACTIVE)('passes stopping at once from %s; the slot stays taken', (state) => {
    for (const reason of ['cancelled', 'timed_out'] as const) {
      const { course, asked, active } = courseRig();
      const { task, attempt } = active(state);
      const changes = course.stop(task, reason, 'asked');
      expect(steps(changes)).toEqual(['stopping>stopping', `${reason}>${reason}`]);
      expect(task).toMatchObject({ state: reason, finishedAt: NOW, stopReason: reason });
      expect([attempt.state, attempt.endedAt, asked]).toEqual(['abandoned', null, []]);
    }
  });

  it('leaves a lost attempt lost: only the live one is abandoned', () => {
    const { course, held } = courseRig();
    const task = taskOf({ state: 'dispatched' });
    const states = [held(task, { state: 'lost' }), held(task)];
    course.stop(task, 'cancelled', 'asked');
    expect(states.map(({ attempt }): AttemptState => attempt.state)).toEqual(['lost', 'abandoned']);
  });

  it.each(TASK_STATES.filter((state) => isTerminal(state) || state === 'stopping'))(
    'changes nothing about a task that is %s',
    (state) => {
      const { course, asked, active } = courseRig();
      const { task, attempt } = active(state);
      expect(course.stop(task, 'cancelled', 'asked')).toEqual([]);
      expect([task.state, task.stopReason, attempt.state, asked]).toEqual([
        state,
        null,
        'live',
        [],
      ]);
    },
  );

  it('reports a defect when an active task has no live attempt', () => {
    const { course } = courseRig();
    expect(() => course.stop(taskOf({ state: 'running' }), 'cancelled', 'asked')).toThrow(
      'has no live attempt',
    );
  });
});
