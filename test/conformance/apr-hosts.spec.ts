import { ConformanceRig } from '../support/conformance-rig';
import { APR_TIME, dataOf, listOf } from '../support/envelope';
import type { Json } from '../support/service-process';

jest.setTimeout(60_000);

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

const register = async (host: object): Promise<Json> =>
  dataOf(await rig.post('/scheduler/hosts/register', host));
const hosts = async (): Promise<Json[]> => listOf(await rig.get('/scheduler/hosts'), 'hosts');

describe('DELETE /v1/instances/{id}', () => {
  it('takes a drained host out of service, over a restart too', async () => {
    await register({ host_id: 'old', total_slots: 3 });
    await rig.post('/v1/instances/old/drain', {});
    const { status, body } = await rig.service.send('DELETE', '/v1/instances/old');
    expect([status, body]).toEqual([200, expect.objectContaining({ name: 'old', kind: 'host' })]);
    const named = async (): Promise<Json[]> =>
      (await hosts()).filter(({ host_id }) => host_id === 'old');
    expect(await named()).toEqual([]);
    await rig.restart();
    expect(await named()).toEqual([]);
    expect((await rig.post('/scheduler/hosts/old/heartbeat', {})).status).toBe(404);
    await register({ host_id: 'old' });
    expect((await rig.get('/v1/instances/old')).body).toMatchObject({
      slots: 1,
      drained_by: ['operator'],
    });
  });
});

describe('POST /scheduler/hosts/register', () => {
  it('takes a name alone, and says what holds for the rest', async () => {
    expect(await register({ host_id: 'bare' })).toEqual({
      host_id: 'bare',
      total_slots: 1,
      total_cpu: 1,
      total_memory_gb: 2,
      labels: {},
      executor_prefix: '',
      used_slots: 0,
      used_cpu: 0,
      used_memory_gb: 0,
      status: 'ONLINE',
      last_heartbeat_at: expect.stringMatching(APR_TIME),
      running_jobs: [],
    });
  });

  it('takes as many cores as slots, and 2 GB for each', async () => {
    const host = { total_slots: 8, total_cpu: 8, total_memory_gb: 16 };
    expect(await register({ host_id: 'eight', total_slots: '8' })).toMatchObject(host);
  });

  it('brings a host up to date that registers again', async () => {
    await register({ host_id: 'again', total_slots: 2, labels: { node: 'A' } });
    const given = {
      host_id: 'again',
      total_slots: 4,
      total_cpu: 1.5,
      total_memory_gb: 0.5,
      labels: { node: 'B', tool: 'innovus' },
    };
    expect(await register(given)).toMatchObject(given);
    expect((await hosts()).filter(({ host_id }) => host_id === 'again')).toMatchObject([given]);
  });

  it('is remembered over a restart', async () => {
    const given = { host_id: 'durable', total_slots: 3, total_cpu: 6, labels: { node: 'C' } };
    await register(given);
    await rig.restart();
    expect((await hosts()).find(({ host_id }) => host_id === 'durable')).toMatchObject(given);
  });
});

describe('POST /scheduler/hosts/{host_id}/heartbeat', () => {
  it('says that the host is there', async () => {
    const before = await register({ host_id: 'a b/c' });
    const path = `/scheduler/hosts/${encodeURIComponent('a b/c')}/heartbeat`;
    const after = dataOf(await rig.post(path, {}));
    expect(after).toMatchObject({ host_id: 'a b/c', status: 'ONLINE' });
    expect(after.last_heartbeat_at >= before.last_heartbeat_at).toBe(true);
  });

  it('does not know a host that never registered', async () => {
    const { status, body } = await rig.service.send('POST', '/scheduler/hosts/nobody/heartbeat');
    const message = 'no host "nobody" is registered';
    expect([status, body]).toEqual([404, { status: 404, message, data: {} }]);
  });
});

describe('GET /scheduler/hosts', () => {
  it('lists them by name, each once', async () => {
    const names = (await hosts()).map(({ host_id }) => host_id as string);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toContain('bare');
  });
});

describe('GET /scheduler/metrics/summary', () => {
  it('counts jobs and hosts', async () => {
    const summary = async (): Promise<Json> => dataOf(await rig.get('/scheduler/metrics/summary'));
    const slots = (await hosts()).map(({ total_slots }) => total_slots as number);
    expect(await summary()).toEqual({
      total_jobs: 0,
      status_counts: {
        CREATED: 0,
        QUEUED: 0,
        DISPATCHED: 0,
        RUNNING: 0,
        PAUSED: 0,
        RETRYING: 0,
        SUCCESS: 0,
        FAILED: 0,
        CANCELLED: 0,
        TIMEOUT: 0,
      },
      finished_jobs: 0,
      success_rate: 0,
      total_hosts: slots.length,
      total_slots: slots.reduce((sum, one) => sum + one, 0),
      used_slots: 0,
    });
  });
});
