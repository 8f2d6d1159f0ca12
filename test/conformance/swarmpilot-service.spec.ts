import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConformanceRig } from '../support/conformance-rig';
import { PostgresProxy } from '../support/postgres-proxy';
import { until } from '../support/until';

jest.setTimeout(60_000);

const MANIFEST = readFileSync(resolve(__dirname, '../../package.json'), 'utf8');
const { version } = JSON.parse(MANIFEST) as { version: string };

const ON_OR_OFF = expect.stringMatching(/^(?:on|off)$/);
const SERVICE = { service: 'scheduler', version };
const HEALTHY = {
  ...SERVICE,
  status: 'healthy',
  details: {
    postgresql: {
      version: expect.stringMatching(/^\d+/),
      fsync: ON_OR_OFF,
      synchronous_commit: ON_OR_OFF,
      full_page_writes: ON_OR_OFF,
    },
  },
};

describe('POST /scheduler/set', () => {
  let rig: ConformanceRig;

  beforeAll(async () => {
    rig = await ConformanceRig.start();
  });
  afterAll(() => rig.close());

  const set = (name: string, model?: string) =>
    rig.post('/scheduler/set', { name, ...(model === undefined ? {} : { model_name: model }) });
  const strategies = async (): Promise<Record<string, string>> => {
    const { queues } = (await rig.get('/v1/queues')).body as {
      queues: { model: string; strategy: string }[];
    };
    return Object.fromEntries(queues.map(({ model, strategy }) => [model, strategy]));
  };

  it.each(['shortest_queue', 'round_robin', 'weighted', 'probabilistic', 'earliest'])(
    'takes %s',
    async (name) => {
      const { status, headers, body } = await set(name);
      expect([status, body]).toEqual([200, { status: 'success', message: 'OK' }]);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
    },
  );

  it.each(['fastest', 'EARLIEST', 'constructor', '__proto__', 'toString', ' earliest'])(
    'answers 200 with an error for the unknown name %j, lists the valid ones, and changes nothing',
    async (name) => {
      const before = await rig.rows();
      const { status, body } = await set(name);
      const valid =
        'earliest, shortest_queue, round_robin, weighted, probabilistic, least_loaded, best_fit';
      const message = `unknown strategy ${JSON.stringify(name)}; valid: ${valid}`;
      expect([status, body]).toEqual([200, { status: 'error', message }]);
      expect(await rig.rows()).toEqual(before);
    },
  );

  it('takes effect on the next placement, for one model or all others, and survives a restart', async () => {
    await rig.registered({ model: 'one' });
    await rig.registered({ model: 'two' });
    await set('round_robin');
    await set('weighted', 'one');
    expect(await strategies()).toEqual({ one: 'weighted', two: 'round_robin' });
    await set('probabilistic');
    expect(await strategies()).toEqual({ one: 'weighted', two: 'probabilistic' });
    await rig.restart();
    expect(await strategies()).toEqual({ one: 'weighted', two: 'probabilistic' });
    await rig.registered({ model: 'three' });
    expect(await strategies()).toMatchObject({ three: 'probabilistic' });
  });

  it('places in turn with round_robin', async () => {
    const ids = [];
    for (let n = 0; n < 3; n += 1) {
      ids.push((await rig.registered({ model: 'turns', slots: 10 }))[1]);
    }
    await set('round_robin', 'turns');
    const places = [];
    for (let n = 0; n < 6; n += 1) {
      places.push((await rig.submit(`turn-${n}`, { model_name: 'turns' })).scheduled_ti);
    }
    expect(new Set(places.slice(0, 3))).toEqual(new Set(ids));
    expect(places.slice(3)).toEqual(places.slice(0, 3));
  });
});

describe('POST /scheduler/predict_mode', () => {
  let rig: ConformanceRig;

  beforeAll(async () => {
    rig = await ConformanceRig.start();
  });
  afterAll(() => rig.close());

  const set = (mode: string) => rig.post('/scheduler/predict_mode', { mode });
  const mode = async (): Promise<unknown> =>
    ((await rig.get('/predictor/health')).body as { mode: unknown }).mode;

  it.each(['lookup_table', 'default'])('takes %s', async (name) => {
    const { status, headers, body } = await set(name);
    expect([status, body]).toEqual([200, { status: 'success', message: 'OK' }]);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(await mode()).toBe(name);
  });

  it.each(['oracle', 'DEFAULT', 'constructor', '__proto__', ' default'])(
    'answers 200 with an error for the unknown mode %j, lists the valid ones, and changes nothing',
    async (name) => {
      const before = await rig.rows();
      const { status, body } = await set(name);
      const message = `unknown mode ${JSON.stringify(name)}; valid: default, lookup_table`;
      expect([status, body]).toEqual([200, { status: 'error', message }]);
      expect(await rig.rows()).toEqual(before);
    },
  );

  it('survives a restart', async () => {
    expect(await mode()).toBe('default');
    await set('lookup_table');
    await rig.restart();
    expect(await mode()).toBe('lookup_table');
  });
});

