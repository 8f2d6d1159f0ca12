import { Logger } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { AlertMetrics } from '../../src/alerts/alert-metrics';
import { AlertSender, MOST_TRIES, pauseAfter } from '../../src/alerts/alert-sender';
import { AlertsService } from '../../src/alerts/alerts.service';
import { Webhook } from '../../src/alerts/webhook';
import { loadConfig } from '../../src/config/load-config';
import type { Instance } from '../../src/core/instance';
import { systemIds } from '../../src/ops/system';
import { ANY_ADDRESS } from '../../src/outgoing/outgoing-address';
import { AlertsRepository, type StoredAlert } from '../../src/persistence/alerts.repository';
import { createDataSource } from '../../src/persistence/data-source';
import { fleetRig, instanceDraftOf } from '../support/builders';
import { freshDatabase, type TestDatabase } from '../support/database';
import { FakeClock } from '../support/fake-clock';
import { until } from '../support/until';
import { json, WorkerStub } from '../support/worker-stub';

const SECRET = 'sixteen-characters-or-more';
const HOST = '01900000-0000-7000-8000-00000000000a';
const INSTANCE = '01900000-0000-7000-8000-00000000000b';

beforeAll(() => {
  Logger.overrideLogger(false);
});

let database: TestDatabase;
let client: Client;
let source: DataSource;
let term: { epoch: number; end: () => void };
let repository: AlertsRepository;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await freshDatabase();
  client = new Client({ connectionString: database.url, application_name: 'tests' });
  await client.connect();
  source = await createDataSource(database.url, { poolSize: 4 }).initialize();
  await client.query('UPDATE leadership SET epoch = 1');
  term = { epoch: 1, end: () => undefined };
  repository = new AlertsRepository(source, term);
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await source.destroy();
  await client.end();
  await database.drop();
});

