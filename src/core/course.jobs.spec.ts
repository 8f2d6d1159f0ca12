import { taskOf } from '../../test/support/builders';
import { A, ACTIVE, courseRig, FAILURE, NOW, steps, SUCCESS } from '../../test/support/course-rig';
import { TASK_STATES, type Task } from './task';

/** Of a batch job that may be tried again so often. */
function jobOf(retryLimit: number, overrides: Partial<Task> = {}): Partial<Task> {
  return { kind: 'batch', job: { labels: {}, tool: '', tokens: 1, retryLimit }, ...overrides };
}

describe('a job', () => {
  it.each(ACTIVE)('that is %s and fails waits again while it has retries, then fails', (state) => {
    const { course, asked, held } = courseRig();
    const task = taskOf(jobOf(1, { state }));
    const first = held(task, { instanceId: A });
    const ending = course.ended(first, FAILURE);
    expect([ending.kind, steps(ending.changes)]).toEqual(['retried', ['requeued>queued']]);
    expect(ending.changes[0]?.event.message).toBe('exit 1; retry 1 of 1');
    expect(task).toMatchObject({
      state: 'queued',
      retries: 1,
      notBefore: NOW + 500,
      failure: null,
    });
    expect([first.attempt.state, first.attempt.executionMs]).toEqual(['ended', 7]);
    expect(asked).toEqual(['vacate 1', 'requeue']);
    task.state = state;
    expect(steps(course.ended(held(task), FAILURE).changes)).toEqual(['failed>failed']);
    expect(task).toMatchObject({ retries: 1, failure: { kind: 'exit', message: 'exit 1' } });
  });

  it.each(ACTIVE)('that is %s and lost waits again while it has retries, then fails', (state) => {
    const { course, held } = courseRig();
    const task = taskOf(jobOf(1, { state, maxAttempts: 1 }));
    expect(steps(course.lost(held(task, { instanceId: A }), 'silent'))).toEqual([
      'requeued>queued',
    ]);
    expect(task).toMatchObject({ state: 'queued', retries: 1, avoid: A });
    task.state = state;
    const last = held(task);
    expect(steps(course.lost(last, 'gone'))).toEqual(['failed>failed']);
    expect(task).toMatchObject({ retries: 1, failure: { kind: 'lost', message: 'gone' } });
    expect(last.attempt.state).toBe('lost');
  });

  it('waits longer before every retry', () => {
    const { course, held } = courseRig(1);
    const task = taskOf(jobOf(9, { state: 'running' }));
    const pauses = [1, 2, 3].map(() => {
      course.ended(held(task), FAILURE);
      task.state = 'running';
      return Number(task.notBefore) - NOW;
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000]);
  });

  it('uses up no retry when it was not started', () => {
    const { course, active } = courseRig();
    const held = active('dispatching', jobOf(1));
    course.returned(held, 'refused');
    expect([held.task.state, held.task.retries]).toEqual(['queued', 0]);
  });

  it.each(ACTIVE)('that is %s and stopped keeps its attempt until its end was seen', (state) => {
    for (const reason of ['cancelled', 'timed_out'] as const) {
      const { course, asked, active } = courseRig();
      const held = active(state, jobOf(3));
      const { task, attempt } = held;
      const [asking, ...more] = course.stop(task, reason, 'asked', 'ada');
      expect(asking?.event).toMatchObject({ type: 'stopping', operator: 'ada' });
      expect([more, task.state, attempt.state, asked]).toEqual([[], 'stopping', 'live', []]);
      expect(course.stop(task, 'cancelled', 'again')).toEqual([]);
      expect(steps(course.halted(held, 'ended by SIGTERM', 12))).toEqual([`${reason}>${reason}`]);
      expect(task).toMatchObject({
        state: reason,
        stopReason: reason,
        finishedAt: NOW,
        retries: 0,
      });
      expect(attempt).toMatchObject({ state: 'ended', executionMs: 12 });
      expect(asked).toEqual(['vacate 1']);
    }
  });

  it('that had ended before it was stopped keeps its own result, and is not tried again', () => {
    for (const outcome of [SUCCESS, FAILURE]) {
      const { course, active } = courseRig();
      const held = active('running', jobOf(3));
      course.stop(held.task, 'cancelled', 'asked');
      expect(steps(course.ended(held, outcome).changes)).toEqual([
        `${outcome.kind}>${outcome.kind}`,
      ]);
    }
  });

  it('that is stopped and whose host is lost has ended, unconfirmed', () => {
    const { course, active } = courseRig();
    const held = active('running', jobOf(3));
    course.stop(held.task, 'cancelled', 'asked');
    const [change] = course.lost(held, 'host gone');
    expect(change?.event).toMatchObject({ to: 'cancelled', message: 'unconfirmed: host gone' });
  });

  it('that waits is cancelled at once, by whoever asked', () => {
    const { course } = courseRig();
    const [change] = course.stop(taskOf(jobOf(3)), 'cancelled', 'asked', 'ada');
    expect(change?.event).toMatchObject({ to: 'cancelled', operator: 'ada' });
  });

  it('is paused and goes on, by whoever asked', () => {
    const { course, active } = courseRig();
    const { task } = active('running', jobOf(0));
    expect(course.resume(task, 'ada')).toEqual([]);
    expect(course.pause(task, 'ada')[0]?.event).toMatchObject({
      type: 'paused',
      from: 'running',
      to: 'paused',
      operator: 'ada',
    });
    expect(course.pause(task, 'ada')).toEqual([]);
    expect(course.resume(task, 'bob')[0]?.event).toMatchObject({
      type: 'resumed',
      from: 'paused',
      to: 'running',
      operator: 'bob',
    });
  });

  it.each(TASK_STATES.filter((state) => state !== 'running' && state !== 'paused'))(
    'that is %s is neither paused nor resumed',
    (state) => {
      const { course, active } = courseRig();
      const { task } = active(state, jobOf(0));
      expect([course.pause(task, null), course.resume(task, null)]).toEqual([[], []]);
    },
  );
});

describe('halted', () => {
  it('closes an abandoned attempt', () => {
    const { course, asked, held } = courseRig();
    const one = held(taskOf({ state: 'succeeded' }), { state: 'abandoned' });
    expect(steps(course.halted(one, 'killed', null))).toEqual(['attempt_ended']);
    expect([one.attempt.state, asked]).toEqual(['ended', ['vacate 1']]);
  });

  it.each(ACTIVE)('means nothing while the task is %s', (state) => {
    const { course, active } = courseRig();
    const held = active(state);
    expect([course.halted(held, 'ended', null), held.attempt.state]).toEqual([[], 'live']);
  });
});
