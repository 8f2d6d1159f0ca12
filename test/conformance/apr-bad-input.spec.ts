import {
  CLOSED_DOORS,
  MALFORMED_BODIES,
  NO_OBJECT,
  NO_OBJECT_BODIES,
  NO_TEXT,
  UNKEPT_VALUES,
  withExtra,
  type BodyCall,
  type FieldRule,
} from '../support/bad-input';
import { commandRig, type CommandRig } from '../support/command-rig';
import type { ConformanceRig } from '../support/conformance-rig';
import { dataOf, expectEnvelope, expectFault, listOf } from '../support/envelope';
import { sendTo, type Refusal } from '../support/refusal';
import type { Json } from '../support/service-process';

jest.setTimeout(60_000);

let commands: CommandRig;
let rig: ConformanceRig;
let jobId: string;
let before: Readonly<Record<string, readonly string[]>>;
let hostsBefore: Json;

beforeAll(async () => {
  commands = await commandRig();
  ({ rig } = commands);
  dataOf(await rig.post('/scheduler/hosts/register', { host_id: 'h' }));
  const job = { command: 'true', resource_request: { cpu: 500 } };
  jobId = dataOf(await rig.post('/scheduler/jobs', job)).job_id as string;
  before = await rig.rows();
  hostsBefore = await hosts();
});
// Whatever is refused leaves the rows and the hosts as they are.
afterEach(async () => {
  expect(await rig.rows()).toEqual(before);
  expect(await hosts()).toEqual(hostsBefore);
});
afterAll(() => commands.close());

async function hosts(): Promise<Json[]> {
  const all = listOf(await rig.get('/scheduler/hosts'), 'hosts');
  return all.map((host): unknown => ({ ...host, last_heartbeat_at: '', status: '' }));
}

const send = (
  method: string,
  path: string,
  ...rest: [body?: string | Buffer, headers?: Record<string, string>]
): Promise<Refusal> => sendTo(method, rig.service.url + path, ...rest);

// --- what each call takes --------------------------------------------------------------------

const NO_NUMBER = ['', 'x', '1e', '0x1', ' 1', true, [], [1], {}, null, '1e999'];

const text = (most: number, least = 1): FieldRule => ({
  wrong: [...NO_TEXT, null, ...(least > 0 ? [''] : []), 'x'.repeat(most + 1)],
});
const number = (...beyond: unknown[]): FieldRule => ({ wrong: [...NO_NUMBER, ...beyond] });
const texts: FieldRule = { wrong: [...NO_OBJECT, { a: 1 }, { a: null }, { a: {} }, { '': 'x' }] };

const JOB_FIELDS: Readonly<Record<string, FieldRule>> = {
  command: { wrong: [...NO_TEXT, null, '', '  \n'], required: true },
  project: text(200),
  design: text(200, 0),
  owner: text(200),
  priority: number(1.5, '1.5', 1_000_001, -1_000_001),
  timeout_sec: number(-1, '-0.5', 31_536_001),
  retry_limit: number(-1, 0.5, 101),
  workdir: text(4_096),
  env: { wrong: [...texts.wrong, { '1A': 'x' }, { 'A-B': 'x' }, { 'A\nB': 'x' }, { é: 'x' }] },
  resource_request: { wrong: NO_OBJECT },
};

const POSTS: readonly BodyCall[] = [
  {
    path: '/scheduler/hosts/register',
    good: { host_id: 'new' },
    fields: {
      host_id: { wrong: [...text(200).wrong, ' ', 'a\nb'], required: true },
      total_slots: number(0, -1, 1.5, 1_000_001),
      total_cpu: number(0, -1, 1_000_001),
      total_memory_gb: number(0, -1, 1_000_001),
      executor_prefix: text(1_000, 0),
      labels: texts,
    },
  },
  { path: '/scheduler/jobs', good: { command: 'true' }, fields: JOB_FIELDS },
  {
    path: '/scheduler/jobs/batch',
    good: { jobs: [{ command: 'true' }] },
    fields: { jobs: { wrong: [null, 7, true, 'x', {}, [], [[]], [null]], required: true } },
  },
  { path: '/scheduler/hosts/nobody/heartbeat', good: {}, fields: {} },
  { path: '/scheduler/jobs/nothing/rerun', good: {}, fields: {} },
];

