import {
  CLOSED_DOORS,
  MALFORMED_BODIES,
  NO_OBJECT,
  NO_OBJECT_BODIES,
  NO_TEXT,
  taking,
  UNKEPT_VALUES,
  withExtra,
  without,
  type BodyCall,
  type FieldRule,
} from '../support/bad-input';
import { callsHere, ConformanceRig, describeOnce } from '../support/conformance-rig';
import { expectError, heartbeatOf } from '../support/dtask';
import { sendTo, type Refusal } from '../support/refusal';
import type { Json } from '../support/service-process';

jest.setTimeout(60_000);

let rig: ConformanceRig;
let before: Readonly<Record<string, readonly string[]>>;
let workersBefore: Json;

beforeAll(async () => {
  rig = await ConformanceRig.start();
  expect((await rig.post('/api/v1/heartbeat', heartbeatOf('w'))).status).toBe(200);
  expect((await rig.post('/api/v1/schedule', { task_id: 'placed' })).status).toBe(200);
  before = await rig.rows();
  workersBefore = await workers();
});
// Whatever is refused leaves the rows and the workers as they are.
afterEach(async () => {
  expect(await rig.rows()).toEqual(before);
  expect(await workers()).toEqual(workersBefore);
});
afterAll(() => rig.close());

/** The workers, but for what only time changes. */
async function workers(): Promise<Json> {
  const { body } = await rig.get('/api/v1/workers');
  return (body as object[]).map((worker) => ({ ...worker, LastHeartbeat: '', Status: '' }));
}

const send = (
  method: string,
  path: string,
  ...rest: [body?: string | Buffer, headers?: Record<string, string>]
): Promise<Refusal> => sendTo(method, rig.service.url + path, ...rest);

// --- what each call takes --------------------------------------------------------------------

const NO_NUMBER = ['', 'x', '1', true, [], [1], {}, null];

const number = (...beyond: unknown[]): FieldRule => ({ wrong: [...NO_NUMBER, ...beyond] });
const required = ({ wrong }: FieldRule): FieldRule => ({ wrong, required: true });
const name: FieldRule = {
  wrong: [...NO_TEXT, null, '', '  ', 'a\nb', 'a\u007fb', 'x'.repeat(256), 'é'.repeat(256)],
  required: true,
};
const taskId: FieldRule = {
  wrong: [...NO_TEXT, null, '', 'x'.repeat(257)],
};
const lists = (most: number, longest: number): readonly unknown[] => [
  ...['gpu', 7, true, {}, [7], ['gpu', null], [['gpu']], [{}]],
  Array.from({ length: most + 1 }, (_, n) => `t${n}`),
  ['x'.repeat(longest + 1)],
];
const tags: FieldRule = { wrong: [...lists(256, 128), ['a\nb'], ['\u007f']] };
const amounts = [...NO_NUMBER, -0.001, 1_000_001];
const resources: FieldRule = {
  wrong: [
    ...NO_OBJECT.filter((value) => value !== null),
    ...['cpu', 'memory_gb', 'gpu_memory_gb'].flatMap((part) =>
      amounts.map((amount) => ({ [part]: amount })),
    ),
  ],
};

const POSTS: readonly BodyCall[] = [
  {
    path: '/api/v1/heartbeat',
    good: {
      worker_id: 'new',
      address: 'a:1',
      max_tasks: 1,
      current_tasks: 0,
      timestamp: 1_763_719_200,
    },
    fields: {
      worker_id: name,
      address: name,
      resource_tags: tags,
      max_tasks: required(number(-1, 1.5, 1_000_001)),
      current_tasks: required(number(-1, 1.5, 1_000_001)),
      // The last one is in ms.
      timestamp: required(number(-1, 1_763_719_200_000)),
      task_ids: { wrong: [...lists(10_000, 256), ['']] },
      resources,
      leaving: { wrong: [null, 0, 1, 'true', [], {}] },
    },
  },
  {
    path: '/api/v1/schedule',
    good: { task_id: 'new' },
    fields: {
      // Nothing is another answer than something wrong.
      task_id: taking(taskId, null, ''),
      required_tags: tags,
      priority: number(1.5, -1_001, 1_001),
      // A name that nothing would be reserved for.
      resources: { wrong: [...resources.wrong, { gpu_memory: 8 }, { cpu: 1, Memory_gb: 8 }] },
      wait_ms: number(-1, 0.5, 300_001),
    },
  },
  { path: '/api/v1/release', good: { task_id: 'placed' }, fields: { task_id: required(taskId) } },
];

