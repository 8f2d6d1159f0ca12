import type { LedgerClient } from '../support/ledger-client';
import { HANG } from '../support/original-worker';
import { report } from '../support/report';
import { QUICK, Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(180_000);

/** A worker so fast that even an endless task ends soon. */
const SWIFT = ['--speed', '1000'] as const;

describe('workers that are lost, restarted, or forget', () => {
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

  it('gives a task to another worker when its own is killed', async () => {
    const first = await scenario.worker('killed', 'kill');
    await desk.submit({ model: 'kill', serviceMs: ENDLESS_MS });
    await desk.atWorker('kill');
    const survivor = await scenario.original({ model: 'kill' });
    first.kill('SIGKILL');
    await desk.instanceIs('killed', 'lost');
    expect(service.log).toContain('killed is suspect');
    await until(() => survivor.arrivals.length === 1, 'the other attempt');
    const silence = /has been silent for (\d+) ms/.exec(await desk.story('kill'));
    expect(Number(silence?.[1])).toBeGreaterThanOrEqual(Number(QUICK.FORESAIL_LOST_MS));
    survivor.finishAll();
    const ended = await desk.reached('kill', 'succeeded');
    expect(ended.attempts).toMatchObject([{ state: 'lost' }, { state: 'ended' }]);
    expect(ended.attempts[1].instance_id).not.toBe(ended.attempts[0].instance_id);
  });

  it('lets the success of a lost attempt count while the task waits for another try', async () => {
    const worker = await scenario.original({ model: 'late' });
    await desk.submit({ model: 'late', serviceMs: ENDLESS_MS });
    await desk.atWorker('late');
    await worker.goDeaf();
    await desk.reached('late', 'queued');
    await desk.attemptsOf('late', 'lost');
    worker.finishAll();
    await desk.reached('late', 'succeeded');
    await desk.attemptsOf('late', 'ended');
  });

  it('lets it count while another try runs, which goes on occupying its worker', async () => {
    const first = await scenario.original({ model: 'rival' });
    await desk.submit({ model: 'rival', serviceMs: ENDLESS_MS });
    await desk.atWorker('rival');
    await first.goDeaf();
    await desk.reached('rival', 'queued');
    const second = await scenario.original({ model: 'rival' });
    await desk.atWorker('rival');
    first.finishAll();
    await desk.reached('rival', 'succeeded');
    await desk.attemptsOf('rival', 'ended', 'abandoned');
    const occupied = async (): Promise<unknown> => (await desk.instance(second.name)).occupied;
    expect(await occupied()).toBe(1);
    second.finishAll();
    await until(async () => (await occupied()) === 0, 'a free slot');
    await desk.attemptsOf('rival', 'ended', 'ended');
  });

  it('fails a task that has lost three workers, instead of taking down a fourth', async () => {
    const worker = await scenario.original({ model: 'poison' });
    worker.beforeAnswer = () => {
      setImmediate(() => worker.forget());
      return Promise.resolve();
    };
    await desk.submit({ model: 'poison', serviceMs: ENDLESS_MS, ending: 'failed' });
    const ended = await desk.reached('poison', 'failed');
    expect(ended.failure.kind).toBe('attempts_exhausted');
    expect(ended.attempts).toMatchObject([{ state: 'lost' }, { state: 'lost' }, { state: 'lost' }]);
    expect(worker.arrivals).toHaveLength(3);
    const { body } = await service.get('/task/query?task_id=poison');
    expect(body).toMatchObject({ task_status: 'completed', result: { error: expect.any(String) } });
  });

  it('notices when an attempt is gone from a living worker: it idles, twice', async () => {
    const worker = await scenario.original({ model: 'idle', reporting: 'never' });
    await desk.submit({ model: 'idle', serviceMs: ENDLESS_MS });
    await desk.atWorker('idle');
    worker.forget();
    await until(() => worker.arrivals.length === 2, 'the second attempt');
    expect(await desk.story('idle')).toContain('is idle and does not have it');
    worker.finishAll();
    await desk.reached('idle', 'succeeded');
    await desk.attemptsOf('idle', 'lost', 'ended');
  });

  it.each([
    { model: 'reuse-1', reporting: 'never', answersLate: false },
    { model: 'reuse-2', reporting: 'result', answersLate: false },
    { model: 'reuse-3', reporting: 'result', answersLate: true },
    { model: 'reuse-4', reporting: 'bare', answersLate: true },
  ] as const)(
    'never takes the result of another task for its own when a restarted worker reuses ids (%j)',
    async ({ model, reporting, answersLate }) => {
      const worker = await scenario.original({ model, reporting, replicas: 2 });
      await desk.submit({ model, taskId: `${model}-old`, serviceMs: ENDLESS_MS });
      await desk.atWorker(`${model}-old`);
      await worker.crash();
      await worker.comeUp();
      await worker.register();
      const arrived = worker.arrivals.length;
      worker.lie = async (call, honest) => {
        // Its idleness must not show before it has handed the id out again.
        const hasAnother = (): boolean => worker.arrivals.length > arrived;
        if (call === 'GET /status') await until(hasAnother, 'the other task');
        return honest();
      };
      const reports = worker.replies.length;
      if (answersLate) {
        worker.beforeAnswer = () => until(() => worker.replies.length > reports, 'its report');
      }
      await desk.submit({ model, taskId: `${model}-new` });
      const after = await desk.reached(`${model}-new`, 'succeeded');
      expect(after.attempts[0].remote_id).toBe('1'); // As the old one's was.
      worker.beforeAnswer = () => Promise.resolve();
      await until(
        async () => (await desk.task(`${model}-old`)).attempts.length === 2,
        'another attempt of the task that the restart has cost',
      );
      await desk.atWorker(`${model}-old`);
      const repeat = { task_id: after.attempts[0].remote_id, result: after.result };
      expect(await worker.report('/result/submit', repeat)).toMatchObject({
        status: 200,
        body: { status: 'success' },
      });
      worker.finishAll();
      await desk.reached(`${model}-old`, 'succeeded');
      await desk.attemptsOf(`${model}-old`, 'lost', 'ended');
    },
  );

  it('asks a reference worker that came back at once, and starts anew what it has lost', async () => {
    const first = await scenario.worker('restarted', 'restart');
    await desk.submit({ model: 'restart', serviceMs: ENDLESS_MS });
    await desk.atWorker('restart');
    first.kill('SIGKILL');
    await first.ended();
    const { port } = new URL(first.url);
    await scenario.worker('restarted', 'restart', '--port', port, ...SWIFT);
    const ended = await desk.reached('restart', 'succeeded');
    expect(ended.attempts).toMatchObject([{ state: 'lost' }, { state: 'ended' }]);
  });

  it('runs a task again whose worker said "done" and was gone before it gave the result', async () => {
    const worker = await scenario.original({ model: 'gone', reporting: 'bare' });
    worker.lie = (call, honest) =>
      call.startsWith('GET /results') ? Promise.resolve(HANG) : honest();
    await desk.submit({ model: 'gone', serviceMs: 50 });
    await until(() => worker.replies.length === 2, 'the notification');
    await worker.crash();
    await scenario.original({ model: 'gone' });
    await desk.reached('gone', 'succeeded');
    await desk.attemptsOf('gone', 'lost', 'ended');
  });

  it('finds an attempt lost whose confirmation a crash of the scheduler has cost', async () => {
    const worker = await scenario.worker('doubted', 'doubt');
    await desk.instanceIs('doubted', 'online');
    await service.stop();
    service = await scenario.serve({ FORESAIL_CRASH_AT: 'dispatch:answered' });
    await Promise.all([
      desk.submit({ model: 'doubt', serviceMs: ENDLESS_MS }),
      until(() => service.hasEnded, 'the crash').then(async () => {
        service = await scenario.serve();
      }),
    ]);
    await desk.atWorker('doubt');
    worker.kill('SIGKILL');
    await worker.ended();
    const { port } = new URL(worker.url);
    await scenario.worker('doubted', 'doubt', '--port', port, ...SWIFT);
    await desk.reached('doubt', 'succeeded');
    await desk.attemptsOf('doubt', 'lost', 'ended');
  });

  it('has kept every promise all the same', async () => {
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report('workers lost', figures);
    expect(faults).toEqual([]);
    expect(client.surprises).toEqual([]);
  });
});
