import type { ServerResponse } from 'node:http';
import { json, WorkerStub } from '../../test/support/worker-stub';
import { until } from '../../test/support/until';
import { TaskInstanceClients } from './task-instance.clients';

const STATUS = {
  instance_id: 'gpu-1',
  model_type: null,
  replicas_running: 0,
  queue_size: 0,
  status: 'idle',
};

describe('TaskInstanceClients', () => {
  let worker: WorkerStub;
  let clients: TaskInstanceClients;

  beforeEach(async () => {
    worker = await WorkerStub.start();
    worker.on('GET /status', json(STATUS));
    clients = new TaskInstanceClients({});
  });

  afterEach(async () => {
    await clients.onApplicationShutdown();
    await worker.stop();
  });

  it('keeps one client for an address', () => {
    const client = clients.for('127.0.0.1', 9000);
    expect(clients.for('127.0.0.1', 9000)).toBe(client);
    expect(clients.for('127.0.0.1', 9001)).not.toBe(client);
    expect(clients.for('localhost', 9000)).not.toBe(client);
  });

  it('makes a new one for an address that was forgotten, and lets calls of the old one end', async () => {
    const held: ServerResponse[] = [];
    worker.on('GET /status', (response) => void held.push(response));
    const old = clients.for(worker.host, worker.port);
    const call = old.status('enqueue');
    await until(() => held.length === 1, 'the call');
    clients.forget(worker.host, worker.port);
    expect(clients.for(worker.host, worker.port)).not.toBe(old);
    held[0]?.end(JSON.stringify(STATUS));
    await expect(call).resolves.toMatchObject({ name: 'gpu-1' });
    await expect(old.status('enqueue')).rejects.toMatchObject({ sent: false });
  });

  it('lets go of the one that was not asked for longest when there are too many', () => {
    const first = clients.for('10.0.0.1', 1);
    const second = clients.for('10.0.0.1', 2);
    for (let port = 3; port <= 4_096; port += 1) clients.for('10.0.0.1', port);
    expect(clients.for('10.0.0.1', 1)).toBe(first);
    clients.for('10.0.0.1', 4_097);
    expect(clients.for('10.0.0.1', 1)).toBe(first);
    expect(clients.for('10.0.0.1', 2)).not.toBe(second);
  });

  it('ends what is under way when the application shuts down, and begins nothing new', async () => {
    worker.on('GET /status', () => undefined);
    const call = clients.for(worker.host, worker.port).status('enqueue');
    await until(() => worker.calls.length === 1, 'the call');
    const ended = expect(call).rejects.toMatchObject({ code: 'unreachable' });
    await clients.onApplicationShutdown();
    await ended;
    const late = clients.for(worker.host, worker.port).status('enqueue');
    await expect(late).rejects.toMatchObject({ sent: false });
  });
});
