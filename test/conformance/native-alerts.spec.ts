import { ConformanceRig, UUID } from '../support/conformance-rig';
import { until } from '../support/until';
import { json, WorkerStub } from '../support/worker-stub';

jest.setTimeout(60_000);

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let rig: ConformanceRig;
let receiver: WorkerStub;

beforeAll(async () => {
  receiver = (await WorkerStub.start()).on('POST /hooks/secret', json({}));
  rig = await ConformanceRig.start({
    FORESAIL_ALERT_URLS: `http://127.0.0.1:${receiver.port}/hooks/secret`,
    FORESAIL_ALERT_SECRET: 'sixteen-characters-or-more',
    FORESAIL_STATUS_POLL_MS: '100',
    FORESAIL_SUSPECT_MS: '200',
    FORESAIL_LOST_MS: '400',
  });
});
afterAll(async () => {
  await rig.close();
  await receiver.stop();
});

describe('POST /v1/alerts/test', () => {
  it('sends a test now, and says that it arrived', async () => {
    const { status, body } = await rig.post('/v1/alerts/test', {});
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.stringMatching(UUID),
      kind: 'test',
      subject: '',
      message: 'this is a test: alerts of this scheduler arrive here',
      raised_at: ISO_TIME,
      over_at: null,
      left_out: 0,
      details: {},
      deliveries: [
        {
          receiver: `http://127.0.0.1:${receiver.port}/…`,
          state: 'delivered',
          tries: 1,
          next_try_at: null,
          ended_at: ISO_TIME,
          error: null,
        },
      ],
    });
    expect(receiver.calls.at(-1)?.headers['x-foresail-alert']).toBe(body.id);
    expect(rig.service.log).not.toMatch(/hooks\/secret|sixteen-characters/);
  });
});

describe('GET /v1/alerts', () => {
  it('lists what was told, newest first, by kind and page by page', async () => {
    const { body: one } = await rig.post('/v1/alerts/test', {});
    const { body: two } = await rig.post('/v1/alerts/test', {});
    const first = await rig.get('/v1/alerts?kind=test&limit=1');
    expect(first.body).toMatchObject({ alerts: [two] });
    const cursor = String(first.body.next_cursor);
    const second = await rig.get(`/v1/alerts?kind=test&limit=1&cursor=${cursor}`);
    expect(second.body).toMatchObject({ alerts: [one] });
    const other = await rig.get('/v1/alerts?kind=queue_stuck');
    expect(other.body).toEqual({ alerts: [], next_cursor: null });
  });

  it('tells of an instance that is lost, once, also over a restart', async () => {
    const [instance, id] = await rig.registered({ name: 'gone' });
    await instance.stop();
    await rig.service.hasLogged(/"alert":"host_lost"/);
    await rig.restart();
    await until(async () => {
      const { body } = await rig.get('/v1/instances?health=lost');
      return JSON.stringify(body).includes(id);
    }, 'the instance to be lost again');
    await rig.post('/v1/alerts/test', {});
    const { body } = await rig.get('/v1/alerts?kind=host_lost');
    expect(body).toMatchObject({
      alerts: [{ subject: id, message: 'instance gone is lost', over_at: null }],
      next_cursor: null,
    });
  });

  it.each([
    ['kind=nonsense', /kind must be one of .*host_lost/],
    ['limit=0', /limit/],
    ['cursor=x', /cursor must be the next_cursor/],
  ])('refuses %s', async (query, why) => {
    const { status, body } = await rig.get(`/v1/alerts?${query}`);
    expect([status, body.code]).toEqual([422, 'invalid_input']);
    expect(body.detail).toMatch(why);
  });
});
