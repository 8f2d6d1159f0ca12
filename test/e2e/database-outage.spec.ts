import { startDurableCluster, type DurableCluster } from '../support/cluster';
import { databaseUrl } from '../support/database';
import type { LedgerClient, TestTask } from '../support/ledger-client';
import type { OriginalWorker } from '../support/original-worker';
import { PostgresProxy } from '../support/postgres-proxy';
import { report } from '../support/report';
import { QUICK, Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';
import { rowsOf } from '../support/verdict';

jest.setTimeout(120_000);

const LOST_MS = Number(QUICK.FORESAIL_LOST_MS);
/** Longer than it takes to lose a worker, and shorter than the lease lasts. */
const OUTAGE_MS = 4_000;
/** Patience with a recovery: PostgreSQL starts, the service notices. */
const RECOVERY_MS = 20_000;
/** A lease that ends during an outage. */
const SHORT_LEASE = {
  FORESAIL_LEASE_MS: '2000',
  FORESAIL_LEASE_RENEW_MS: '500',
  FORESAIL_LEASE_MARGIN_MS: '500',
};

describe('PostgreSQL away in the middle of the work', () => {
  let cluster: DurableCluster;
  let scenario: Scenario;
  let service: ServiceProcess;
  let client: LedgerClient;
  let desk: TaskDesk;
  let reporting: OriginalWorker;

  beforeAll(async () => {
    cluster = await startDurableCluster();
    scenario = await Scenario.begin({
      databaseUrl: await cluster.createDatabase('foresail_test_outage'),
    });
    service = await scenario.serve();
    client = await scenario.client();
    desk = new TaskDesk(client, () => service);
    await scenario.worker('reference', 'reference', '--replicas', '3', '--log-level', 'warn');
    reporting = await scenario.original({ model: 'reporting', replicas: 2 });
    await scenario.original({ model: 'silent', replicas: 2, reporting: 'never' });
    await scenario.registered(3);
  });

  afterAll(async () => {
    await scenario.close();
    await cluster.dispose();
  });

  /** Runs work while a client submits, and waits for the end of every task that it submitted. */
  async function underLoad(name: string, work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const load = client.submitAll({
      make: (n) => (isOver ? null : taskOf(`${name}-${n}`)),
      concurrency: 6,
      restMs: 60,
    });
    try {
      await work();
    } finally {
      isOver = true;
    }
    await load;
    expect(service.hasEnded).toBe(false);
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report(name, { ...figures, refused: client.refusals.get(503) });
    expect(faults).toEqual([]);
    expect(client.surprises).toEqual([]);
    expect(client.without).toEqual([]);
  }

  function taskOf(taskId: string): TestTask {
    const model = ['reference', 'reporting', 'silent'][taskId.length % 3] ?? 'reference';
    return { taskId, model, input: { taskId }, metadata: { service_ms: 80 } };
  }

  const refusals = (): number => client.refusals.get(503) ?? 0;

  /**
   * What has to hold while PostgreSQL is away: "not now" to whoever wants something recorded.
   * @param held a task at the worker `reporting`, which ends now
   */
  async function expectPatience(held: string): Promise<void> {
    const before = refusals();
    await until(() => refusals() > before, 'a submission that is refused');
    await until(async () => (await service.get('/health')).status === 503, 'bad health');
    reporting.finishAll();
    const body = { task_id: held, result: { is: 'there' } };
    const reply = await reporting.report('/result/submit', body);
    expect(reply).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]/) });
    expect((await service.get('/livez')).status).toBe(200);
  }

  /** A task that is at its worker when PostgreSQL goes, and ends while it is away. */
  async function holdTask(taskId: string): Promise<void> {
    await desk.submit({ model: 'reporting', taskId, serviceMs: ENDLESS_MS });
    await desk.atWorker(taskId);
  }

  const after = (since: number, ms: number): Promise<void> =>
    until(() => performance.now() - since > ms, `${ms} ms`);

  async function recovered(since: number): Promise<void> {
    const works = async (): Promise<boolean> => (await service.get('/health')).status === 200;
    await until(works, 'the recovery', RECOVERY_MS);
    report('works again after', { ms: Math.round(performance.now() - since) });
  }

  it('keeps every promise when it is killed, and nobody is lost for its sake', async () => {
    const doomed = await scenario.original({ model: 'doomed' });
    await desk.submit({ model: 'doomed', serviceMs: ENDLESS_MS });
    await desk.atWorker('doomed');
    let backAt = 0;
    await underLoad('killed', async () => {
      await holdTask('held-1');
      const since = performance.now();
      await cluster.kill();
      await doomed.goDeaf();
      await expectPatience('held-1');
      await after(since, OUTAGE_MS);
      await cluster.start();
      backAt = Date.now();
      await recovered(performance.now());
      await desk.reached('doomed', 'queued');
      doomed.finishAll(); // Its report is taken, as that of any lost attempt.
    });
    expect((await desk.task('held-1')).attempts).toMatchObject([{ state: 'ended' }]);
    const [lost] = await rowsOf<{ at: Date }>(
      scenario.databaseUrl,
      `SELECT e.at FROM task_events e JOIN tasks t ON t.id = e.task_id
        WHERE e.type = 'requeued' AND t.client_task_id = 'doomed'`,
    );
    expect(Number(lost?.at) - backAt).toBeGreaterThanOrEqual(LOST_MS);
    expect((await scenario.verdict()).lostAttempts).toBe(0);
  });

  it('bears that all its connections are cut, again and again', async () => {
    const cut = (): Promise<unknown> =>
      rowsOf(
        databaseUrl(scenario.databaseUrl, 'postgres'),
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`,
        ['foresail_test_outage'],
      );
    await underLoad('cut', async () => {
      for (let cuts = 0; cuts < 8; cuts += 1) {
        await cut();
        await recovered(performance.now());
        const { length } = await client.accepted();
        await until(async () => (await client.accepted()).length > length + 5, 'five more tasks');
      }
    });
  });

  it('leads again after an outage that its lease did not outlast', async () => {
    await service.stop();
    service = await scenario.serve(SHORT_LEASE);
    await underLoad('stopped', async () => {
      await holdTask('held-2');
      const since = performance.now();
      await cluster.stop();
      await expectPatience('held-2');
      await until(() => /term \d+ ended/.test(service.log), 'the end of the term');
      await after(since, OUTAGE_MS);
      await cluster.start();
      await recovered(performance.now());
    });
    expect((await desk.task('held-2')).attempts).toMatchObject([{ state: 'ended' }]);
    expect(service.log.match(/"msg":"leading"/g)).toHaveLength(2);
  });

  it('leads again after PostgreSQL has hung without a word', async () => {
    await service.stop();
    const proxy = await PostgresProxy.listen(scenario.databaseUrl);
    service = await scenario.serve({ ...SHORT_LEASE, DATABASE_URL: proxy.url });
    try {
      await underLoad('hung', async () => {
        await holdTask('held-3');
        proxy.hold();
        await expectPatience('held-3');
        await until(() => /term \d+ ended/.test(service.log), 'the end of the term');
        proxy.release();
        await recovered(performance.now());
      });
      expect((await desk.task('held-3')).attempts).toMatchObject([{ state: 'ended' }]);
      expect(service.log.match(/"msg":"leading"/g)).toHaveLength(2);
    } finally {
      await service.kill();
      await proxy.close();
    }
  });
});
