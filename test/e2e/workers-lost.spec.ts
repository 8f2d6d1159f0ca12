import type { LedgerClient } from '../support/ledger-client';
import { report } from '../support/report';
import { Scenario } from '../support/scenario';
import type { Json, ServiceProcess } from '../support/service-process';
import { until } from '../support/until';
import type { Ending } from '../support/verdict';

jest.setTimeout(60_000);

/** Longer than any test takes: such a task ends when its worker is told to. */
const ENDLESS_MS = 600_000;

describe('workers that are lost, restarted, or forget', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let client: LedgerClient;

  beforeAll(async () => {
    scenario = await Scenario.begin();
    service = await scenario.serve();
    client = await scenario.client();
  });

  afterAll(() => scenario.close());

  const submit = (model: string, serviceMs: number, taskId = model, ending?: Ending) =>
    client.submit({
      taskId,
      model,
      input: { taskId },
      metadata: { service_ms: serviceMs },
      ...(ending === undefined ? {} : { ending }),
    });

  async function task(id: string): Promise<Json> {
    return (await service.get(`/v1/tasks/${id}`)).body;
  }

  async function reached(id: string, ...states: string[]): Promise<Json> {
    await until(
      async () => states.includes((await task(id)).state),
      `${id} being ${states.join(' or ')}`,
    );
    return task(id);
  }

  async function healthOf(name: string): Promise<unknown> {
    const { body } = await service.get('/v1/instances');
    return (body.instances as Json[]).find((instance) => instance.name === name)?.health;
  }

  const attemptStates = (found: Json): unknown[] =>
    (found.attempts as Json[]).map((attempt) => attempt.state);
  const messages = (found: Json): string =>
    (found.events as Json[]).map((event) => event.message).join('\n');

  it('gives a task to another worker when its own is killed', async () => {
    const first = await scenario.worker('killed', 'kill');
    await submit('kill', 1_000);
    await reached('kill', 'dispatched', 'running');
    await scenario.worker('survivor', 'kill');
    first.kill('SIGKILL');
    await until(async () => (await healthOf('killed')) === 'suspect', 'the suspicion');
    expect(attemptStates(await task('kill'))).toEqual(['live']);
    await until(async () => (await healthOf('killed')) === 'lost', 'the loss');
    const ended = await reached('kill', 'succeeded');
    expect(attemptStates(ended)).toEqual(['lost', 'ended']);
    expect(ended.attempts[1].instance_id).not.toBe(ended.attempts[0].instance_id);
  });

  it('lets the success of a lost attempt count while the task waits for another try', async () => {
    const worker = await scenario.original({ model: 'late' });
    await submit('late', ENDLESS_MS);
    await reached('late', 'dispatched', 'running');
    await worker.goDeaf();
    expect(attemptStates(await reached('late', 'queued'))).toEqual(['lost']);
    worker.finishAll();
    expect(attemptStates(await reached('late', 'succeeded'))).toEqual(['ended']);
  });

  it('lets it count while another try runs, which goes on occupying its worker', async () => {
    const first = await scenario.original({ model: 'rival' });
    await submit('rival', ENDLESS_MS);
    await reached('rival', 'dispatched', 'running');
    await first.goDeaf();
    await reached('rival', 'queued');
    const second = await scenario.original({ model: 'rival' });
    await reached('rival', 'dispatched', 'running');
    first.finishAll();
    expect(attemptStates(await reached('rival', 'succeeded'))).toEqual(['ended', 'abandoned']);
    await submit('rival', 10, 'rival-next');
    expect((await task('rival-next')).state).toBe('queued');
    second.finishAll();
    await reached('rival-next', 'succeeded');
    expect(attemptStates(await task('rival'))).toEqual(['ended', 'ended']);
  });

  it('fails a task that has lost three workers, instead of taking down a fourth', async () => {
    const worker = await scenario.original({ model: 'poison' });
    worker.beforeAnswer = () => {
      setImmediate(() => worker.forget());
      return Promise.resolve();
    };
    await submit('poison', ENDLESS_MS, 'poison', 'failed');
    const ended = await reached('poison', 'failed');
    expect(ended.failure.kind).toBe('attempts_exhausted');
    expect(attemptStates(ended)).toEqual(['lost', 'lost', 'lost']);
    expect(worker.arrivals).toHaveLength(3);
    const { body } = await service.get('/task/query?task_id=poison');
    expect(body).toMatchObject({ task_status: 'completed', result: { error: expect.any(String) } });
  });

  it('notices when an attempt is gone from a living worker: it idles, twice', async () => {
    const worker = await scenario.original({ model: 'idle', reporting: 'never' });
    await submit('idle', ENDLESS_MS);
    await reached('idle', 'dispatched', 'running');
    worker.forget();
    await until(() => worker.arrivals.length === 2, 'the second attempt');
    expect(messages(await task('idle'))).toContain('is idle and does not have it');
    worker.finishAll();
    expect(attemptStates(await reached('idle', 'succeeded'))).toEqual(['lost', 'ended']);
  });

  it.each(['never', 'result'] as const)(
    'never takes the result of another task for its own when a restarted worker reuses ids (%s)',
    async (reporting) => {
      const model = `reuse-${reporting}`;
      const worker = await scenario.original({ model, reporting, replicas: 2 });
      await submit(model, ENDLESS_MS, `${model}-old`);
      const before = await reached(`${model}-old`, 'dispatched', 'running');
      await worker.crash();
      await worker.comeUp();
      await worker.register();
      await submit(model, 50, `${model}-new`);
      const after = await reached(`${model}-new`, 'succeeded');
      expect(after.attempts[0].remote_id).toBe(before.attempts[0].remote_id);
      await until(
        async () => (await task(`${model}-old`)).attempts.length === 2,
        'another attempt of the task that the restart has cost',
      );
      await reached(`${model}-old`, 'dispatched', 'running');
      worker.finishAll();
      expect(attemptStates(await reached(`${model}-old`, 'succeeded'))).toEqual(['lost', 'ended']);
    },
  );

  it('asks a reference worker that came back at once, and starts anew what it has lost', async () => {
    const first = await scenario.worker('restarted', 'restart');
    await submit('restart', 1_000);
    await reached('restart', 'dispatched', 'running');
    first.kill('SIGKILL');
    await first.ended();
    await scenario.worker('restarted', 'restart', '--port', new URL(first.url).port);
    const ended = await reached('restart', 'succeeded');
    expect(attemptStates(ended)).toEqual(['lost', 'ended']);
    expect(messages(ended)).toContain('does not have attempt 1');
  });

  it('runs a task again whose worker said "done" and was gone before it gave the result', async () => {
    const worker = await scenario.original({ model: 'gone', reporting: 'bare' });
    worker.hidesResults = true;
    await submit('gone', 50);
    await until(() => worker.replies.length === 2, 'the notification');
    await worker.crash();
    await scenario.original({ model: 'gone' });
    expect(attemptStates(await reached('gone', 'succeeded'))).toEqual(['lost', 'ended']);
  });

  it('finds an attempt lost whose confirmation a crash of the scheduler has cost', async () => {
    const worker = await scenario.worker('doubted', 'doubt');
    await until(async () => (await healthOf('doubted')) === 'online', 'the registration');
    await service.stop();
    service = await scenario.serve({ FORESAIL_CRASH_AT: 'dispatch:answered' });
    await Promise.all([
      submit('doubt', 1_500),
      until(() => service.hasEnded, 'the crash').then(async () => {
        service = await scenario.serve();
      }),
    ]);
    await reached('doubt', 'dispatched', 'running');
    worker.kill('SIGKILL');
    await worker.ended();
    await scenario.worker('doubted', 'doubt', '--port', new URL(worker.url).port);
    expect(attemptStates(await reached('doubt', 'succeeded'))).toEqual(['lost', 'ended']);
  });

  it('has kept every promise all the same', async () => {
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report('workers lost', figures);
    expect(faults).toEqual([]);
    expect(client.surprises).toEqual([]);
  });
});
