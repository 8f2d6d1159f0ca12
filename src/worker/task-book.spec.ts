import { FakeClock } from '../../test/support/fake-clock';
import { TaskBook } from './task-book';
import { TaskRecord } from './task-record';

const clock = new FakeClock();

function record(n: number, dispatchId: string | null = `d${n}`): TaskRecord {
  const receipt = { remoteId: `r${n}`, queueSize: n, enqueuedWallMs: n };
  const task = { id: `r${n}`, dispatchId, model: 'm', input: {}, metadata: {} };
  const estimate = { expectedMs: 0, errorMs: 0 };
  return new TaskRecord(
    { receipt, taskId: null, dispatchId, size: 4 },
    task,
    estimate,
    clock.now(),
  );
}

/** Executes the task; its result is a JSON text of `size` characters. */
function settle(of: TaskRecord, size = 20): void {
  of.start('replica-1', clock);
  const result = { x: 'x'.repeat(size - '{"x":""}'.length) };
  of.settle(of.finish({ ok: true, result }, clock));
}

describe('TaskBook', () => {
  it('finds a task by its own id and by the id of the attempt', () => {
    const book = new TaskBook();
    const one = record(1);
    book.add(one);

    expect(book.find('r1')).toBe(one);
    expect(book.findAttempt('d1')).toBe(one);
    expect(book.findAttempt('r1')).toBeUndefined();
    expect(book.find('toString')).toBeUndefined();
  });

  it('keeps the last results only, and of the others what answers a repeat', () => {
    const book = new TaskBook({ results: 2, resultSize: 1000, forgotten: 1 });
    const tasks = [record(1), record(2), record(3), record(4)];
    for (const task of tasks) {
      book.add(task);
      settle(task);
      book.reported(task);
    }

    expect([...book.all()].map((task) => task.remoteId)).toEqual(['r3', 'r4']);
    expect(book.find('r2')).toBeUndefined();
    expect(book.findAttempt('d2')).toEqual({ receipt: tasks[1]?.identity.receipt, ok: true });
    // Beyond its own limit even that is gone.
    expect(book.findAttempt('d1')).toBeUndefined();
  });

  it('keeps results within their total size', () => {
    const book = new TaskBook({ results: 100, resultSize: 50, forgotten: 10 });
    for (const n of [1, 2, 3]) {
      const task = record(n);
      book.add(task);
      settle(task, 20);
      book.reported(task);
    }

    expect([...book.all()].map((task) => task.remoteId)).toEqual(['r2', 'r3']);
  });

  it('never drops a result that nobody was told of', () => {
    const book = new TaskBook({ results: 1, resultSize: 1000, forgotten: 10 });
    const unreported = record(1);
    book.add(unreported);
    settle(unreported);
    for (const n of [2, 3]) {
      const task = record(n);
      book.add(task);
      settle(task);
      book.reported(task);
    }

    expect([...book.all()].map((task) => task.remoteId)).toEqual(['r1', 'r3']);
  });

  it('forgets a task without a dispatch id altogether', () => {
    const book = new TaskBook({ results: 0, resultSize: 1000, forgotten: 10 });
    const task = record(1, null);
    book.add(task);
    settle(task);
    book.reported(task);

    expect([...book.all()]).toEqual([]);
  });
});