describe('a full queue', () => {
  let rig: ConformanceRig;

  beforeAll(async () => {
    rig = await ConformanceRig.start({ FORESAIL_QUEUE_LIMIT: '2' });
  });
  afterAll(() => rig.close());

  it('refuses with 429 and Retry-After, keeps nothing of it, and takes again later', async () => {
    const [instance] = await rig.registered();
    const accepted: string[] = [];
    // One runs, one may be sent ahead, two wait.
    for (let n = 0; n < 4; n += 1) {
      await rig.submit(`q${n}`);
      accepted.push(`q${n}`);
    }
    const before = await rig.rows();
    const task = { model_name: 'm', task_input: {}, task_id: 'too-much' };
    const { status, headers, body } = await rig.post('/queue/submit', task);
    const message = '2 tasks wait for model "m"; the limit of its queue is 2';
    expect([status, body]).toEqual([429, { status: 'error', message, detail: message }]);
    expect(headers['retry-after']).toBe('1');
    expect(await rig.rows()).toEqual(before);
    expect((await rig.get('/task/query?task_id=too-much')).status).toBe(404);
    expect(await rig.submit('q3')).toMatchObject({ task_id: 'q3' });
    for (const [n, taskId] of accepted.entries()) {
      await until(() => instance.given.length > n, `${taskId} to be sent`);
      instance.finish(instance.given[n]?.remoteId ?? '', {});
      await rig.completed(taskId);
    }
    await rig.submit('too-much');
  });
});

describe('an instance that is silent', () => {
  let rig: ConformanceRig;

  beforeAll(async () => {
    rig = await ConformanceRig.start({
      FORESAIL_STATUS_POLL_MS: '100',
      FORESAIL_SUSPECT_MS: '1500',
      FORESAIL_LOST_MS: '4500',
    });
  });
  afterAll(() => rig.close());

  it('still has tasks planned on it, suspect or lost, and gets them when it is back', async () => {
    const [instance, id] = await rig.registered({ slots: 10 });
    instance.silent = true;
    const healthBecomes = (health: string): Promise<void> =>
      until(
        async () => (await rig.get('/v1/instances')).body.instances[0].health === health,
        `the instance to be ${health}`,
      );
    for (const health of ['suspect', 'lost']) {
      await healthBecomes(health);
      expect(await rig.submit(health)).toEqual({
        status: 'success',
        task_id: health,
        scheduled_ti: id,
      });
      expect(await rig.query(health)).toMatchObject({ task_status: 'queued', scheduled_ti: id });
    }
    expect(instance.given).toEqual([]);
    instance.silent = false;
    await healthBecomes('online');
    await until(() => instance.given.length === 2, 'both tasks to be sent');
  });
});

describe('GET /health', () => {
  let rig: ConformanceRig;
  let proxy: PostgresProxy;

  beforeAll(async () => {
    const shortTerms = {
      FORESAIL_LEASE_MS: '1500',
      FORESAIL_LEASE_RENEW_MS: '300',
      FORESAIL_LEASE_MARGIN_MS: '300',
      FORESAIL_STANDBY_POLL_MS: '100',
    };
    rig = await ConformanceRig.start(shortTerms, async (url) => {
      proxy = await PostgresProxy.listen(url);
      return proxy.url;
    });
  });
  afterAll(async () => {
    proxy.admit();
    await rig.close();
    await proxy.close();
  });

  it('is healthy, and says which version this is', async () => {
    const { status, headers, body } = await rig.get('/health');
    expect([status, body]).toEqual([200, HEALTHY]);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  const expectUnhealthy = async (reason: RegExp): Promise<void> => {
    const { status, headers, body } = await rig.get('/health');
    const text = expect.stringMatching(reason);
    const unhealthy = { ...SERVICE, status: 'unhealthy', reason: text };
    expect([status, body]).toEqual([503, { ...unhealthy, message: text, detail: text }]);
    expect(headers['retry-after']).toBe('1');
    expect((await rig.get('/livez')).body).toBe('ok');
    const ready = await rig.get('/readyz');
    expect([ready.status, ready.body.detail]).toEqual([503, text]);
    expect((await rig.get('/version')).status).toBe(200);
  };

  it('is unhealthy with 503 and the reason while the database is gone, and recovers', async () => {
    const [{ name }] = await rig.registered();
    await rig.submit('before');
    proxy.refuse();
    await expectUnhealthy(/database|recorded|lead/);

    const task = { model_name: 'm', task_input: {}, task_id: 'meanwhile' };
    const refused = await rig.post('/queue/submit', task);
    expect([refused.status, refused.body]).toEqual([
      503,
      { status: 'error', message: expect.any(String), detail: refused.body.message },
    ]);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    const report = { task_id: 'before', instance_id: name, execution_time: 1, result: {} };
    const unrecorded = await rig.post('/result/submit', report);
    expect(unrecorded).toMatchObject({ status: 503, body: { status: 'error' } });
    expect(unrecorded.headers['retry-after']).toMatch(/^\d+$/);

    // In time the lease is lost too, and with it the application of this term.
    await until(
      async () => String((await rig.get('/health')).body.reason).includes('lead'),
      'the loss of the lease',
    );
    await expectUnhealthy(/lead/);
    expect((await rig.post('/queue/submit', task)).status).toBe(503);

    proxy.admit();
    await until(async () => (await rig.get('/health')).status === 200, 'health', 30_000);
    expect((await rig.get('/health')).body).toEqual(HEALTHY);
    await rig.submit('meanwhile');
    expect((await rig.query('before')).task_id).toBe('before');
  });
});
