import { ConformanceRig } from '../support/conformance-rig';
import { expectFaults, expectRefusal, sendTo, type Refusal } from '../support/refusal';
import type { Json } from '../support/service-process';

jest.setTimeout(60_000);

let rig: ConformanceRig;
let before: Readonly<Record<string, readonly string[]>>;
let instancesBefore: Json;

beforeAll(async () => {
  rig = await ConformanceRig.start();
  await rig.registered({ name: 'ti' });
  await rig.submit('t', { metadata: { predicted_ms: 600_000 } });
  before = await rig.rows();
  instancesBefore = await fleet();
});
// Whatever is refused leaves the rows and the instances as they are.
afterEach(async () => {
  expect(await rig.rows()).toEqual(before);
  expect(await fleet()).toEqual(instancesBefore);
});
afterAll(() => rig.close());

/** The instances, but for the time of their last contact. */
async function fleet(): Promise<Json> {
  const { instances } = (await rig.get('/v1/instances')).body as { instances: object[] };
  return instances.map((instance) => ({ ...instance, last_contact_at: null }));
}

const send = (
  method: string,
  path: string,
  ...rest: [body?: string | Buffer, headers?: Record<string, string>]
): Promise<Refusal> => sendTo(method, rig.service.url + path, ...rest);

const GETS = [
  { path: '/queue/info', good: '', name: 'model_name', most: 256 },
  { path: '/task/query', good: 'task_id=t', name: 'task_id', most: 512 },
  { path: '/task/all_tasks', good: 'limit=1&offset=0', name: null, most: 0 },
  { path: '/health', good: '', name: null, most: 0 },
] as const;

describe.each(GETS)('GET $path', ({ path, good, name, most }) => {
  const get = (query: string): Promise<Refusal> => send('GET', `${path}?${query}`);

  it.each([
    ['twice', 'a=1&a=2', 'a'],
    ['as list', 'a[]=1', 'a[]'],
    ['as encoded list', 'a%5B%5D=1', 'a[]'],
    ['as object', 'a[b]=1', 'a[b]'],
    ['with NUL', 'a=%00', 'a'],
    ['with broken encoding', 'a=%zz', 'a'],
    ['with half a surrogate pair', 'a=%ED%A0%80', 'a'],
    ['with bytes that are not UTF-8', 'a=%ff', 'a'],
  ])('refuses a name %s', async (_name, query, at) => {
    const named = name === null ? query : query.replaceAll('a', name);
    const expected = name === null ? at : at.replace('a', name);
    expectFaults(await get(named), ['query', expected]);
  });

  if (name !== null) {
    it.each([
      ['empty', ''],
      ['too long', 'x'.repeat(most + 1)],
    ])(`refuses a ${name} that is %s`, async (_name, value) => {
      expectFaults(await get(`${name}=${value}`), ['query', name], 'length');
    });
  }

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('answers 405 to %s', async (method) => {
    const answer = await send(method, `${path}?${good}`, '{}');
    expectRefusal(answer, 405);
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });

  it('answers HEAD like GET, without a body', async () => {
    const { status, body } = await send('HEAD', `${path}?${good}`);
    expect([status, body]).toEqual([200, undefined]);
  });
});

describe('the bounds of /task/all_tasks', () => {
  it.each([
    ['limit', ['0', '-1', '10001', '1e9', '9007199254740993']],
    ['offset', ['-1', '9007199254740993', '1e300']],
  ])('have no wrong %s', async (name, wrong) => {
    for (const value of ['', 'x', '1.5', '0x10', ' 1', '1 ', 'null', 'NaN', ...wrong]) {
      const query = `${name}=${encodeURIComponent(value)}`;
      expectFaults(await send('GET', `/task/all_tasks?${query}`), ['query', name]);
    }
    for (const query of [`${name}=1&${name}=2`, `${name}[]=1`, `${name}[a]=1`]) {
      expectRefusal(await send('GET', `/task/all_tasks?${query}`), 422);
    }
  });
});

it('misses task_id', async () => {
  for (const query of ['', '?', '?other=1', '?task_ID=t']) {
    expectFaults(await send('GET', `/task/query${query}`), ['query', 'task_id'], 'missing');
  }
});

// --- paths -----------------------------------------------------------------------------------

describe('unknown paths', () => {
  it.each([
    '/ti',
    '/ti/',
    '/ti/x',
    '/ti/register/x',
    '/queue',
    '/queue/SUBMIT',
    '/queue/submit%20',
    '/task/t',
    '/notify/x',
    '/result/x/y',
    '/queue/%00',
    `/queue/${'x'.repeat(4_000)}`,
  ])('are 404 in the words of the protocol: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const answer = await send(method, path, method === 'POST' ? '{' : undefined);
      expectRefusal(answer, 404);
      expect(answer.body.detail).toBe(answer.body.message);
    }
  });

  it.each(['/nothing', '/health/x', '/v1', '/v1/x', '//ti/register'])(
    'are 404 as problem details elsewhere: %s',
    async (path) => {
      const { status, headers, body } = await send('GET', path);
      expect(status).toBe(404);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(body).toEqual({
        type: 'urn:foresail:problem:unknown_route',
        title: 'Unknown path',
        status: 404,
        detail: `there is no GET ${path}`,
        instance: headers['x-request-id'],
        code: 'unknown_route',
      });
    },
  );
});
