import { dispatchId, taskId } from '../core/units';
import { json, startRaw, WorkerStub } from '../../test/support/worker-stub';
import type { StartResult } from './executor';
import { TaskInstanceClients } from './task-instance.clients';
import { TaskInstanceExecutor } from './task-instance.executor';

const REQUEST = {
  taskId: taskId('t-1'),
  dispatchId: dispatchId('d-1'),
  queueName: 'llama',
  taskInput: '{}',
  metadata: '{}',
};

describe('TaskInstanceExecutor', () => {
  const clients = new TaskInstanceClients({ connections: 1 });
  const hasty = new TaskInstanceClients({ enqueueMs: 300, connections: 1 });
  let worker: WorkerStub;

  beforeEach(async () => {
    worker = await WorkerStub.start();
  });

  afterEach(() => worker.stop());

  afterAll(async () => {
    await clients.onApplicationShutdown();
    await hasty.onApplicationShutdown();
  });

  const executor = new TaskInstanceExecutor(clients);
  const start = (
    { host, port } = worker as { host: string; port: number },
    by = executor,
  ): Promise<StartResult> => by.start({ host, port, protocol: 'enqueue' }, REQUEST);
  const startInHaste = (): Promise<StartResult> => start(worker, new TaskInstanceExecutor(hasty));

  it('tells the id of what was accepted, by either generation', async () => {
    worker.on('POST /queue/enqueue', json({ task_id: 'r-1' }));
    worker.on('POST /queue/submit', json({ task_id: 'r-2' }, 201));
    expect(await start()).toEqual({ kind: 'accepted', remoteId: 'r-1' });
    const { host, port } = worker;
    const later = await executor.start({ host, port, protocol: 'submit' }, REQUEST);
    expect(later).toEqual({ kind: 'accepted', remoteId: 'r-2' });
  });

  it.each([429, 503])('takes %d for a worker that is full', async (status) => {
    worker.on('POST /queue/enqueue', json({ detail: 'full' }, status, { 'retry-after': '3' }));
    expect(await start()).toEqual({
      kind: 'refused',
      because: 'busy',
      reason: `task instance 127.0.0.1:${worker.port}, POST /queue/enqueue: answered ${status}: {"detail":"full"}`,
      retryAfterMs: 3_000,
    });
  });

  it.each([401, 403, 404, 405, 408, 409, 425])(
    'takes %d for a worker that does not want it, now or from us',
    async (status) => {
      worker.on('POST /queue/enqueue', json({}, status));
      expect(await start()).toMatchObject({ kind: 'refused', because: 'unwanted' });
    },
  );

  it.each([400, 413, 415, 422])('takes %d for a task that is wrong', async (status) => {
    worker.on('POST /queue/enqueue', json({ detail: 'input_data: no prompt' }, status));
    expect(await start()).toMatchObject({
      kind: 'rejected',
      reason: expect.stringContaining('input_data: no prompt') as string,
    });
  });

  it.each([302, 500, 502, 504])('does not know what %d means for the task', async (status) => {
    worker.on('POST /queue/enqueue', json({}, status));
    expect(await start()).toMatchObject({ kind: 'unknown' });
    expect(worker.calls).toHaveLength(1);
  });

  it.each([['{}'], ['<html>'], [`{"task_id":"${'x'.repeat(100_000)}"}`]])(
    'does not know what an answer like %.20s means for the task',
    async (answer) => {
      worker.on('POST /queue/enqueue', json(answer));
      expect(await start()).toMatchObject({ kind: 'unknown' });
    },
  );

  it('does not know what became of a request that got no answer in time', async () => {
    worker.on('POST /queue/enqueue', () => undefined);
    expect(await startInHaste()).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('no complete answer within 300 ms') as string,
    });
  });

  it('does not know what became of a request whose connection was cut', async () => {
    let received = 0;
    const liar = await startRaw((socket) => {
      received += 1;
      socket.destroy();
    });
    expect(await start(liar)).toMatchObject({ kind: 'unknown' });
    expect(received).toBe(1);
    await liar.stop();
  });

  it('does not know what became of a request on a connection that just went stale', async () => {
    let received = 0;
    const liar = await startRaw((socket) => {
      received += 1;
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"task_id":"r"}');
      socket.once('data', () => {
        received += 1;
        socket.resetAndDestroy();
      });
    });
    expect(await start(liar)).toMatchObject({ kind: 'accepted' });
    expect(await start(liar)).toMatchObject({ kind: 'unknown' });
    expect(received).toBe(2);
    await liar.stop();
  });

  it('knows that nobody there did not get it', async () => {
    const { host, port } = worker;
    await worker.stop();
    const result = await start({ host, port });
    expect(result).toMatchObject({ kind: 'refused', because: 'unreachable' });
    worker = await WorkerStub.start();
  });

  it('knows that what had to wait for its turn too long was not sent', async () => {
    worker.on('POST /queue/enqueue', () => undefined);
    const [first, ...others] = await Promise.all(Array.from({ length: 6 }, startInHaste));
    expect(first).toMatchObject({ kind: 'unknown' });
    // When the first one gives up, its connection is free for the next, if that still waits.
    const unsent = others.filter(({ kind }) => kind !== 'unknown');
    expect(unsent).toContainEqual(expect.objectContaining({ kind: 'refused', because: 'busy' }));
    // What is unknown may have arrived or not.
    expect(worker.calls.length).toBeLessThanOrEqual(1 + others.length - unsent.length);
  });
});
