import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { PostgresProxy } from '../support/postgres-proxy';
import { Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { until } from '../support/until';
import { rowsOf, violationsIn } from '../support/verdict';

jest.setTimeout(180_000);

/** Silence makes a worker suspicious and offline soon; a placement lands within a second. */
const SHORT = {
  FORESAIL_STATUS_POLL_MS: '400',
  FORESAIL_SUSPECT_MS: '2000',
  FORESAIL_LOST_MS: '4000',
  FORESAIL_WORKER_LANDING_MS: '1000',
};

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

describe('placements', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let clock = 0;
  /** They share a service, and do not see each other: what a test names has its number before it. */
  let test = 0;
  const own = (name: string): string => `${test}-${name}`;

  beforeAll(async () => {
    scenario = await Scenario.begin({ env: SHORT });
    service = await scenario.serve();
  });
  beforeEach(() => {
    test += 1;
  });
  afterAll(() => scenario.close());

  const post = async (call: string, body: object, signal?: AbortSignal): Promise<Answer> => {
    const answer = await request(`${scenario.url}/api/v1/${call}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Answer['body'] };
  };
  const schedule = (taskId: string, more: object = {}, signal?: AbortSignal): Promise<Answer> =>
    post('schedule', { task_id: own(taskId), required_tags: [own('')], ...more }, signal);
  const heartbeatOf = (id: string, maxTasks: number, more: object): object => ({
    worker_id: own(id),
    address: `${own(id)}:9000`,
    resource_tags: [own('')],
    max_tasks: maxTasks,
    current_tasks: 0,
    timestamp: ++clock,
    ...more,
  });
  const heartbeat = async (id: string, maxTasks: number, more: object = {}): Promise<void> => {
    const said = await post('heartbeat', heartbeatOf(id, maxTasks, more));
    expect(said).toEqual({ status: 200, body: { status: 'ok' } });
  };
  const release = (taskId: string): Promise<Answer> => post('release', { task_id: own(taskId) });
  const workerOf = ({ body }: Answer): unknown => body['worker_id'];
  const statusOf = async (id: string): Promise<string | undefined> => {
    const { body } = await request(`${scenario.url}/api/v1/workers`);
    const list = (await body.json()) as { WorkerID: string; Status: string }[];
    return list.find(({ WorkerID }) => WorkerID === own(id))?.Status;
  };
  const stateOf = async (taskId: string): Promise<string | undefined> => {
    const rows = await rowsOf<{ state: string }>(
      scenario.databaseUrl,
      'SELECT state FROM tasks WHERE client_task_id = $1 ORDER BY submitted_at DESC LIMIT 1',
      [own(taskId)],
    );
    return rows[0]?.state;
  };
  /** How many clients stand in line. */
  const waiting = async (count: number): Promise<void> => {
    const figure = `foresail_placements_waiting ${count}`;
    await until(async () => {
      const { body } = await request(`${scenario.url}/metrics`);
      return (await body.text()).includes(figure);
    }, `${count} clients to wait`);
  };

  it('outlive a kill -9, at the same worker, which gets nothing before it is heard', async () => {
    await heartbeat('w1', 2);
    const first = await schedule('a');
    expect(first).toMatchObject({
      status: 200,
      body: { worker_id: own('w1'), address: `${own('w1')}:9000` },
    });
    await service.kill();
    service = await scenario.serve();
    expect(await statusOf('w1')).toBe('suspicious');
    expect(await schedule('b')).toMatchObject({ status: 503 });
    expect(workerOf(await schedule('a'))).toBe(own('w1'));
    await heartbeat('w1', 2, { current_tasks: 1, task_ids: [own('a')] });
    expect(workerOf(await schedule('b'))).toBe(own('w1'));
    expect((await schedule('c')).status).toBe(503);
    expect(await stateOf('c')).toBeUndefined();
    expect(await violationsIn(scenario.databaseUrl)).toEqual([]);
  });

  it('end with the silence of their worker, and go elsewhere when they are asked for again', async () => {
    await heartbeat('w1', 2);
    await schedule('a');
    await until(async () => (await statusOf('w1')) === 'suspicious', 'the worker to be suspicious');
    expect((await schedule('b')).status).toBe(503);
    expect(await stateOf('a')).toBe('dispatched');
    await until(async () => (await statusOf('w1')) === 'offline', 'the worker to be offline');
    await until(async () => (await stateOf('a')) === 'released', 'the placement to end');
    await heartbeat('w2', 2);
    expect(workerOf(await schedule('a'))).toBe(own('w2'));
    await heartbeat('w1', 2);
    expect(await statusOf('w1')).toBe('online');
    await service.hasLogged(new RegExp(`worker ${own('w1')} is online`));
    const said = service.log.split('\n').filter((line) => line.includes(`worker ${own('w1')} is`));
    expect(said.map((line) => /is (\w+)/.exec(line)?.[1])).toEqual(['suspect', 'lost', 'online']);
  });

  it('go where their worker says that it is, and a change of that is told', async () => {
    await heartbeat('w1', 2);
    await heartbeat('w1', 2, { address: '10.0.0.7:1' });
    await heartbeat('w1', 2, { address: '10.0.0.7:1' });
    expect((await schedule('a')).body).toEqual({ worker_id: own('w1'), address: '10.0.0.7:1' });
    const moved = `worker ${own('w1')} is at 10.0.0.7:1, and was at ${own('w1')}:9000`;
    await service.hasLogged(new RegExp(moved));
    expect(service.log.split(moved)).toHaveLength(2);
  });

  it('end with their worker also when they are more than the journal takes at once', async () => {
    const MANY = 17_500;
    let sent = 0;
    await heartbeat('w1', 2 * MANY);
    const client = async (): Promise<void> => {
      while (sent < MANY) {
        const n = (sent += 1);
        expect((await schedule(`many-${n}`)).status).toBe(200);
      }
    };
    const worker = async (): Promise<void> => {
      while (sent < MANY) {
        await heartbeat('w1', 2 * MANY);
        await sleep(300);
      }
    };
    await Promise.all([worker(), ...Array.from({ length: 32 }, client)]);
    const live = async (): Promise<number> => {
      const text = `SELECT count(*)::int AS n FROM tasks WHERE client_task_id LIKE $1 AND finished_at IS NULL`;
      const values = [`${own('many')}%`];
      return (await rowsOf<{ n: number }>(scenario.databaseUrl, text, values))[0]?.n ?? -1;
    };
    expect(await live()).toBe(MANY);
    await until(async () => (await live()) === 0, 'the placements to end', 90_000);
    expect(service.log).not.toMatch(/term \d+ ended/);
    expect(await violationsIn(scenario.databaseUrl)).toEqual([]);
  });

  it('are not given to a worker that says goodbye, which is then forgotten', async () => {
    await heartbeat('w1', 2);
    await heartbeat('w1', 2, { leaving: true });
    expect((await schedule('a')).status).toBe(503);
    await until(async () => (await statusOf('w1')) === undefined, 'the worker to be forgotten');
    await heartbeat('w1', 2);
    expect(workerOf(await schedule('a'))).toBe(own('w1'));
  });

  it('are waited for in line, by priority and then by age', async () => {
    await heartbeat('w1', 1);
    await schedule('first');
    const order: string[] = [];
    const wait = async (id: string, priority: number): Promise<void> => {
      const { status } = await schedule(id, { priority, wait_ms: 60_000 });
      order.push(`${id} ${status}`);
    };
    const all: Promise<void>[] = [];
    for (const [id, priority] of [
      ['old', 0],
      ['young', 0],
      ['urgent', 5],
    ] as const) {
      all.push(wait(id, priority));
      await waiting(all.length);
    }
    expect((await schedule('hasty')).status).toBe(503);
    for (const [n, last] of ['first', 'urgent', 'old'].entries()) {
      expect(await release(last)).toMatchObject({ body: { released: true } });
      // Its count would go on including what is over: this one names what it has.
      await heartbeat('w1', 1, { task_ids: [] });
      await until(() => order.length === n + 1, 'the next one to be served');
    }
    await Promise.all(all);
    expect(order).toEqual(['urgent 200', 'old 200', 'young 200']);
  });

  it('are not made for a client that has gone, or has waited long enough', async () => {
    await heartbeat('w1', 1);
    await schedule('a');
    expect(await schedule('b', { wait_ms: 200 })).toEqual({
      status: 503,
      body: { error: 'no available worker matching requirements' },
    });
    const gone = new AbortController();
    const left = schedule('c', { wait_ms: 60_000 }, gone.signal);
    await waiting(1);
    gone.abort();
    await expect(left).rejects.toThrow();
    await waiting(0);
    await release('a');
    await heartbeat('w1', 1, { task_ids: [] });
    expect(workerOf(await schedule('d'))).toBe(own('w1'));
    expect([await stateOf('b'), await stateOf('c')]).toEqual([undefined, undefined]);
  });

  it('show in the history, and can be cancelled there', async () => {
    await heartbeat('w1', 1);
    await schedule('a');
    const task = await request(`${scenario.url}/v1/tasks/${own('a')}`);
    expect(await task.body.json()).toMatchObject({ kind: 'placement', state: 'dispatched' });
    const cancelled = await request(`${scenario.url}/v1/tasks/${own('a')}/cancel`, {
      method: 'POST',
    });
    expect([cancelled.statusCode, await cancelled.body.json()]).toMatchObject([
      200,
      { kind: 'placement', state: 'released' },
    ]);
    const list = await request(`${scenario.url}/v1/instances`);
    const { instances } = (await list.body.json()) as { instances: { name: string }[] };
    expect(instances.filter(({ name }) => name === own('w1'))).toMatchObject([
      { kind: 'worker', host: `${own('w1')}:9000`, tags: [own('')] },
    ]);
  });

  it('do not keep a scheduler that stops from stopping', async () => {
    const left = schedule('a', { wait_ms: 120_000 });
    await waiting(1);
    const stopped = service.stop();
    expect(await left).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('stop') },
    });
    expect(await stopped).toBe(0);
  });

  it('end when they are past their retention', async () => {
    await service.stop();
    service = await scenario.serve({ FORESAIL_PLACEMENT_RETENTION_MS: '1500' });
    await heartbeat('w1', 1);
    await schedule('a');
    const beating = setInterval(() => void heartbeat('w1', 1), 500);
    try {
      await until(async () => (await stateOf('a')) === 'released', 'the placement to end');
      await until(async () => (await schedule('b')).status === 200, 'its place to be free');
      const ends = await rowsOf(
        scenario.databaseUrl,
        `SELECT e.message FROM task_events e JOIN tasks t ON t.id = e.task_id
          WHERE t.client_task_id = $1 AND e.type = 'released'`,
        [own('a')],
      );
      expect(ends).toEqual([{ message: 'its retention is over' }]);
    } finally {
      clearInterval(beating);
    }
  });

  it('wait out an outage of the database, in which nobody is declared offline', async () => {
    const proxy = await PostgresProxy.listen(scenario.databaseUrl);
    try {
      const lease = { FORESAIL_LEASE_MS: '30000' };
      await service.stop();
      service = await scenario.serve({ DATABASE_URL: proxy.url, ...lease });
      await heartbeat('w1', 4);
      await heartbeat('silent', 4);
      await schedule('a');
      const away = performance.now();
      proxy.refuse();
      await until(async () => (await schedule('b')).status === 503, 'the outage to be seen');
      await until(() => performance.now() - away > 5_000, 'the outage to be longer than patience');
      await heartbeat('w1', 4, { current_tasks: 1 });
      proxy.admit();
      await until(async () => {
        await post('heartbeat', heartbeatOf('w1', 4, { current_tasks: 1 }));
        return (await schedule('b')).status === 200;
      }, 'placements to be made again');
      expect(service.log).not.toContain(`worker ${own('w1')} is lost`);
      expect(await stateOf('a')).toBe('dispatched');
      expect(await violationsIn(scenario.databaseUrl)).toEqual([]);
    } finally {
      await proxy.close();
    }
  });
});
