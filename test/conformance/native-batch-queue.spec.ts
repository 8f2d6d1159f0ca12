import { ConformanceRig } from '../support/conformance-rig';

jest.setTimeout(60_000);

const PATH = '/v1/batch-queue';
const USUAL = {
  strategy: 'least_loaded',
  order_weight: 2,
  limit: 50_000,
  paused: false,
  waiting: 0,
  running: 0,
  unfit: {},
};

let rig: ConformanceRig;

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
afterAll(() => rig.close());

describe('the queue of batch jobs', () => {
  it('is shown before there is any host, and left alone by what every queue is set to', async () => {
    await rig.post('/scheduler/set', { name: 'weighted' });
    const { status, body } = await rig.get(PATH);
    expect([status, body]).toEqual([200, USUAL]);
  });

  it('is set one thing at a time, and back again', async () => {
    const { status, body } = await rig.patch(PATH, { strategy: 'best_fit', order_weight: 0 });
    expect([status, body]).toEqual([200, { ...USUAL, strategy: 'best_fit', order_weight: 0 }]);
    const back = await rig.patch(PATH, { strategy: null, order_weight: null, paused: true });
    expect(back.body).toEqual({ ...USUAL, paused: true });
    expect((await rig.patch(PATH, { paused: false })).body).toEqual(USUAL);
  });

  it('refuses strategies that are not for jobs, and names those that are', async () => {
    const { status, body } = await rig.patch(PATH, { strategy: 'shortest_queue', limit: 5 });
    expect([status, body.code]).toEqual([422, 'unknown_strategy']);
    expect(body.detail).toMatch(
      /^strategy "shortest_queue" .*; valid: earliest, least_loaded, best_fit$/,
    );
    expect((await rig.get(PATH)).body).toEqual(USUAL);
    expect(await rig.patch(PATH, {})).toMatchObject({ status: 422 });
  });
});