describe.each(POSTS)('POST $path', ({ path, good, fields }) => {
  const post = (body: unknown): Promise<Refusal> => send('POST', path, JSON.stringify(body));
  const raw = (body: string | Buffer, headers?: Record<string, string>): Promise<Refusal> =>
    send('POST', path, body, headers);

  const known = Object.entries(fields);
  if (known.length > 0) {
    it.each(known)('refuses a wrong %s', async (name, { wrong }) => {
      for (const value of wrong) {
        const answer = await post({ ...good, [name]: value });
        expectEnvelope(answer, 400);
        const [fault] = answer.body.data.errors as { loc: unknown[] }[];
        expect([value, fault?.loc.slice(0, 2)]).toEqual([value, ['body', name]]);
        expect(answer.body.message).toContain(name);
      }
    });

    it('takes neither nothing nor an empty object', async () => {
      for (const body of ['', '{}']) {
        const answer = await raw(body);
        expectEnvelope(answer, 400);
        expect(answer.body.data.errors[0]).toMatchObject({ type: 'missing' });
      }
    });
  }

  it.each(NO_OBJECT_BODIES)('takes an object, not %s', async (body) => {
    expectFault(await raw(body), ['body'], 'type');
  });

  it.each(UNKEPT_VALUES)('refuses %s', async (_name, value) => {
    expectFault(await raw(withExtra(good, value)), ['body']);
  });

  it.each(MALFORMED_BODIES)('calls %s malformed', async (_name, body) => {
    expectEnvelope(await raw(body), 400);
  });

  it('refuses a body above the limit', async () => {
    const limit = path.endsWith('/batch') ? 32 * 1_048_576 : 1_048_576;
    const answer = await raw(JSON.stringify({ ...good, padding: 'x'.repeat(limit) }));
    expectEnvelope(answer, 413);
    expect(answer.body.message).toBe(`the body is larger than ${limit} bytes`);
  });

  it.each(CLOSED_DOORS)('answers %i to %s', async (status, _name, headers) => {
    expectEnvelope(await raw(JSON.stringify(good), headers), status);
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('answers 405 to %s', async (method) => {
    const answer = await send(method, path);
    expectEnvelope(answer, 405);
    expect(String(answer.headers['allow'])).toContain('POST');
  });
});

describe('a job of a batch', () => {
  const good = { command: 'true' };
  const post = (job: unknown): Promise<Refusal> =>
    send('POST', '/scheduler/jobs/batch', JSON.stringify({ jobs: [good, good, job] }));

  it.each(Object.entries(JOB_FIELDS))('has no wrong %s', async (name, { wrong }) => {
    for (const value of wrong) {
      const answer = await post({ ...good, [name]: value });
      expectEnvelope(answer, 400);
      const [fault] = answer.body.data.errors as { loc: unknown[] }[];
      expect(fault?.loc.slice(0, 4)).toEqual(['body', 'jobs', 2, name]);
      expect(answer.body.message).toContain(`jobs[2].${name}`);
    }
  });

  it('has a command', async () => {
    expectFault(await post({}), ['body', 'jobs', 2, 'command'], 'missing');
  });

  it.each([[null], [7], ['x'], [true], [[]]])('is no %j', async (job) => {
    expectFault(await post(job), ['body', 'jobs', 2], 'type');
  });

  it('is one of 2 000 at most, those of arrays counted', async () => {
    const jobs = Array.from({ length: 2_001 }, () => good);
    const many = await send('POST', '/scheduler/jobs/batch', JSON.stringify({ jobs }));
    expectFault(many, ['body', 'jobs'], 'length');
    const arrays = [
      { command: 'a', count: 1_999 },
      { command: 'b', parameters: ['x', 'y'] },
    ];
    const both = await send('POST', '/scheduler/jobs/batch', JSON.stringify({ jobs: arrays }));
    expectFault(both, ['body', 'jobs'], 'length');
  });

  it('may be refused by the limit of the queue, and takes all others along', async () => {
    const small = await commandRig({ FORESAIL_QUEUE_LIMIT: '5' });
    try {
      const jobs = Array.from({ length: 6 }, () => good);
      const { status, headers, body } = await small.rig.post('/scheduler/jobs/batch', { jobs });
      expectEnvelope({ status, headers, body }, 503);
      expect(headers['retry-after']).toBe('1');
      expect(listOf(await small.rig.get('/scheduler/jobs'), 'jobs')).toEqual([]);
      dataOf(await small.rig.post('/scheduler/jobs/batch', { jobs: jobs.slice(1) }));
    } finally {
      await small.close();
    }
  });
});

describe('a query', () => {
  it.each([
    ['limit', '/scheduler/jobs?limit=0'],
    ['limit', '/scheduler/jobs?limit=10001'],
    ['limit', '/scheduler/jobs?limit=x'],
    ['limit', '/scheduler/jobs?limit='],
    ['limit', '/scheduler/jobs?limit=1&limit=2'],
    ['limit[]', '/scheduler/jobs?limit[]=1'],
    ['offset', '/scheduler/jobs?offset=-1'],
    ['offset', '/scheduler/jobs?offset=9007199254740993'],
    ['status', '/scheduler/jobs?status='],
    ['status', '/scheduler/jobs?status=RUNNING&status=PAUSED'],
    ['status[x]', '/scheduler/jobs?status[x]=RUNNING'],
    ['owner', '/scheduler/jobs?owner=%00'],
    ['owner', '/scheduler/jobs?owner=%ff'],
    ['project', '/scheduler/jobs?project=a&project=b'],
  ])('has no wrong %s: %s', async (name, path) => {
    expectFault(await send('GET', path), ['query', name]);
  });

  it.each(['operator=a&operator=b', `operator=${'x'.repeat(201)}`, 'operator=%00'])(
    'has no wrong operator: %s',
    async (query) => {
      const answer = await send('POST', `/scheduler/jobs/${jobId}/rerun?${query}`);
      expectFault(answer, ['query', 'operator']);
    },
  );
});

describe('a path', () => {
  it.each([
    ['GET', '/scheduler'],
    ['GET', '/scheduler/'],
    ['GET', '/scheduler/nothing'],
    ['POST', '/scheduler/jobs/x/restart'],
    ['GET', '/scheduler/jobs/x/y/z'],
    ['GET', '/scheduler/Jobs'],
  ])('that is nobody’s is 404 in the envelope: %s %s', async (method, path) => {
    expectEnvelope(await send(method, path), 404);
  });

  it.each(['%00', '%ff', '%'])('that is no text is refused: %s', async (id) => {
    expectFault(await send('GET', `/scheduler/jobs/${id}`), ['path', 'job_id']);
  });

  it('of SwarmPilot is answered in its words', async () => {
    for (const path of ['/scheduler/set', '/scheduler/predict_mode']) {
      const { status, body } = await send('GET', path);
      const answer = { status: 'error', message: expect.any(String), detail: expect.any(String) };
      expect([status, body]).toEqual([405, answer]);
    }
  });

  it.each([
    ['/scheduler/health', 'GET, HEAD'],
    ['/scheduler/hosts', 'GET, HEAD'],
    ['/scheduler/metrics/summary', 'GET, HEAD'],
    ['/scheduler/jobs', 'POST, GET, HEAD'],
  ])('takes certain methods only: %s', async (path, allow) => {
    const answer = await send('DELETE', path);
    expectEnvelope(answer, 405);
    expect(answer.headers['allow']).toBe(allow);
  });
});

describe('an Idempotency-Key', () => {
  it.each(['', 'x'.repeat(201), 'caf\u00e9'])('is no %j', async (key) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    for (const [path, body] of [
      ['/scheduler/jobs', '{"command":"true"}'],
      ['/scheduler/jobs/batch', '{"jobs":[{"command":"true"}]}'],
      [`/scheduler/jobs/${jobId}/rerun`, '{}'],
    ] as const) {
      expectFault(await send('POST', path, body, headers), ['header', 'idempotency-key']);
    }
  });
});

describe('a job that has not ended', () => {
  it('is not run again', async () => {
    const answer = await send('POST', `/scheduler/jobs/${jobId}/rerun`);
    expectEnvelope(answer, 400);
    expect(answer.body.message).toBe(
      `job ${jobId} cannot be run again: it is queued, and has not ended`,
    );
  });
});
