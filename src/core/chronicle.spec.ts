import { heldOf, taskOf } from '../../test/support/builders';
import { FakeClock } from '../../test/support/fake-clock';
import { Chronicle } from './chronicle';
import { isLegalMove, TASK_STATES } from './task';
import { instanceId } from './units';

const chronicle = new Chronicle(new FakeClock(5_000));
const pairs = TASK_STATES.flatMap((from) => TASK_STATES.map((to) => [from, to] as const));

describe('Chronicle', () => {
  it.each(pairs.filter(([from, to]) => isLegalMove(from, to)))(
    'moves from %s to %s and says so',
    (from, to) => {
      const task = taskOf({ state: from, eventSeq: 4 });
      const { event } = chronicle.move(task, to, 'requeued', 'because');
      expect(task.state).toBe(to);
      expect(event).toMatchObject({ from, to, seq: 5, message: 'because', wallMs: 5_000 });
    },
  );

  it.each(pairs.filter(([from, to]) => !isLegalMove(from, to)))(
    'refuses to move from %s to %s and leaves the task as it was',
    (from, to) => {
      const task = taskOf({ state: from, eventSeq: 4 });
      const before = { ...task };
      expect(() => chronicle.move(task, to, 'failed', 'because')).toThrow(
        `task ${task.id} cannot move from ${from} to ${to}`,
      );
      expect(task).toEqual(before);
    },
  );

  it('begins with 1', () => {
    const task = taskOf();
    expect(chronicle.enter(task, 'submitted')).toEqual({
      task,
      attempts: [],
      event: {
        taskId: task.id,
        seq: 1,
        type: 'submitted',
        from: null,
        to: 'queued',
        attemptNo: 0,
        instanceId: null,
        wallMs: 5_000,
        message: 'submitted',
        operator: null,
      },
    });
  });

  it('counts moves and notes in one row', () => {
    const task = taskOf();
    const changes = [
      chronicle.enter(task, 'submitted'),
      chronicle.note(task, 'foreign_result', 'somebody else’s'),
      chronicle.move(task, 'dispatching', 'reserved', 'free'),
    ];
    expect(changes.map(({ event }) => event.seq)).toEqual([1, 2, 3]);
  });

  it('leaves the state alone in a note', () => {
    const task = taskOf({ state: 'running' });
    const { event } = chronicle.note(task, 'late_result', 'too late');
    expect(task.state).toBe('running');
    expect(event).toMatchObject({ type: 'late_result', from: null, to: null });
  });

  it('names the newest of the attempts that a change touched', () => {
    const task = taskOf();
    const first = heldOf(task, { instanceId: instanceId('a') });
    const second = heldOf(task, { instanceId: instanceId('b') });
    const touched = [first.attempt, second.attempt];
    const change = chronicle.note(task, 'attempt_ended', 'over', touched);
    expect(change.attempts).toBe(touched);
    expect(change.event).toMatchObject({ attemptNo: 2, instanceId: 'b' });
    const older = chronicle.note(task, 'attempt_ended', 'over', [first.attempt]);
    expect(older.event).toMatchObject({ attemptNo: 1, instanceId: 'a' });
    expect(chronicle.note(task, 'late_result', '').event).toMatchObject({ attemptNo: 2 });
  });
});
