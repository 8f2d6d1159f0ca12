import { heldOf, taskOf } from '../../test/support/builders';
import { Chronicle } from '../core/chronicle';
import { taskId } from '../core/units';
import { FakeClock } from '../../test/support/fake-clock';
import { JournalBuffer, JournalCall, unitsOf } from './journal-call';
import { rowsOf } from './journal-rows';
import { StoreUnavailableError } from './store-unavailable.error';

const chronicle = new Chronicle(new FakeClock());

function submission(id: string, together: symbol | null = null): JournalCall {
  const task = taskOf({ id: taskId(id) });
  const payload = { taskInput: '{}', metadata: '{}' };
  return new JournalCall(rowsOf([chronicle.enter(task, '')], task, payload, null), together);
}

function change(id: string): JournalCall {
  const task = taskOf({ id: taskId(id) });
  const { attempt } = heldOf(task);
  const move = chronicle.move(task, 'dispatching', 'reserved', '', [attempt]);
  return new JournalCall(rowsOf([move], task, null, null));
}

describe('JournalBuffer', () => {
  it('counts what is in it', () => {
    const buffer = new JournalBuffer();
    expect(buffer.isEmpty).toBe(true);
    const calls = [submission('a'), change('a'), change('b')];
    for (const call of calls) buffer.add(call);
    expect(buffer.rows).toBe(2 + 3 + 3);
    expect(buffer.bytes).toBe(calls.reduce((sum, { rows }) => sum + rows.bytes, 0));
    buffer.take(Infinity, Infinity);
    expect([buffer.rows, buffer.bytes, buffer.isEmpty]).toEqual([0, 0, true]);
  });

  it('gives whole tasks, oldest first, up to the limits, and at least one', () => {
    const buffer = new JournalBuffer();
    for (const id of ['a', 'b', 'c']) buffer.add(submission(id));
    buffer.add(change('a'));
    const sizes = (rows: number, bytes = Infinity): string[] =>
      buffer.take(rows, bytes).map(({ taskId: id, calls }) => `${id}${calls.length}`);
    expect(sizes(1)).toEqual(['a2']);
    expect(sizes(4)).toEqual(['b1', 'c1']);
    buffer.add(submission('d'));
    buffer.add(submission('e'));
    expect(sizes(Infinity, 1)).toEqual(['d1']);
  });

  it('never parts what belongs together', () => {
    const buffer = new JournalBuffer();
    const [one, two] = [Symbol('one'), Symbol('two')];
    buffer.add(submission('a'));
    for (const id of ['b', 'c', 'd']) buffer.add(submission(id, one));
    for (const id of ['e', 'f']) buffer.add(submission(id, two));
    const ids = (rows: number): string[] => buffer.take(rows, Infinity).map(({ taskId: id }) => id);
    expect(ids(4)).toEqual(['a', 'b', 'c', 'd']);
    expect(ids(1)).toEqual(['e', 'f']);
  });

  it('finds the tasks that are not recorded yet', () => {
    const buffer = new JournalBuffer();
    const [known, fresh, later] = [change('a'), submission('b'), change('b')];
    for (const call of [known, fresh, later]) buffer.add(call);
    expect(buffer.removeSubmissions()).toEqual([{ taskId: 'b', calls: [fresh, later] }]);
    expect(buffer.removeAll()).toEqual([{ taskId: 'a', calls: [known] }]);
    expect(buffer.remove(taskId('a'))).toEqual([]);
  });
});

describe('what lingers', () => {
  const lingering = (id: string): JournalCall => new JournalCall(change(id).rows, null, true);

  it('is not taken before its time, and counts as waiting', () => {
    const buffer = new JournalBuffer();
    const one = lingering('a');
    buffer.add(one);
    expect([buffer.isEmpty, buffer.lingers, buffer.rows]).toEqual([true, true, one.rowCount]);
    buffer.hurryOlder(one.since - 1);
    expect(buffer.isEmpty).toBe(true);
    buffer.hurryOlder(one.since);
    expect([buffer.lingers, buffer.removeAll()]).toEqual([false, [{ taskId: 'a', calls: [one] }]]);
    expect(buffer.rows).toBe(0);
  });

  it('goes with what cannot wait, in their order, and joins what is there', () => {
    const buffer = new JournalBuffer();
    const [first, second, third] = [lingering('a'), change('a'), lingering('a')];
    for (const call of [first, second, third]) buffer.add(call);
    expect(buffer.lingers).toBe(false);
    expect(buffer.removeAll()).toEqual([{ taskId: 'a', calls: [first, second, third] }]);
  });

  it('leaves with everything else', () => {
    const buffer = new JournalBuffer();
    const [one, other] = [lingering('a'), lingering('b')];
    for (const call of [one, other]) buffer.add(call);
    expect(buffer.remove(taskId('a'))).toEqual([one]);
    expect(buffer.removeAll()).toEqual([{ taskId: 'b', calls: [other] }]);
  });
});

describe('unitsOf', () => {
  it('keeps together what belongs together, and parts the rest', () => {
    const buffer = new JournalBuffer();
    const [one, two] = [Symbol('one'), Symbol('two')];
    const all = [null, one, one, two, null, null] as const;
    for (const [index, together] of all.entries()) buffer.add(submission(`${index}`, together));
    const units = unitsOf(buffer.removeAll());
    const ids = units.map((unit) => unit.map(({ taskId: id }) => id).join('+'));
    expect(ids).toEqual(['0', '1+2', '3', '4', '5']);
  });
});

describe('JournalCall', () => {
  it('answers once', async () => {
    const call = submission('a');
    call.resolve({ kind: 'committed' });
    call.reject(new Error('too late'));
    expect(await call.answer).toEqual({ kind: 'committed' });
  });

  it.each([
    ['committed', (call: JournalCall) => call.resolve({ kind: 'committed' })],
    ['duplicate', (call: JournalCall) => call.resolve({ kind: 'duplicate', id: taskId('b') })],
    ['not_written', (call: JournalCall) => call.reject(new Error('refused'))],
  ])('tells of an unknown outcome that it was %s in the end', async (kind, settle) => {
    const call = submission('a');
    call.giveUpWaiting(5);
    const error: unknown = await call.answer.catch((reason: unknown) => reason);
    if (!(error instanceof StoreUnavailableError)) throw new Error('it was given up');
    expect(error.outcome).toBe('unknown');
    settle(call);
    expect(await error.settled).toMatchObject({ kind });
  });
});
