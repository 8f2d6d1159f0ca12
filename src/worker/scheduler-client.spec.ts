import { FakeScheduler, type SchedulerAnswer } from '../../test/support/fake-scheduler';
import { SchedulerClient } from './scheduler-client';

describe('SchedulerClient', () => {
  let scheduler: FakeScheduler;
  let client: SchedulerClient;

  beforeEach(async () => {
    scheduler = await FakeScheduler.start();
    client = new SchedulerClient(`${scheduler.url}/base/`, 'secret');
  });

  afterEach(async () => {
    await client.close();
    await scheduler.goDown();
  });

  it('calls below its base path, with its key', async () => {
    const registration = { host: 'h', port: 1, model_name: 'm' };
    const replies = [
      await client.register(registration),
      await client.remove('h', 1),
      await client.submitResult('{"task_id":"r"}'),
    ];

    expect(replies).toEqual([{ kind: 'accepted' }, { kind: 'accepted' }, { kind: 'accepted' }]);
    expect(scheduler.calls.map(({ path, body }) => [path, body])).toEqual([
      ['/base/ti/register', registration],
      ['/base/ti/remove', { host: 'h', port: 1 }],
      ['/base/result/submit', { task_id: 'r' }],
    ]);
    expect(scheduler.calls[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/json',
    });
  });

  it('sends no authorization without a key', async () => {
    const keyless = new SchedulerClient(scheduler.url);
    await keyless.remove('h', 1);
    await keyless.close();

    expect(scheduler.calls[0]?.headers.authorization).toBeUndefined();
  });

  const error = { status: 'error', message: 'no such task' };

  it.each<[string, SchedulerAnswer, string, string]>([
    ['an error in a 200', { status: 200, body: error }, 'rejected', '200: no such task'],
    ['an error as 422', { status: 422, body: error }, 'refused', '422: no such task'],
    ['a missing key', { status: 401, body: error }, 'refused', '401'],
    ['another way', { status: 302, body: '' }, 'refused', '302'],
    ['a full queue', { status: 429, body: error }, 'unavailable', '429'],
    ['a slow request', { status: 408, body: error }, 'unavailable', '408'],
    ['a standby', { status: 503, body: error }, 'unavailable', '503'],
    ['a defect', { status: 500, body: 'Oops' }, 'unavailable', '500: Oops'],
    ['a page of somebody else', { status: 200, body: '<html>' }, 'unavailable', '200: <html>'],
    ['JSON of somebody else', { status: 200, body: [1] }, 'unavailable', '200: [1]'],
  ])('understands %s', async (_name, answer, kind, message) => {
    scheduler.answer = () => answer;

    expect(await client.submitResult('{}')).toMatchObject({
      kind,
      message: expect.stringContaining(`/result/submit answered ${message}`),
    });
  });

  it.each<[string, number, number]>([
    ['3', 3000, 3000],
    ['86400', 60_000, 60_000],
    ['soon', 0, 0],
    [new Date(Date.now() + 30_000).toUTCString(), 25_000, 30_000],
    [new Date(0).toUTCString(), 0, 0],
  ])('reads Retry-After: %s', async (header, least, most) => {
    scheduler.answer = () => ({ status: 503, body: error, headers: { 'retry-after': header } });
    const reply = await client.submitResult('{}');
    const ms = reply.kind === 'unavailable' ? reply.retryAfterMs : NaN;

    expect(ms).toBeGreaterThanOrEqual(least);
    expect(ms).toBeLessThanOrEqual(most);
  });

  it('says so when nobody is there, and finds it again', async () => {
    await scheduler.goDown();
    expect(await client.submitResult('{}')).toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 0,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await scheduler.comeUp();

    expect(await client.submitResult('{}')).toEqual({ kind: 'accepted' });
  });
});
