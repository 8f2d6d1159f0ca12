import type { LedgerClient, TestTask } from '../support/ledger-client';
import { report } from '../support/report';
import { QUICK, Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { until } from '../support/until';
import { rowsOf } from '../support/verdict';
import { VirtualAddress } from '../support/virtual-address';

jest.setTimeout(180_000);

/**
 * Patience with a takeover, in ms. On an idle machine it takes up to 2 s after a resignation, and up
 * to 15 s after a crash (RELIABILITY_MODEL, section 6); the times measured are reported.
 */
const AFTER_RESIGNATION_MS = 15_000;
const AFTER_A_CRASH_MS = 30_000;

const LONG_MS = 4_000;

/** What the one that takes over says when the lease was not resigned. */
const LEFT_BY_A_DEAD_PROCESS = 'took the lease over from a dead process';

const LED_BY_ANOTHER = 'this process does not lead: another process leads this database';

describe('two services on one database', () => {
  let scenario: Scenario;
  let leader: ServiceProcess;
  let standby: ServiceProcess;
  let address: VirtualAddress;
  let client: LedgerClient;
  let load: Promise<number>;
  let isOver = false;

  beforeAll(async () => {
    scenario = await Scenario.begin({ env: { ...QUICK, FORESAIL_LOST_MS: '20000' } });
    leader = await scenario.serve();
    address = await VirtualAddress.listen(leader.port);
    const flags = ['--replicas', '4', '--log-level', 'warn', '--scheduler', address.url];
    await scenario.worker('w1', 'm', ...flags);
    await scenario.worker('w2', 'm', ...flags);
    await scenario.registered(2);
    standby = await scenario.serveAt(0);
    client = await scenario.client(() => [leader.url, standby.url]);
    load = client.submitAll({
      make: (n) => (isOver ? null : taskOf(`short-${n}`, 50)),
      concurrency: 4,
      restMs: 60,
    });
  });

  afterAll(async () => {
    await scenario.close();
    await address.close();
  });

  const taskOf = (taskId: string, serviceMs: number): TestTask => ({
    taskId,
    model: 'm',
    input: { taskId },
    metadata: { service_ms: serviceMs },
  });

  /** Puts a task at a worker that will be there for longer than the change of leaders takes. */
  async function occupyWorker(taskId: string): Promise<void> {
    await client.submit(taskOf(taskId, LONG_MS));
    const isThere = async (): Promise<boolean> => {
      const { body } = await leader.get(`/task/query?task_id=${taskId}`);
      return body.task_status === 'scheduled';
    };
    await until(isThere, `${taskId} at a worker`);
  }

  /** Waits until the standby takes a task in. @returns how long that took from `since`, in ms */
  async function takeover(
    taskId: string,
    since: number,
    patienceMs = AFTER_A_CRASH_MS,
  ): Promise<number> {
    const { model, input, metadata } = taskOf(taskId, 50);
    const body = { model_name: model, task_id: taskId, task_input: input, metadata };
    const accepts = async (): Promise<boolean> =>
      (await standby.post('/queue/submit', body)).status === 200;
    await until(accepts, 'the takeover', patienceMs);
    const tookMs = Math.round(performance.now() - since);
    address.pointTo(standby.port);
    await client.submit(taskOf(taskId, 50)); // For the ledger: it answers as the first time.
    return tookMs;
  }

  /** The one that leads now, and a new standby in the place of the one that went. */
  async function changeRoles(): Promise<void> {
    const { port } = leader;
    [leader, standby] = [standby, await scenario.serveAt(port)];
  }

  it('answers 503 and when to come back, in the words of each dialect, while it stands by', async () => {
    const failure = { status: 'error', message: expect.any(String), detail: expect.any(String) };
    const calls: readonly [method: string, path: string, body: object][] = [
      ['POST', '/ti/register', failure],
      ['POST', '/ti/remove', failure],
      ['POST', '/queue/submit', failure],
      ['GET', '/queue/info', failure],
      ['GET', '/task/query?task_id=x', failure],
      ['POST', '/notify/task_complete', failure],
      ['POST', '/result/submit', failure],
      ['POST', '/scheduler/set', failure],
      ['GET', '/health', { status: 'unhealthy', service: 'scheduler', reason: expect.any(String) }],
      ['GET', '/v1/tasks/x', { status: 503, title: expect.any(String) }],
      ['GET', '/docs', { status: 503 }],
      ['GET', '/openapi.json', { status: 503 }],
      ['GET', '/', { status: 503 }],
      ['GET', '/readyz', { code: 'not_leading', detail: LED_BY_ANOTHER }],
      ['PUT', '/no/such/path', { status: 503 }],
    ];
    for (const [method, path, body] of calls) {
      const answer = await standby.send(method, path, method === 'GET' ? undefined : '{}');
      expect([path, answer]).toEqual([
        path,
        {
          status: 503,
          headers: expect.objectContaining({ 'retry-after': expect.stringMatching(/^[1-9]\d*$/) }),
          body: expect.objectContaining(body),
        },
      ]);
    }
    expect(await standby.get('/livez')).toMatchObject({ status: 200, body: 'ok' });
    const version = { name: 'foresail', node: process.version };
    expect(await standby.get('/version')).toMatchObject({ status: 200, body: version });
  });

  it('takes over when the leader is stopped, which resigns', async () => {
    await occupyWorker('long-1');
    const since = performance.now();
    const stopped = leader.stop();
    const tookMs = await takeover('after-sigterm', since, AFTER_RESIGNATION_MS);
    expect(await stopped).toBe(0);
    report('takeover after SIGTERM', { ms: tookMs });
    expect(standby.log).not.toContain(LEFT_BY_A_DEAD_PROCESS);
    await changeRoles();
  });

  it('takes over when the leader is killed, at once where its death can be seen', async () => {
    await occupyWorker('long-2');
    const since = performance.now();
    await leader.kill();
    const tookMs = await takeover('after-sigkill', since);
    report('takeover after SIGKILL', { ms: tookMs });
    expect(standby.log).toContain(LEFT_BY_A_DEAD_PROCESS);
    await changeRoles();
  });

  it('takes over when the leader is paused, which writes nothing when it goes on', async () => {
    await occupyWorker('long-3');
    const since = performance.now();
    leader.child.kill('SIGSTOP');
    // The system takes these requests in for a process that will read them in its next life.
    const late = [1, 2, 3].map((n) =>
      leader.post('/queue/submit', {
        model_name: 'm',
        task_id: `too-late-${n}`,
        task_input: {},
        metadata: {},
      }),
    );
    const tookMs = await takeover('after-sigstop', since);
    report('takeover after SIGSTOP', { ms: tookMs });

    leader.child.kill('SIGCONT');
    for (const { status, headers } of await Promise.all(late)) {
      expect([status, headers['retry-after']]).toEqual([503, expect.any(String)]);
    }
    await until(() => leader.log.includes('leadership is lost'), 'the end of the paused term');
    await until(
      async () => (await leader.get('/livez')).status === 200 && (await refusesAll(leader)),
      'the paused leader as a standby',
    );
    expect(leader.hasEnded).toBe(false);
    const written = await rowsOf(
      scenario.databaseUrl,
      `SELECT id FROM tasks WHERE client_task_id LIKE 'too-late-%'`,
    );
    expect(written).toEqual([]);
  });

  it('has lost nothing and recorded nothing twice, and what was at workers went on', async () => {
    isOver = true;
    await load;
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report('failover', figures);
    expect(faults).toEqual([]);
    expect(client.surprises).toEqual([]);
    expect(client.without).toEqual([]);
    const long = await rowsOf(
      scenario.databaseUrl,
      `SELECT client_task_id, attempt_no, state FROM tasks
        WHERE client_task_id LIKE 'long-%' ORDER BY client_task_id`,
    );
    const ended = { attempt_no: 1, state: 'succeeded' };
    expect(long).toEqual([1, 2, 3].map((n) => ({ client_task_id: `long-${n}`, ...ended })));
  });
});

async function refusesAll(service: ServiceProcess): Promise<boolean> {
  return (await service.get('/queue/info')).status === 503;
}
