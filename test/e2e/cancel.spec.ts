import type { LedgerClient } from '../support/ledger-client';
import { Scenario } from '../support/scenario';
import type { Answer, ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';

jest.setTimeout(120_000);

describe('cancelling', () => {
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

  const cancel = (id: string, reason?: string): Promise<Answer> =>
    service.post(`/v1/tasks/${id}/cancel`, reason === undefined ? {} : { reason });
  const occupied = async (name: string): Promise<unknown> => (await desk.instance(name))?.occupied;

  it('counts the slot until the worker is through, and lets the late result change nothing', async () => {
    await scenario.worker('patient', 'run');
    // Once it has reported by itself, nothing is sent ahead of its slot.
    await desk.submit({ model: 'run', taskId: 'before' });
    await desk.reached('before', 'succeeded');
    await desk.submit({ model: 'run', serviceMs: 2_000, ending: 'cancelled' });
    await desk.atWorker('run');
    await desk.submit({ model: 'run', taskId: 'next', serviceMs: 20 });

    const { status, body } = await cancel('run', 'not needed');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'cancelled',
      result: null,
      attempts: [{ state: 'abandoned', ended_at: null }],
    });
    const said = (body.events as { message: string }[]).at(-1);
    expect(said?.message).toBe('cancelled by 127.0.0.1: not needed');
    expect(await occupied('patient')).toBe(1);
    expect((await desk.task('next')).state).toBe('queued');

    await desk.reached('next', 'succeeded');
    await desk.attemptsOf('run', 'ended');
    const { events, attempts, ...after } = await desk.task('run');
    expect((events as { type: string }[]).at(-1)?.type).toBe('attempt_ended');
    expect(attempts).toHaveLength(1);
    expect(after).toMatchObject({ state: 'cancelled', result: null });
    expect(after.finished_at).toBe(body.finished_at);
    await until(async () => (await occupied('patient')) === 0, 'a free slot');
  });

  it('is kept over a restart while the worker still has the task', async () => {
    const worker = await scenario.original({ model: 'restart' });
    await desk.submit({ model: 'restart', serviceMs: ENDLESS_MS, ending: 'cancelled' });
    await desk.atWorker('restart');
    expect((await cancel('restart')).status).toBe(200);
    await service.kill();
    service = await scenario.serve();
    expect((await desk.task('restart')).state).toBe('cancelled');
    expect(await occupied(worker.name)).toBe(1);
    worker.finishAll();
    await until(async () => (await occupied(worker.name)) === 0, 'a free slot');
    expect((await desk.task('restart')).state).toBe('cancelled');
  });

  it('does not undo what came before it, in a race with the end of the task', async () => {
    await scenario.worker('quick', 'race', '--replicas', '2');
    await desk.instanceIs('quick', 'online');
    const names = Array.from({ length: 30 }, (_, n) => `race-${n}`);
    const statuses = await Promise.all(
      names.map(async (taskId, n) => {
        await service.post('/queue/submit', {
          model_name: 'race',
          task_id: taskId,
          task_input: {},
          metadata: { service_ms: 5 + (n % 6) },
        });
        const { status, body } = await cancel(taskId);
        if (status === 409) expect(body.detail).toMatch(/is succeeded: it has ended/);
        return status;
      }),
    );
    for (const [n, status] of statuses.entries()) {
      expect([200, 409]).toContain(status);
      const { state, events } = await desk.task(names[n]!);
      expect(state).toBe(status === 200 ? 'cancelled' : 'succeeded');
      const ends = (events as { to: string }[]).filter(({ to }) => to === state);
      expect(ends).toHaveLength(1);
    }
    await scenario.settled();
  });
});
