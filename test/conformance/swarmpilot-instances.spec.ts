import { ConformanceRig, UUID } from '../support/conformance-rig';
import { until } from '../support/until';
import { json, WorkerStub } from '../support/worker-stub';

jest.setTimeout(60_000);

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

const register = (body: object) => rig.post('/ti/register', body);
const remove = (body: object) => rig.post('/ti/remove', body);
const waits = async (model: string): Promise<unknown> =>
  (await rig.get(`/queue/info?model_name=${model}`)).body;

describe('POST /ti/register', () => {
  it('answers with status, message and ti_uuid, and nothing else', async () => {
    const { host, port } = await rig.original({ model: 'a' });
    const { status, headers, body } = await register({ host, port, model_name: 'a' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(body).toEqual({
      status: 'success',
      message: `registered ${host}:${port} for a`,
      ti_uuid: expect.stringMatching(UUID),
    });
    expect(await waits('a')).toMatchObject({ queues: [{ ti_uuid: body.ti_uuid }] });
  });

  it.each([[{}], [{ model_name: null }]])(
    'takes the model from /status when none is named: %j',
    async (named) => {
      const { host, port } = await rig.original({ model: 'from-status' });
      const { body } = await register({ host, port, ...named });
      expect(body).toMatchObject({
        status: 'success',
        message: `registered ${host}:${port} for from-status`,
      });
    },
  );

  it('is idempotent: the same id again, and the model brought up to date', async () => {
    const instance = await rig.original({ model: null });
    const { host, port } = instance;
    const first = await register({ host, port, model_name: 'old' });
    expect(await register({ host, port, model_name: 'old' })).toMatchObject({ body: first.body });
    instance.model = 'new';
    const { body } = await register({ host, port, model_name: 'new' });
    expect(body).toMatchObject({ status: 'success', ti_uuid: first.body.ti_uuid });
    expect(await waits('old')).toEqual({ status: 'success', queues: [] });
    expect(await waits('new')).toMatchObject({ queues: [{ ti_uuid: first.body.ti_uuid }] });
  });

  it('keeps the id of an address that was removed in between', async () => {
    const { host, port } = await rig.original({ model: 'back' });
    const { body } = await register({ host, port });
    await remove({ host, port });
    expect((await register({ host, port })).body).toEqual(body);
    expect(await waits('back')).toMatchObject({ queues: [{ ti_uuid: body.ti_uuid }] });
  });

  describe('answers 200 with an error and no id, and registers nothing', () => {
    const refused = async (body: object, message: RegExp): Promise<void> => {
      const before = await rig.rows();
      const answer = await register(body);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        status: 'error',
        message: expect.stringMatching(message),
        ti_uuid: '',
      });
      expect(await rig.rows()).toEqual(before);
    };

    it('when nobody listens there', async () => {
      const instance = await rig.original();
      const { host, port, address } = instance;
      await instance.stop();
      const once = `^task instance ${address} cannot be reached: GET /status: connect ECONNREFUSED$`;
      await refused({ host, port, model_name: 'm' }, new RegExp(once));
    });

    it('when another model is served there', async () => {
      const { host, port } = await rig.original({ model: 'mistral' });
      await refused({ host, port, model_name: 'llama' }, /serves "mistral", not "llama"/);
    });

    it('when no model is named on either side', async () => {
      const { host, port } = await rig.original({ model: null });
      await refused({ host, port }, /serves no model yet/);
    });

    it('when what answers is no task instance', async () => {
      const stub = await WorkerStub.start();
      const { host, port } = stub.on('GET /status', json('<html>', 200));
      await refused({ host, port, model_name: 'm' }, /cannot be reached/);
      await refused({ host, port: rig.service.port, model_name: 'm' }, /cannot be reached/);
      await stub.stop();
    });

    it.each(['169.254.169.254', '0.0.0.0', '224.0.0.1', '::', 'no-such-host.invalid'])(
      'when no instance can be at %s',
      (host) => refused({ host, port: 80, model_name: 'm' }, /cannot be reached/),
    );
  });
});

describe('POST /ti/remove', () => {
  it('names the instance by host and port', async () => {
    const [{ host, port }, id] = await rig.registered({ model: 'r1' });
    const { status, body } = await remove({ host, port });
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'success',
      message: `removed ${host}:${port}`,
      host,
      port,
      ti_uuid: id,
    });
    expect(await waits('r1')).toEqual({ status: 'success', queues: [] });
  });

  it('names it by its id, which goes before the address', async () => {
    const [{ host, port }, id] = await rig.registered({ model: 'r2' });
    const { body } = await remove({ ti_uuid: id, host: 'elsewhere', port: 1 });
    expect(body).toMatchObject({ status: 'success', host, port, ti_uuid: id });
  });

  it('answers 200 with an error for an unknown one, and for one that is gone', async () => {
    const [{ host, port }, id] = await rig.registered({ model: 'r3' });
    await remove({ host, port });
    const before = await rig.rows();
    expect(await remove({ host, port })).toMatchObject({
      status: 200,
      body: {
        status: 'error',
        message: `no instance "${host}:${port}" is registered`,
        host,
        port,
        ti_uuid: null,
      },
    });
    expect((await remove({ ti_uuid: id })).body).toEqual({
      status: 'error',
      message: `no instance "${id}" is registered`,
      host: null,
      port: null,
      ti_uuid: null,
    });
    expect(await rig.rows()).toEqual(before);
  });

  it('lets running tasks go on to their end, and moves the waiting ones', async () => {
    const [leaving, leavingId] = await rig.registered({ model: 'move' });
    await rig.post('/scheduler/set', { name: 'round_robin', model_name: 'move' });
    for (const id of ['t1', 't2', 't3', 't4']) await rig.submit(id, { model_name: 'move' });
    // One in its slot, and one ahead, since it has never reported by itself.
    await until(() => leaving.given.length === 2, 'two tasks to be sent');
    expect((await rig.query('t4')).scheduled_ti).toBe(leavingId);
    await remove({ ti_uuid: leavingId });
    const [staying, stayingId] = await rig.registered({ model: 'move', slots: 2 });
    await until(() => staying.given.length === 2, 'the waiting tasks to be sent');
    for (const id of ['t3', 't4']) expect((await rig.query(id)).scheduled_ti).toBe(stayingId);
    for (const id of ['t1', 't2']) expect((await rig.query(id)).scheduled_ti).toBe(leavingId);
    for (const { remoteId } of leaving.given) leaving.finish(remoteId, { done: 'there' });
    expect(await rig.completed('t1')).toMatchObject({
      scheduled_ti: leavingId,
      result: { done: 'there' },
    });
  });
});
