import type { LedgerClient } from '../support/ledger-client';
import { report } from '../support/report';
import { Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(180_000);

describe('workers that answer late, refuse, come and go', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let client: LedgerClient;
  let desk: TaskDesk;

  beforeAll(async () => {
    scenario = await Scenario.begin();
    service = await scenario.serve();
    client = await scenario.client();
    desk = new TaskDesk(client, () => service);
  });

  afterAll(() => scenario.close());

  /** Of a worker that has reported once it is known that nothing need be sent ahead. */
  async function warmUp(model: string): Promise<void> {
    await desk.submit({ model, taskId: `${model}-0` });
    await desk.reached(`${model}-0`, 'succeeded');
  }

  it('ends an attempt at its time limit, and counts its slot until the worker is through', async () => {
    const worker = await scenario.original({ model: 'limit' });
    await warmUp('limit');
    // Its slot is given up after twice this time: so long there is to look at it.
    const metadata = { timeout_ms: 8_000 };
    await desk.submit({ model: 'limit', serviceMs: ENDLESS_MS, metadata, ending: 'timed_out' });
    await desk.atWorker('limit');
    await desk.submit({ model: 'limit', taskId: 'limit-next' });
    const ended = await desk.reached('limit', 'timed_out');
    expect(ended.attempts).toMatchObject([{ state: 'abandoned' }]);
    expect(await desk.instance(worker.name)).toMatchObject({ slots: 1, occupied: 1 });
    expect((await desk.task('limit-next')).state).toBe('queued');
    worker.finishAll();
    await desk.reached('limit-next', 'succeeded');
    await desk.attemptsOf('limit', 'ended');
    const { body } = await service.get('/task/query?task_id=limit');
    expect(body).toMatchObject({ task_status: 'completed', result: { error: expect.any(String) } });
  });

  it('fetches the result after a bare notification', async () => {
    await scenario.original({ model: 'bare', reporting: 'bare' });
    await desk.submit({ model: 'bare' });
    const ended = await desk.reached('bare', 'succeeded');
    expect(ended.result).toMatchObject({ engine: 'original' });
  });

  it('believes a worker that notifies and has no result to show', async () => {
    const worker = await scenario.original({ model: 'empty', reporting: 'bare' });
    worker.hidesResults = true;
    let mayAnswer = false;
    worker.lie = async (call, honest) => {
      if (call.startsWith('GET /results')) await until(() => mayAnswer, 'the look at its slot');
      return honest();
    };
    await desk.submit({ model: 'empty', ending: 'without_result' });
    await until(() => worker.replies.length === 2, 'the notification');
    expect((await desk.instance(worker.name)).occupied).toBe(0);
    expect((await desk.task('empty')).state).not.toBe('succeeded');
    mayAnswer = true;
    const ended = await desk.reached('empty', 'succeeded');
    expect(ended).toMatchObject({ result: null, attempts: [{ state: 'ended' }] });
  });

  it('takes a completion that arrives before the answer to its enqueue', async () => {
    const worker = await scenario.original({ model: 'early' });
    worker.beforeAnswer = () => until(() => worker.replies.length === 2, 'the report');
    await desk.submit({ model: 'early' });
    const ended = await desk.reached('early', 'succeeded');
    expect(ended.attempts).toMatchObject([{ state: 'ended', remote_id: '1' }]);
    expect(worker.replies[1]).toMatchObject({ status: 200, body: { status: 'success' } });
    expect(worker.executions).toHaveLength(1);
  });

  it('keeps such completions of two workers apart that use the same ids', async () => {
    const first = await scenario.original({ model: 'same' });
    await desk.submit({ model: 'same', taskId: 'same-1', serviceMs: ENDLESS_MS });
    await desk.atWorker('same-1');
    const second = await scenario.original({ model: 'same' });
    second.beforeAnswer = () => until(() => second.replies.length === 2, 'the report');
    first.refuse = () => ({ status: 503 });
    await desk.submit({ model: 'same', taskId: 'same-2' });
    await desk.reached('same-2', 'succeeded');
    expect(second.replies[1]).toMatchObject({ status: 200, body: { status: 'success' } });
    expect((await desk.task('same-1')).state).not.toBe('succeeded');
    first.finishAll();
    await desk.reached('same-1', 'succeeded');
  });

  it.each([429, 503])('goes elsewhere when a worker answers %d', async (status) => {
    const model = `busy-${status}`;
    const busy = await scenario.original({ model });
    busy.refuse = () => ({ status });
    await desk.submit({ model });
    await until(() => busy.arrivals.length > 0, 'the refusal');
    await scenario.original({ model });
    const ended = await desk.reached(model, 'succeeded');
    expect(ended.attempts).not.toContainEqual(expect.objectContaining({ state: 'lost' }));
    expect(await desk.story(model)).toContain(`answered ${status}`);
    expect(busy.executions).toEqual([]);
  });

  it('tries a busy worker again more often than a task may lose its worker', async () => {
    const busy = await scenario.original({ model: 'patient' });
    const refusals = 6;
    busy.refuse = () => (busy.arrivals.length > refusals ? null : { status: 503 });
    await desk.submit({ model: 'patient' });
    await desk.reached('patient', 'succeeded');
    await desk.attemptsOf('patient', ...Array.from({ length: refusals + 1 }, () => 'ended'));
  });

  it('leaves a worker alone for as long as it asks', async () => {
    const busy = await scenario.original({ model: 'resting' });
    const asked: number[] = [];
    busy.refuse = () => {
      asked.push(performance.now());
      return asked.length > 1 ? null : { status: 503, headers: { 'retry-after': '2' } };
    };
    await desk.submit({ model: 'resting' });
    await desk.reached('resting', 'succeeded');
    const [first = 0, second = 0] = asked;
    expect(second - first).toBeGreaterThan(1_900);
  });

  it('fails a task that its worker rejects, and does not try another one', async () => {
    const strict = await scenario.original({ model: 'strict' });
    const other = await scenario.original({ model: 'strict' });
    strict.refuse = other.refuse = () => ({ status: 400 });
    await desk.submit({ model: 'strict', ending: 'failed' });
    const ended = await desk.reached('strict', 'failed');
    expect(ended.failure.kind).toBe('start_error');
    expect(strict.arrivals.length + other.arrivals.length).toBe(1);
  });

  it('records a failure that a worker reports, once and for all', async () => {
    await scenario.worker('failing', 'fail');
    const metadata = { fail: 'out of memory' };
    await desk.submit({ model: 'fail', metadata, ending: 'failed' });
    const ended = await desk.reached('fail', 'failed');
    expect(ended.failure).toEqual({ kind: 'worker_error', message: 'out of memory' });
    expect(ended.attempts).toHaveLength(1);
  });

  it('lets a worker finish that is told to end, and moves what waits for it', async () => {
    await service.post('/scheduler/set', { name: 'shortest_queue', model_name: 'drain' });
    const leaving = await scenario.worker('leaving', 'drain');
    await warmUp('drain');
    await desk.submit({ model: 'drain', taskId: 'drain-1', serviceMs: 8_000 });
    await desk.atWorker('drain-1');
    const waiting = ['drain-2', 'drain-3', 'drain-4'];
    for (const taskId of waiting) await desk.submit({ model: 'drain', taskId });
    expect((await desk.instance('leaving')).waiting).toBe(waiting.length);
    leaving.kill('SIGTERM');
    await until(async () => (await desk.instance('leaving')) === undefined, 'its removal');
    await scenario.worker('staying', 'drain');
    expect(await leaving.ended()).toEqual({ code: 0, signal: null });
    await desk.instanceIs('staying', 'online');
    const { id: staying } = await desk.instance('staying');
    for (const taskId of ['drain-1', ...waiting]) {
      const ended = await desk.reached(taskId, 'succeeded');
      expect(ended.attempts).toMatchObject([{ attempt: 1, state: 'ended' }]);
      expect(ended.instance_id === staying).toBe(taskId !== 'drain-1');
    }
  });

  it('lets running tasks of a removed worker end, and moves the waiting ones', async () => {
    await service.post('/scheduler/set', { name: 'round_robin', model_name: 'remove' });
    const gone = await scenario.original({ model: 'remove', replicas: 2 });
    const running = ['remove-1', 'remove-2', 'remove-3'];
    for (const taskId of running) {
      await desk.submit({ model: 'remove', taskId, serviceMs: ENDLESS_MS });
      await desk.atWorker(taskId); // The third is sent ahead, as to any worker that never notified.
    }
    const waiting = ['remove-4', 'remove-5'];
    for (const taskId of waiting) await desk.submit({ model: 'remove', taskId });
    const { body } = await service.post('/ti/remove', { host: gone.host, port: gone.port });
    expect(body).toMatchObject({ status: 'success' });
    await scenario.original({ model: 'remove' });
    for (const taskId of waiting) await desk.reached(taskId, 'succeeded');
    expect(gone.arrivals).toHaveLength(running.length);
    gone.finishAll();
    await until(() => gone.executions.length === 2, 'the end of what ran');
    gone.finishAll();
    for (const taskId of running) {
      const ended = await desk.reached(taskId, 'succeeded');
      expect(ended.attempts).toMatchObject([{ attempt: 1, state: 'ended' }]);
    }
  });

  it('lets tasks wait while their worker has no replicas, and does not fail them', async () => {
    const worker = await scenario.worker('empty-handed', 'zero', '--replicas', '0');
    await desk.instanceIs('empty-handed', 'online');
    await desk.submit({ model: 'zero' });
    const { scheduled_ti: planned } = (await service.get('/task/query?task_id=zero')).body;
    expect(planned).toBe((await desk.instance('empty-handed')).id);
    expect(await desk.instance('empty-handed')).toMatchObject({ unfit_because: 'no_replicas' });
    expect(await desk.task('zero')).toMatchObject({ state: 'queued', attempts: [] });
    await worker.post('/models/start', { model_type: 'zero', count: 1 });
    const ended = await desk.reached('zero', 'succeeded');
    expect(ended.attempts).toHaveLength(1);
  });

  it('has kept every promise', async () => {
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report('workers', figures);
    expect(faults).toEqual([]);
    expect(client.surprises).toEqual([]);
  });
});
