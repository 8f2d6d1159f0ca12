import { FakeClock } from '../../test/support/fake-clock';
import { ManualEngine, settled } from '../../test/support/worker-fakes';
import { TaskRecord, type Execution } from './task-record';
import { WorkQueue } from './work-queue';
import type { JsonObject } from '../http/dto-fields';

function setUp(replicas: number) {
  const engine = new ManualEngine();
  const clock = new FakeClock();
  const ended: { id: string; execution: Execution }[] = [];
  const queue = new WorkQueue(engine, clock, (record, execution) =>
    ended.push({ id: record.remoteId, execution }),
  );
  queue.startReplicas(replicas);
  const push = (id: string, metadata: JsonObject = {}): void => {
    const receipt = { remoteId: id, queueSize: 0, enqueuedWallMs: 0 };
    const identity = { receipt, taskId: null, dispatchId: null, size: 10 };
    const task = { id, dispatchId: null, model: 'm', input: {}, metadata };
    queue.push(new TaskRecord(identity, task, engine.estimate(task), clock.now()));
  };
  return { engine, clock, ended, queue, push };
}

describe('WorkQueue', () => {
  it('starts in order of arrival, as many at a time as there are replicas', async () => {
    const { engine, queue, push } = setUp(2);
    for (const id of ['a', 'b', 'c', 'd']) push(id);

    expect(engine.running).toEqual(['a', 'b']);
    expect([queue.waiting, queue.waitingSize, queue.running]).toEqual([2, 20, 2]);
    await engine.end('b');
    expect(engine.running).toEqual(['a', 'c']);
    await engine.end('a');
    await engine.end('c');
    expect(engine.running).toEqual(['d']);
    expect([queue.waiting, queue.waitingSize, queue.running]).toEqual([0, 0, 1]);
  });

  it('measures wait and execution on the clock', async () => {
    const { clock, engine, ended, push } = setUp(1);
    push('a');
    push('b');
    clock.advance(30);
    await engine.end('a');
    clock.advance(12);
    await engine.end('b', { ok: false, error: 'no' });

    expect(ended.map(({ id, execution }) => [id, execution.waitMs, execution.executionMs])).toEqual(
      [
        ['a', 0, 30],
        ['b', 30, 12],
      ],
    );
    expect(ended.map(({ execution }) => [execution.ok, execution.resultJson])).toEqual([
      [true, '{"id":"a"}'],
      [false, null],
    ]);
  });

  it('turns what an engine throws into a failure of the task', async () => {
    const { engine, ended, push } = setUp(1);
    push('a');
    await engine.throw('a', new Error('broken pipe'));

    expect(ended[0]?.execution.error).toBe('engine manual: broken pipe');
  });

  it('keeps of a message what a report can carry', async () => {
    const { engine, ended, push } = setUp(1);
    push('a');
    await engine.end('a', { ok: false, error: `a\0b\ud800c😀${'x'.repeat(10_000)}` });

    const message = ended[0]?.execution.error ?? '';
    expect(message.slice(0, 7)).toBe('a\ufffdb\ufffdc😀');
    expect(message).toHaveLength(10_000);
  });

  it('lets a new replica take waiting work at once', () => {
    const { engine, queue, push } = setUp(1);
    push('a');
    push('b');
    queue.startReplicas(1);

    expect(engine.running).toEqual(['a', 'b']);
  });

  it('stops free replicas first, and lets a busy one finish what it has', async () => {
    const { engine, ended, queue, push } = setUp(2);
    push('a');

    expect(queue.stopReplicas(1)).toEqual(['replica-2']);
    expect(queue.stopReplicas(null)).toEqual(['replica-1']);
    expect([queue.replicasRunning, queue.running]).toEqual([0, 1]);
    push('b');
    await engine.end('a');
    expect(ended).toHaveLength(1);
    expect(engine.running).toEqual([]);
    queue.startReplicas(1);
    expect(engine.running).toEqual(['b']);
    await engine.end('b');
    expect(ended[1]?.execution.replicaId).toBe('replica-3');
  });

  it('predicts the wait of a task that came now', () => {
    const { clock, queue, push } = setUp(2);
    expect(queue.predict()).toEqual({ expectedMs: 0, errorMs: 0 });
    push('a', { expect: 100, error: 3 });
    expect(queue.predict()).toEqual({ expectedMs: 0, errorMs: 0 });
    push('b', { expect: 40, error: 3 });
    push('c', { expect: 20, error: 4 });
    push('d', { expect: 100 });
    clock.advance(10);

    // 90 ms of a are left on one replica; 30 ms of b, then 20 of c, then 100 of d on the other.
    expect(queue.predict()).toEqual({ expectedMs: 90, errorMs: 3 });
    clock.advance(500);
    expect(queue.predict()).toEqual({ expectedMs: 20, errorMs: 5 });
  });

  it('gives up what runs and waits, without an outcome', async () => {
    const { ended, queue, push } = setUp(1);
    push('a');
    push('b');
    queue.stopReplicas(null);

    expect(queue.abandon()).toBe(2);
    await settled();
    expect(ended).toEqual([]);
    expect([queue.waiting, queue.running]).toEqual([0, 0]);
  });
});