const HEARTBEAT_BYTES = 16 * 1_048_576;

describe.each(callsHere(POSTS))('POST $path', ({ path, good, fields }) => {
  const post = (body: unknown): Promise<Refusal> => send('POST', path, JSON.stringify(body));
  const raw = (body: string | Buffer, headers?: Record<string, string>): Promise<Refusal> =>
    send('POST', path, body, headers);

  it.each(Object.entries(fields))('refuses a wrong %s', async (field, { wrong }) => {
    for (const value of wrong) {
      const answer = await post({ ...good, [field]: value });
      expect([value, answer.status]).toEqual([value, 400]);
      expectError(answer, 400);
      expect([value, answer.body.error]).toEqual([value, expect.stringContaining(field)]);
      // What it got, and what would be right.
      expect(answer.body.error).toMatch(/must .*; got /);
    }
  });

  const needed = Object.entries(fields).filter(([, rule]) => rule.required === true);
  if (needed.length > 0) {
    it.each(needed)('misses %s', async (field) => {
      const answer = await post(without(good, field));
      expectError(answer, 400);
      expect(answer.body.error).toContain(`${field} is missing`);
    });

    it.each(['', '{}'])('takes neither nothing nor an empty object: %j', async (body) => {
      expectError(await raw(body), 400);
    });
  }

  it.each(NO_OBJECT_BODIES)('takes an object, not %s', async (body) => {
    const answer = await raw(body);
    expectError(answer, 400);
    expect(answer.body.error).toContain('the body must be a JSON object');
  });

  it.each(UNKEPT_VALUES)('refuses %s', async (_name, value) => {
    expectError(await raw(withExtra(good, value)), 400);
  });

  it.each(MALFORMED_BODIES)('calls %s malformed', async (_name, body) => {
    expectError(await raw(body), 400);
  });

  it('refuses a body above the limit', async () => {
    const limit = path.endsWith('/heartbeat') ? HEARTBEAT_BYTES : 1_048_576;
    const answer = await raw(JSON.stringify({ ...good, padding: 'x'.repeat(limit) }));
    expectError(answer, 413);
    expect(answer.body.error).toBe(`the body is larger than ${limit} bytes`);
  });

  it.each(CLOSED_DOORS)('answers %i to %s', async (status, _name, headers) => {
    expectError(await raw(JSON.stringify(good), headers), status);
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])('answers 405 to %s', async (method) => {
    const answer = await send(method, path);
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
    if (method !== 'HEAD') expectError(answer, 405);
  });

  it('answers OPTIONS with what is allowed, and no leave for other sites', async () => {
    const { status, headers } = await send('OPTIONS', path);
    expect([status, headers['allow']]).toEqual([200, 'POST, OPTIONS']);
    expect(Object.keys(headers)).not.toContain('access-control-allow-origin');
  });
});

describe('a task without an id', () => {
  it.each(['', '{}', '{"task_id":""}', '{"task_id":null}', '{"required_tags":["gpu"]}'])(
    'is answered like one that fits nowhere: %s',
    async (body) => {
      const answer = await send('POST', '/api/v1/schedule', body);
      expectError(answer, 503);
      expect(answer.body.error).toContain('task_id');
    },
  );

  it('is not looked at when something else is wrong', async () => {
    const answer = await send('POST', '/api/v1/schedule', '{"required_tags":"gpu"}');
    expectError(answer, 400);
    expect(answer.body.error).toContain('required_tags');
  });
});

describeOnce('a path', () => {
  it.each([
    ['GET', '/api/v1'],
    ['GET', '/api/v1/'],
    ['GET', '/api/v1/tasks'],
    ['POST', '/api/v1/Schedule'],
    ['GET', '/api/v1/workers/w'],
  ])('that is nobody’s is 404: %s %s', async (method, path) => {
    expectError(await send(method, path), 404);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('of the list is only read: %s', async (method) => {
    const answer = await send(method, '/api/v1/workers');
    expectError(answer, 405);
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });
});