/** A job that has ended so, as the journal would have written it. @returns its id */
async function ended(
  n: number,
  { state = 'failed', kind = 'batch' }: { state?: string; kind?: string } = {},
): Promise<string> {
  const id = `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
  await client.query(
    `INSERT INTO instances (id, kind, queue_kind, queue_name, host, port, name, protocol,
                            registration, registered_at, slots, cpu, memory_gb)
     VALUES ($1, 'host', 'batch', 'default', 'h1', 0, 'h1', 'enqueue', 1, now(), 1, 1, 1)
     ON CONFLICT DO NOTHING`,
    [HOST],
  );
  await client.query(
    `INSERT INTO tasks (id, kind, queue_name, priority, state, attempt_no, event_seq, task_input,
                        metadata, result, payload_bytes, prediction_method, prediction_levels,
                        prediction_quantiles, max_attempts, attempt_timeout_ms, demand_slots,
                        demand_cpu, demand_memory_gb, demand_gpu_memory_gb, submitted_at, epoch,
                        updated_at, finished_at, failure_kind, stop_reason)
     VALUES ($1, $2, 'default', 0, $3, 1, 2, '{}', '{"owner":"ana","project":"chip"}',
             '{"exit_code":2}', 10, 'default', '{0.5}', '{1}', 3, 1000, 1, 0, 0, 0, now(), 1, now(),
             now(), CASE $3 WHEN 'failed' THEN 'exit' END,
             CASE $3 WHEN 'timed_out' THEN 'timed_out' END)`,
    [id, kind, state],
  );
  await client.query(
    `INSERT INTO task_events (task_id, seq, type, from_state, to_state, attempt_no, instance_id, at,
                              message, epoch)
     VALUES ($1, 2, $2, CASE $2 WHEN 'failed' THEN 'running' ELSE 'stopping' END, $2, 1, $3, now(),
             'exit code 2', 1)`,
    [id, state, HOST],
  );
  return id;
}

interface Rig {
  readonly alerts: AlertsService;
  readonly sender: AlertSender;
  readonly clock: FakeClock;
  readonly registry: Registry;
  readonly host: Instance;
  readonly fleet: ReturnType<typeof fleetRig>['fleet'];
}

/** What a term has, its clock standing still; chance says how much of each pause is waited. */
function termOf(urls: readonly string[], env: Record<string, string> = {}, chance = 0): Rig {
  const { fleet, clock } = fleetRig();
  const registry = new Registry();
  const metrics = new AlertMetrics(registry);
  const webhooks = urls.map(
    (url) => new Webhook({ url, secret: SECRET, addressRule: ANY_ADDRESS }),
  );
  const random = { next: () => chance };
  const sender = new AlertSender(repository, metrics, webhooks, clock, random);
  const config = loadConfig({ env });
  const alerts = new AlertsService(repository, sender, metrics, fleet, config, clock, systemIds);
  ends.push(() => alerts.onModuleDestroy());
  const host = fleet.addInstance(instanceDraftOf(INSTANCE));
  return { alerts, sender, clock, registry, host, fleet };
}

async function receiver(): Promise<WorkerStub> {
  const stub = await WorkerStub.start();
  ends.push(() => stub.stop());
  return stub.on('POST /', json({}));
}

const urlOf = (stub: WorkerStub): string => `http://127.0.0.1:${stub.port}/`;

const listed = async (): Promise<readonly StoredAlert[]> => repository.newest({}, undefined, 1_000);

const isDelivered = async (): Promise<boolean> =>
  (await listed()).every(({ deliveries }) =>
    deliveries.every(({ state }) => state === 'delivered'),
  );

describe('alerts of jobs', () => {
  it('are signed, and told once each, over restarts', async () => {
    const stub = await receiver();
    const failed = await ended(1);
    const first = termOf([urlOf(stub)]);
    await first.alerts.look();
    await until(isDelivered, 'the first to arrive');
    const late = await ended(2, { state: 'timed_out' });
    await ended(3, { kind: 'model' });
    const second = termOf([urlOf(stub)]);
    await second.alerts.look();
    await second.alerts.look();
    await until(isDelivered, 'the second to arrive');
    const told = stub.calls.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(told.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['job_failed', failed],
      ['job_timed_out', late],
    ]);
    expect(told[0]).toMatchObject({
      message: `job ${failed} of ana failed on h1: exit code 2`,
      details: { owner: 'ana', project: 'chip', exit_code: 2, host_id: 'h1', failure: 'exit' },
    });
    for (const { body, headers } of stub.calls) {
      const signed = `${String(headers['x-foresail-timestamp'])}.${body}`;
      const digest = createHmac('sha256', SECRET).update(signed).digest('hex');
      expect(headers['x-foresail-signature']).toBe(`sha256=${digest}`);
    }
  });

  it('are not told again when it is unknown whether they were recorded', async () => {
    await ended(1);
    const { alerts } = termOf([]);
    await alerts.look();
    await client.query('UPDATE alert_progress SET seen_event_id = 0');
    await termOf([]).alerts.look();
    expect(await listed()).toHaveLength(1);
  });

  it('are counted where there are too many, and said in the next one', async () => {
    const { alerts, clock, registry } = termOf([], { FORESAIL_ALERT_LIMIT: '2' });
    for (let n = 1; n <= 5; n++) await ended(n);
    await alerts.look();
    expect(await listed()).toHaveLength(2);
    expect((await repository.progress()).leftOut).toEqual({ job_failed: 3 });
    clock.advance(30_000);
    await ended(6);
    await alerts.look();
    const [newest] = await listed();
    expect(newest).toMatchObject({
      leftOut: 3,
      message: expect.stringContaining('(3 more job_failed were left out before)'),
    });
    const text = await registry.metrics();
    expect(text).toContain('foresail_alerts_total{kind="job_failed"} 3');
    expect(text).toContain('foresail_alerts_left_out_total{kind="job_failed"} 3');
  });

  it('are summed up when nothing new comes to say so, in the next term if need be', async () => {
    const limit = { FORESAIL_ALERT_LIMIT: '1' };
    for (let n = 1; n <= 3; n++) await ended(n);
    await termOf([], limit).alerts.look();
    const { alerts, clock } = termOf([], limit);
    await alerts.look();
    expect(await listed()).toMatchObject([
      { kind: 'job_failed', subject: '', leftOut: 2, message: '2 more job_failed were left out' },
      { leftOut: 0 },
    ]);
    clock.advance(120_000);
    await alerts.look();
    expect(await listed()).toHaveLength(2);
  });

  it('are told only of what is asked for', async () => {
    await ended(1);
    await ended(2, { state: 'timed_out' });
    const { alerts } = termOf([], { FORESAIL_ALERT_EVENTS: 'job_timed_out' });
    await alerts.look();
    expect(await listed()).toMatchObject([{ kind: 'job_timed_out' }]);
  });

  it('are not written by a term that is over', async () => {
    await ended(1);
    await client.query('UPDATE leadership SET epoch = 2');
    await expect(termOf([]).alerts.look()).rejects.toMatchObject({ code: 'not_leading' });
    expect(await listed()).toEqual([]);
  });

  it('go when they are too old, and leave what is young', async () => {
    for (let n = 1; n <= 3; n++) await ended(n);
    await termOf(['http://127.0.0.1:1/']).alerts.look();
    await client.query(
      `UPDATE alerts SET raised_at = now() - interval '2 days' WHERE event_id < 3`,
    );
    expect(await repository.retain(new Date(Date.now() - 86_400_000), 1)).toBe(1);
    expect(await repository.retain(new Date(Date.now() - 86_400_000), 9)).toBe(1);
    expect(await listed()).toMatchObject([{ eventId: 3 }]);
  });
});

