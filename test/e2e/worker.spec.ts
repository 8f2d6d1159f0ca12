import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerEntry } from '../../src/worker/ledger';
import { FakeScheduler, type SchedulerAnswer } from '../support/fake-scheduler';
import { sendRaw } from '../support/http-app';
import { until } from '../support/until';
import { WorkerProcess } from '../support/worker-process';

// Starting a process may take seconds on a busy machine.
jest.setTimeout(60_000);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('foresail worker', () => {
  let folder: string;
  let scheduler: FakeScheduler;
  let workers: WorkerProcess[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-worker-'));
    scheduler = await FakeScheduler.start();
    workers = [];
  });

  afterEach(async () => {
    for (const worker of workers) {
      worker.kill('SIGKILL');
      await worker.ended();
    }
    await scheduler.goDown();
    await rm(folder, { recursive: true });
  });

  const ledgerPath = (): string => join(folder, 'ledger.jsonl');

  async function start(...flags: string[]): Promise<WorkerProcess> {
    const all = ['--scheduler', scheduler.url, '--ledger', ledgerPath(), '--id', 'w1', ...flags];
    const worker = await WorkerProcess.start(...all);
    workers.push(worker);
    return worker;
  }

  async function enqueue(worker: WorkerProcess, n: number, serviceMs: number): Promise<string> {
    const { status, body } = await worker.post('/queue/enqueue', {
      input_data: { n },
      metadata: { task_id: `t${n}`, dispatch_id: `d${n}`, service_ms: serviceMs },
    });
    expect(status).toBe(200);
    return (body as { task_id: string }).task_id;
  }

  /** Complete lines; a killed process may leave half of one at the end. */
  async function ledger(): Promise<LedgerEntry[]> {
    const lines = (await readFile(ledgerPath(), 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as LedgerEntry);
  }

  const reports = () => scheduler.bodies('/result/submit');
  const attemptOf = (report: object): unknown =>
    (report as { metadata: { dispatch_id: unknown } }).metadata.dispatch_id;

  it('registers, executes, keeps its ledger and reports the right results', async () => {
    const worker = await start('--replicas', '2', '--time-scale', '10');
    await until(() => scheduler.bodies('/ti/register').length === 1, 'a registration');
    const remoteIds: string[] = [];
    for (let n = 0; n < 6; n += 1) remoteIds.push(await enqueue(worker, n, 200));
    await until(() => reports().length === 6, 'six reports');

    expect(scheduler.bodies('/ti/register')[0]).toEqual({
      host: '127.0.0.1',
      port: Number(new URL(worker.url).port),
      model_name: 'm',
    });
    for (const report of reports()) {
      const n = remoteIds.indexOf(String(report['task_id']));
      expect(report).toEqual({
        task_id: remoteIds[n],
        instance_id: 'w1',
        execution_time: expect.any(Number),
        result: {
          output: { n },
          input_sha256: sha256(`{"n":${n}}`),
          engine: 'simulated',
          service_ms: 200,
        },
        metadata: { task_id: `t${n}`, dispatch_id: `d${n}` },
        replica_id: expect.stringMatching(/^replica-[12]$/),
      });
      expect(report['execution_time']).toBeGreaterThan(18);
      expect(report['execution_time']).toBeLessThan(2000);
    }
    const entries = await ledger();
    expect(entries.map((entry) => entry.remote_id).sort()).toEqual([...remoteIds].sort());
    expect(entries.every((entry) => entry.ok && entry.worker === 'w1')).toBe(true);
  });

  it('tells of an attempt by its dispatch id at every stage, and answers a repeat alike', async () => {
    const worker = await start();
    const running = await enqueue(worker, 1, 1500);
    const queued = await enqueue(worker, 2, 0);
    expect(await enqueue(worker, 1, 1500)).toBe(running);
    expect(await enqueue(worker, 2, 0)).toBe(queued);
    const statusOf = async (n: number): Promise<unknown[]> => {
      const { body } = await worker.get(`/results?dispatch_id=d${n}`);
      return (body as { task_id: string; status: string }[]).map((item) => [
        item.task_id,
        item.status,
      ]);
    };

    expect(await statusOf(1)).toEqual([[running, 'running']]);
    expect(await statusOf(2)).toEqual([[queued, 'queued']]);
    expect(await statusOf(3)).toEqual([]);
    expect((await worker.get(`/results/${running}`)).status).toBe(404);
    expect((await worker.get('/results')).body).toEqual([]);
    expect((await worker.get('/status')).body).toEqual({
      instance_id: 'w1',
      model_type: 'm',
      replicas_running: 1,
      queue_size: 1,
      status: 'running',
      dispatch_ids: true,
      draining: false,
      speed: 1,
    });
    await until(() => reports().length === 2, 'both reports');
    expect(await statusOf(1)).toEqual([[running, 'completed']]);
    expect(await enqueue(worker, 1, 1500)).toBe(running);
    const { status, body } = await worker.get(`/results/${running}`);
    expect([status, body]).toEqual([
      200,
      {
        task_id: running,
        result: expect.objectContaining({ output: { n: 1 } }),
        status: 'completed',
        error: null,
        enqueue_time: expect.any(Number),
        completion_time: expect.any(Number),
        wait_time: expect.any(Number),
        execution_time: expect.any(Number),
        total_time: expect.any(Number),
        dispatch_id: 'd1',
      },
    ]);
    expect((await worker.get('/results')).body).toHaveLength(2);
    expect(await ledger()).toHaveLength(2);
  });

  it('reports a failure as result.error', async () => {
    const worker = await start();
    const metadata = { service_ms: 1, fail: 'out of memory' };
    const { body } = await worker.post('/queue/enqueue', { input_data: {}, metadata });
    await until(() => reports().length === 1, 'the report');

    expect(reports()[0]?.['result']).toEqual({ error: 'out of memory' });
    const { task_id: id } = body as { task_id: string };
    expect((await worker.get(`/results/${id}`)).body).toMatchObject({
      status: 'failed',
      result: null,
      error: 'out of memory',
    });
    expect(await ledger()).toMatchObject([{ remote_id: id, dispatch_id: null, ok: false }]);
  });

  it('predicts its queue and changes its replicas while it works', async () => {
    const worker = await start();
    await enqueue(worker, 1, 60_000);
    await enqueue(worker, 2, 30_000);
    const predicted = (await worker.post('/queue/predict', {})).body as Record<string, number>;

    expect(predicted).toEqual({ expected_ms: expect.any(Number), error_ms: 0, queue_size: 1 });
    expect(predicted['expected_ms']).toBeGreaterThan(80_000);
    expect(predicted['expected_ms']).toBeLessThanOrEqual(90_000);
    expect(await worker.post('/models/start', { model_type: 'm', count: 2 })).toMatchObject({
      status: 200,
      body: { model_type: 'm', replicas_started: 2, total_replicas: 3 },
    });
    expect((await worker.get('/queue/status')).body).toEqual({
      queue_size: 0,
      model_type: 'm',
      expected_ms: 0,
      error_ms: 0,
    });
    expect((await worker.post('/models/stop', { count: null })).body).toEqual({
      detail: 'Stopped 3 replica(s)',
      stopped_replicas: ['replica-3', 'replica-1', 'replica-2'],
      remaining_replicas: 0,
    });
    const refused = await worker.post('/queue/enqueue', { input_data: {} });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await worker.post('/models/stop', {})).body).toMatchObject({ stopped_replicas: [] });
  });

  it('registers again when its model changes', async () => {
    const worker = await start();
    await until(() => scheduler.bodies('/ti/register').length === 1, 'a registration');
    expect((await worker.post('/models/start', { model_type: 'n' })).status).toBe(409);
    await worker.post('/models/stop', {});
    expect((await worker.post('/models/start', { model_type: 'n' })).status).toBe(200);
    await until(() => scheduler.bodies('/ti/register').length === 2, 'another registration');

    expect(scheduler.bodies('/ti/register')[1]).toMatchObject({ model_name: 'n' });
    const other = await worker.post('/queue/enqueue', { input_data: {}, model_name: 'm' });
    expect(other.status).toBe(409);
  });

  it('repeats its registration until a standby has become the leader', async () => {
    const standby: SchedulerAnswer = {
      status: 503,
      headers: { 'retry-after': '0' },
      body: { status: 'error', message: 'standby' },
    };
    let tries = 0;
    const { answer } = scheduler;
    scheduler.answer = (call) => {
      tries += 1;
      return tries < 3 ? standby : answer(call);
    };
    const worker = await start();
    await until(() => worker.log.includes('"event":"registered"'), 'an accepted registration');

    expect(scheduler.bodies('/ti/register')).toHaveLength(3);
  });

  it('keeps results while the scheduler is down and reports them when it is back', async () => {
    const worker = await start('--replicas', '5');
    await until(() => scheduler.bodies('/ti/register').length === 1, 'a registration');
    await scheduler.goDown();
    for (let n = 0; n < 5; n += 1) await enqueue(worker, n, 1);
    await until(() => worker.log.includes('reports_paused'), 'a report that finds nobody');
    const kept = async (): Promise<unknown[]> => (await worker.get('/results')).body as unknown[];
    await until(async () => (await kept()).length === 5, 'five results');
    expect((await worker.get('/status')).body).toMatchObject({ status: 'running' });
    await scheduler.comeUp();
    await until(() => reports().length >= 5, 'all reports');

    expect(reports().map(attemptOf).sort()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
    expect(await ledger()).toHaveLength(5);
  });

  it('repeats a report that the scheduler could not take, and only that', async () => {
    const { answer } = scheduler;
    scheduler.answer = (call) => {
      const first = reports().filter((report) => attemptOf(report) === 'd1').length === 1;
      const busy = call.path === '/result/submit' && attemptOf(call.body) === 'd1' && first;
      return busy ? { status: 429, body: { status: 'error', message: 'busy' } } : answer(call);
    };
    const worker = await start('--replicas', '3');
    for (let n = 0; n < 3; n += 1) await enqueue(worker, n, 1);
    await until(() => reports().length === 4, 'four reports');

    expect(reports().map(attemptOf).sort()).toEqual(['d0', 'd1', 'd1', 'd2']);
  });

  it('has everything in its ledger that it reported when it is killed', async () => {
    const worker = await start('--replicas', '4');
    const sending = (async () => {
      // Goes on until the worker is gone.
      for (let n = 0; ; n += 1) await enqueue(worker, n, 2);
    })().catch(() => undefined);
    await until(() => reports().length >= 30, 'thirty reports');
    worker.kill('SIGKILL');
    expect(await worker.ended()).toEqual({ code: null, signal: 'SIGKILL' });
    await sending;
    const reported = reports().map(attemptOf);
    const executed = (await ledger()).map((entry) => entry.dispatch_id);

    expect(executed).toEqual(expect.arrayContaining(reported));
    expect(new Set(executed).size).toBe(executed.length);
    const next = await start();
    expect((await next.get('/results?dispatch_id=d0')).body).toEqual([]);
    await enqueue(next, 0, 1);
    await until(() => reports().filter((report) => attemptOf(report) === 'd0').length === 2, 'd0');
    expect((await ledger()).filter((entry) => entry.dispatch_id === 'd0')).toHaveLength(2);
  });

  it('drains on SIGTERM: deregisters, refuses, finishes, reports, ends with 0', async () => {
    const worker = await start('--replicas', '2');
    await until(() => scheduler.bodies('/ti/register').length === 1, 'a registration');
    for (let n = 0; n < 4; n += 1) await enqueue(worker, n, 800);
    worker.kill('SIGTERM');
    await until(() => scheduler.bodies('/ti/remove').length === 1, 'the removal');
    const refused = await worker.post('/queue/enqueue', { input_data: {} });
    const { body: status } = await worker.get('/status');
    const repeated = await enqueue(worker, 3, 800);

    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(status).toMatchObject({ status: 'running', draining: true });
    expect(await worker.ended()).toEqual({ code: 0, signal: null });
    const paths = scheduler.calls.map((call) => call.path);
    expect(paths).toEqual([
      '/ti/register',
      '/ti/remove',
      '/result/submit',
      '/result/submit',
      '/result/submit',
      '/result/submit',
    ]);
    expect(scheduler.bodies('/ti/remove')[0]).toEqual({
      host: '127.0.0.1',
      port: Number(new URL(worker.url).port),
    });
    expect(reports().map((report) => report['task_id'])).toContain(repeated);
    expect(await ledger()).toHaveLength(4);
  });

  it('gives up what it could not finish within the drain timeout', async () => {
    const worker = await start('--drain-timeout', '0.1');
    await enqueue(worker, 1, 60_000);
    await enqueue(worker, 2, 60_000);
    worker.kill('SIGINT');

    expect(await worker.ended()).toEqual({ code: 0, signal: null });
    expect(worker.log).toContain('"event":"drain_timeout","abandoned":2,"unreported":0');
    expect(reports()).toEqual([]);
    expect(await ledger()).toEqual([]);
  });

  it('ends at once on a signal that comes later, not on the echo of the first', async () => {
    const worker = await start();
    await enqueue(worker, 1, 60_000);
    worker.kill('SIGTERM');
    worker.kill('SIGINT');
    await until(() => scheduler.bodies('/ti/remove').length === 1, 'the drain');
    expect((await worker.get('/status')).body).toMatchObject({ draining: true });
    let ended = false;
    const end = worker.ended().finally(() => (ended = true));
    await until(() => {
      worker.kill('SIGTERM');
      return ended;
    }, 'the end');

    expect(await end).toEqual({ code: 143, signal: null });
  });

  // A device on which every write fails; not every system has one.
  const itWithFullDisk = existsSync('/dev/full') ? it : it.skip;

  itWithFullDisk('ends, and reports nothing, when it cannot write its ledger', async () => {
    const worker = await start('--ledger', '/dev/full');
    await enqueue(worker, 1, 1);

    expect(await worker.ended()).toEqual({ code: 1, signal: null });
    expect(worker.log).toContain('"event":"ledger_failed"');
    expect(reports()).toEqual([]);
  });

  it('serves without a scheduler', async () => {
    const worker = await WorkerProcess.start();
    workers.push(worker);
    const { body } = await worker.post('/queue/enqueue', { input_data: {}, metadata: {} });
    const { task_id: id } = body as { task_id: string };
    const isKnown = async (): Promise<boolean> => {
      return (await worker.get(`/results/${id}`)).status === 200;
    };
    await until(isKnown, 'the result');

    worker.kill('SIGTERM');
    expect(await worker.ended()).toEqual({ code: 0, signal: null });
    expect(scheduler.calls).toEqual([]);
  });

  it('says who may call it and by which names, in settings that it has', async () => {
    const worker = await WorkerProcess.start('--advertise', 'gpu7.example');
    workers.push(worker);
    const answer = await sendRaw(
      Number(new URL(worker.url).port),
      'GET /status HTTP/1.1\r\nHost: gpu8.example\r\nConnection: close\r\n\r\n',
    );

    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('the name of the machine and the host of --advertise');
  });

  it('does not start with a ledger that cannot be opened', async () => {
    const path = join(folder, 'absent', 'ledger.jsonl');
    const worker = WorkerProcess.spawn('--port', '0', '--model', 'm', '--ledger', path);
    workers.push(worker);

    expect(await worker.ended()).toEqual({ code: 1, signal: null });
    expect(worker.log).toContain(path);
  });

  it('does not start on a port that is taken', async () => {
    const worker = await start();
    const { port } = new URL(worker.url);
    const second = WorkerProcess.spawn('--model', 'm', '--port', port);
    workers.push(second);

    expect(await second.ended()).toEqual({ code: 1, signal: null });
    expect(second.log).toContain(
      `error: port ${port} on 127.0.0.1 is taken: choose another with --port\n`,
    );
  });
});
