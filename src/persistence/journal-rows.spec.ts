import { decisionOf, draftOf, heldOf, quartiles, taskOf } from '../../test/support/builders';
import { Chronicle } from '../core/chronicle';
import { instant, type TaskId } from '../core/units';
import { FakeClock } from '../../test/support/fake-clock';
import { merge, noteRows, rowCount, rowsOf } from './journal-rows';

const PAYLOAD = { taskInput: '{}', metadata: '{"a":1}' };

describe('rows of a task', () => {
  const chronicle = new Chronicle(new FakeClock());

  it('are a copy: later changes do not reach them', () => {
    const task = taskOf();
    const entry = chronicle.enter(task, 'submitted');
    const rows = rowsOf([entry], task, PAYLOAD, null);
    const { attempt } = heldOf(task);
    chronicle.move(task, 'dispatching', 'reserved', 'free', [attempt]);
    attempt.state = 'lost';
    expect(rows.standing).toMatchObject({ state: 'queued', attemptNo: 0, eventSeq: 1 });
    expect(rows.attempts).toEqual([]);
    expect(rowCount(rows)).toBe(2);
  });

  it('carry the birth of a new task only', () => {
    const task = taskOf({ prediction: quartiles(1, 2.5, 4), clientId: 'c' });
    const entry = chronicle.enter(task, 'submitted');
    expect(rowsOf([entry], task, null, null).birth).toBeNull();
    expect(rowsOf([entry], task, PAYLOAD, null).birth).toMatchObject({
      clientTaskId: 'c',
      queueName: 'm',
      metadata: '{"a":1}',
      predictionLevels: '{0.25,0.5,0.75}',
      predictionQuantiles: '{1,2.5,4}',
    });
  });

  it('know the owner, the beginning and the running time from the attempts of the change', () => {
    const task = taskOf();
    const { attempt } = heldOf(task, { runningSince: instant(5), executionMs: 7 });
    const move = chronicle.move(task, 'dispatching', 'reserved', 'free', [attempt]);
    const live = rowsOf([move], task, null, '{"ignored":1}').standing;
    expect(live).toMatchObject({
      instanceId: 'i-1',
      startedAt: 5,
      executionMs: null,
      result: null,
    });
    task.finishedAt = instant(9);
    const end = chronicle.move(task, 'succeeded', 'succeeded', 'done', [attempt]);
    const ended = rowsOf([end], task, null, '{"r":1}').standing;
    expect(ended).toMatchObject({ finishedAt: 9, executionMs: 7, result: '{"r":1}' });
  });

  it('leave the record alone when only a trace is left on an ended task', () => {
    const task = taskOf({ state: 'succeeded' });
    const note = chronicle.note(task, 'late_result', 'too late');
    expect(rowsOf([note], task, null, null).standing).toBeNull();
    const live = taskOf();
    expect(
      rowsOf([chronicle.note(live, 'late_result', '')], live, null, null).standing,
    ).not.toBeNull();
    const event = { ...note.event, taskId: task.id, seq: null };
    expect(noteRows(event)).toMatchObject({ standing: null, events: [{ seq: null }] });
  });

  it('take quantiles from any distribution', () => {
    const serviceTime = {
      mean: 1,
      variance: 0,
      deviation: 0,
      quantile: (level: number) => level * 100,
      sample: () => 1,
      remaining: () => ({ mean: 1, variance: 0 }),
      remainingQuantile: () => 1,
      sampleRemaining: () => 1,
    };
    const task = taskOf(draftOf({ prediction: { serviceTime, method: 'custom' } }));
    const { birth } = rowsOf([chronicle.enter(task, '')], task, PAYLOAD, null);
    expect(birth?.predictionQuantiles).toBe('{10,25,50,75,90,95,99}');
  });
});

describe('merging', () => {
  const chronicle = new Chronicle(new FakeClock());

  it('keeps the last state, the newest attempts and every event', () => {
    const task = taskOf();
    const entry = rowsOf([chronicle.enter(task, 'submitted')], task, PAYLOAD, null);
    const { attempt } = heldOf(task, { runningSince: instant(3) });
    const reserved = chronicle.move(task, 'dispatching', 'reserved', 'free', [attempt]);
    const second = rowsOf([reserved], task, null, null);
    attempt.state = 'lost';
    const back = chronicle.move(task, 'queued', 'requeued', 'gone', [attempt]);
    const third = rowsOf([back], task, null, null);
    const next = heldOf(task, { instanceId: attempt.instanceId });
    const again = chronicle.move(task, 'dispatching', 'reserved', 'free', [next.attempt]);
    const merged = [entry, second, third, rowsOf([again], task, null, null)].reduce(merge);
    expect(merged.taskId).toBe(task.id satisfies TaskId);
    expect(merged.birth).toBe(entry.birth);
    expect(merged.standing).toMatchObject({ state: 'dispatching', attemptNo: 2, startedAt: 3 });
    expect(merged.attempts.map(({ attemptNo, state }) => [attemptNo, state])).toEqual([
      [1, 'lost'],
      [2, 'live'],
    ]);
    expect(merged.events.map(({ type }) => type)).toEqual([
      'submitted',
      'reserved',
      'requeued',
      'reserved',
    ]);
  });

  it('keeps the decision, which is told until the attempt is sent', () => {
    const task = taskOf();
    const decision = decisionOf({ waitMs: 1.5 });
    const { attempt } = heldOf(task, { decision });
    const reserved = chronicle.move(task, 'dispatching', 'reserved', 'free', [attempt]);
    const before = rowsOf([reserved], task, null, null);
    attempt.sentAt = instant(7);
    const sent = chronicle.move(task, 'dispatched', 'dispatched', 'accepted', [attempt]);
    const after = rowsOf([sent], task, null, null);
    expect(after.attempts).toMatchObject([{ decision: null }]);
    expect(merge(before, after).attempts).toMatchObject([
      { sentAt: 7, decision: JSON.stringify(decision) },
    ]);
  });

  it('keeps a result that a later trace does not know', () => {
    const task = taskOf();
    const { attempt } = heldOf(task, { executionMs: 4 });
    chronicle.move(task, 'dispatching', 'reserved', 'free', [attempt]);
    task.finishedAt = instant(1);
    const end = chronicle.move(task, 'succeeded', 'succeeded', 'done', [attempt]);
    const ended = rowsOf([end], task, null, '{"r":1}');
    const note = rowsOf([chronicle.note(task, 'late_result', 'again')], task, null, null);
    expect(merge(ended, note).standing).toMatchObject({ result: '{"r":1}', executionMs: 4 });
  });
});