describe('alerts of conditions', () => {
  it('are told once while they last, over restarts, and again when they come back', async () => {
    const first = termOf([]);
    first.fleet.updateInstance(first.host, { health: 'lost' });
    await first.alerts.look();
    await first.alerts.look();
    expect(await listed()).toMatchObject([{ kind: 'host_lost', subject: INSTANCE, overAt: null }]);
    const second = termOf([]);
    second.fleet.updateInstance(second.host, { health: 'suspect' });
    await second.alerts.look();
    second.fleet.updateInstance(second.host, { health: 'lost' });
    await second.alerts.look();
    expect(await listed()).toHaveLength(1);
    second.fleet.updateInstance(second.host, { health: 'online' });
    await second.alerts.look();
    expect((await listed())[0]?.overAt).not.toBeNull();
    second.fleet.updateInstance(second.host, { health: 'lost' });
    await second.alerts.look();
    expect(await listed()).toHaveLength(2);
  });

  it('are left out once, not at every look', async () => {
    const { alerts, fleet, host } = termOf([], { FORESAIL_ALERT_LIMIT: '1' });
    const other = fleet.addInstance(instanceDraftOf(HOST));
    for (const each of [host, other]) fleet.updateInstance(each, { health: 'lost' });
    for (let look = 0; look < 5; look++) await alerts.look();
    expect(await listed()).toHaveLength(1);
    expect((await repository.progress()).leftOut).toEqual({ host_lost: 1 });
  });
});

describe('deliveries', () => {
  it('are tried again until they arrive, also by the next term', async () => {
    const stub = (await receiver()).on('POST /', json({ why: 'busy' }, 503));
    await ended(1);
    const first = termOf([urlOf(stub)], {}, 0.0001);
    await first.alerts.look();
    await until(async () => (await listed())[0]?.deliveries[0]?.tries === 1, 'the first try');
    expect((await listed())[0]?.deliveries).toMatchObject([
      { state: 'pending', error: 'answered 503: {"why":"busy"}', endedAt: null },
    ]);
    await first.alerts.onModuleDestroy();
    stub.on('POST /', json({}));
    const second = termOf([urlOf(stub)]);
    await until(async () => {
      second.sender.deliverDue();
      return isDelivered();
    }, 'the alert to arrive');
    const ids = stub.calls.map(({ headers }) => headers['x-foresail-alert']);
    expect(new Set(ids).size).toBe(1);
    expect((await listed())[0]?.deliveries).toMatchObject([{ state: 'delivered', tries: 2 }]);
  });

  it('are given up after the last try', async () => {
    const stub = (await receiver()).on('POST /', json({}, 301, { location: '/other' }));
    await ended(1);
    const { alerts, sender } = termOf([urlOf(stub)]);
    await alerts.look();
    await until(async () => {
      sender.deliverDue();
      return (await listed())[0]?.deliveries[0]?.state === 'given_up';
    }, 'the alert to be given up');
    expect((await listed())[0]?.deliveries).toMatchObject([
      { tries: MOST_TRIES, error: 'answered 301: {}', nextTryAt: null },
    ]);
    expect(stub.calls).toHaveLength(MOST_TRIES);
  });

  it('to one receiver do not wait for another that hangs', async () => {
    const held: ServerResponse[] = [];
    const hanging = (await receiver()).on('POST /', (response) => void held.push(response));
    const stub = await receiver();
    const { alerts } = termOf([urlOf(hanging), urlOf(stub)]);
    await ended(1);
    await alerts.look();
    await until(() => stub.calls.length === 1 && held.length === 1, 'the first at both');
    await ended(2);
    await alerts.look();
    await until(() => stub.calls.length === 2, 'the second at the one that answers');
    expect(hanging.calls).toHaveLength(1);
  });

  it('to a receiver that is asked no more are given up', async () => {
    const stub = (await receiver()).on('POST /', json({}, 500));
    await ended(1);
    const first = termOf([urlOf(stub)]);
    await first.alerts.look();
    await until(() => stub.calls.length > 0, 'the first try');
    await first.alerts.onModuleDestroy();
    await termOf([]).alerts.look();
    expect((await listed())[0]?.deliveries).toMatchObject([
      { state: 'given_up', error: 'no longer among the receivers of alerts' },
    ]);
  });

  it('of a test are made at once, and say what came of them', async () => {
    const stub = await receiver();
    const { alerts } = termOf([urlOf(stub), 'http://127.0.0.1:1/hooks/secret']);
    const test = await alerts.test();
    expect(test).toMatchObject({
      kind: 'test',
      deliveries: [
        { state: 'pending', tries: 1, error: 'connect ECONNREFUSED' },
        { state: 'delivered', tries: 1, error: null },
      ],
    });
    expect(stub.calls).toHaveLength(1);
  });
});

describe('pauseAfter', () => {
  it('doubles its bound up to half an hour, and keeps to what the receiver asks for', () => {
    const most = { next: () => 1 };
    expect([1, 2, 3, 9, 10, 12].map((tries) => pauseAfter(tries, most, 0))).toEqual([
      5_000, 10_000, 20_000, 1_280_000, 1_800_000, 1_800_000,
    ]);
    expect(pauseAfter(1, { next: () => 0 }, 7_000)).toBe(7_000);
  });
});
