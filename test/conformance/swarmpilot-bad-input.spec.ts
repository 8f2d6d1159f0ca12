import { Readable } from 'node:stream';
import { request } from 'undici';
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

// --- what each call takes --------------------------------------------------------------------

const text = (most: number): FieldRule => ({
  wrong: [...NO_TEXT, null, '', 'x'.repeat(most + 1), 'é'.repeat(most + 1)],
  required: true,
});
const optionalText = (most: number): FieldRule => ({
  wrong: [...NO_TEXT, '', 'x'.repeat(most + 1)],
});
const host: FieldRule = {
  wrong: [
    ...text(253).wrong,
    ...[
      'http://h',
      'h:80',
      'h/x',
      'u@h',
      'a b',
      ' h',
      'h\n',
      '[::1]',
      '-h',
      '..',
      'é',
      'h?x',
      'h#',
    ],
  ],
  required: true,
};
const port: FieldRule = {
  wrong: ['80', 1.5, 0, -1, 65_536, 1e300, true, null, [], [80], {}, ''],
  required: true,
};
const duration: FieldRule = {
  wrong: ['1', -0.001, -1e300, true, null, [], [1], {}, ''],
  required: true,
};
const object: FieldRule = { wrong: NO_OBJECT, required: true };
const MIB = 1_048_576;
/** Bytes that a body may have where that is not 1 MiB. */
const LIMITS: Readonly<Record<string, number>> = {
  '/queue/submit_batch': 32 * MIB,
  '/result/submit': 2 * MIB,
};

const REPORT = { task_id: 'nothing', instance_id: 'ti', execution_time: 1 };
const REPORT_FIELDS = { task_id: text(512), instance_id: text(512), execution_time: duration };

const POSTS: readonly BodyCall[] = [
  {
    path: '/ti/register',
    good: { host: '127.0.0.1', port: 1, model_name: 'm' },
    fields: { host, port, model_name: optionalText(256) },
  },
  {
    path: '/ti/remove',
    good: { host: '127.0.0.1', port: 1, ti_uuid: 'nobody' },
    fields: {
      host: taking(host, null),
      port: taking(port, null),
      ti_uuid: optionalText(512),
    },
  },
  {
    path: '/queue/submit',
    good: { model_name: 'nobody', task_input: {}, metadata: {}, task_id: 'c' },
    fields: {
      model_name: text(256),
      task_input: object,
      metadata: taking(object),
      task_id: optionalText(256),
    },
  },
  {
    path: '/queue/submit_batch',
    good: { model_name: 'nobody', tasks: [{ task_input: {} }] },
    fields: {
      model_name: text(256),
      tasks: { wrong: [null, 7, true, 'x', {}, []], required: true },
    },
  },
  { path: '/task/clear', good: {}, fields: {} },
  { path: '/result/fetch', good: { task_id: 't' }, fields: { task_id: text(512) } },
  { path: '/notify/task_complete', good: REPORT, fields: REPORT_FIELDS },
  {
    path: '/result/submit',
    good: { ...REPORT, result: {}, metadata: {} },
    fields: { ...REPORT_FIELDS, result: object, metadata: taking(object, null) },
  },
  {
    path: '/scheduler/set',
    good: { name: 'nothing', model_name: 'm' },
    fields: { name: text(100), model_name: optionalText(256) },
  },
  { path: '/scheduler/predict_mode', good: { mode: 'nothing' }, fields: { mode: text(100) } },
];

// --- bodies ----------------------------------------------------------------------------------

describe.each(callsHere(POSTS))('POST $path', ({ path, good, fields }) => {
  const post = (body: unknown): Promise<Refusal> => send('POST', path, JSON.stringify(body));
  const raw = (body: string | Buffer, headers?: Record<string, string>): Promise<Refusal> =>
    send('POST', path, body, headers);

  const known = Object.entries(fields);
  if (known.length > 0) {
    it.each(known)('refuses a wrong %s', async (name, { wrong }) => {
      for (const value of wrong) {
        expectFaults(await post({ ...good, [name]: value }), ['body', name]);
      }
    });

    it('takes neither nothing nor an empty object', async () => {
      for (const body of ['', '{}']) {
        const answer = await raw(body);
        expectRefusal(answer, 422);
        expect(answer.body.detail[0]).toMatchObject({ type: 'missing' });
      }
    });
  }

  const required = known.filter(([, rule]) => rule.required === true);
  if (required.length > 0) {
    it.each(required)('misses %s', async (name) => {
      expectFaults(await post(without(good, name)), ['body', name], 'missing');
    });
  }

  it.each(NO_OBJECT_BODIES)('takes an object, not %s', async (body) => {
    expectFaults(await raw(body), ['body'], 'type');
  });

  it.each(UNKEPT_VALUES)('refuses %s', async (_name, value) => {
    expectFaults(await raw(withExtra(good, value)), ['body']);
  });

  it.each(MALFORMED_BODIES)('calls %s malformed', async (_name, body) => {
    const answer = await raw(body);
    expectRefusal(answer, 400);
    expect(answer.body.detail).toBe(answer.body.message);
  });

  it('refuses a body above the limit, however it comes', async () => {
    const limit = LIMITS[path] ?? MIB;
    const body = JSON.stringify({ ...good, padding: 'x'.repeat(limit) });
    // A stream has no length that could be announced.
    for (const sent of [body, Readable.from(chunks(body))]) {
      const answer = await request(rig.service.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: sent,
      });
      const refusal = {
        status: answer.statusCode,
        headers: answer.headers,
        body: await answer.body.json(),
      };
      expectRefusal(refusal, 413);
      expect(refusal.body).toMatchObject({
        message: `the body is larger than ${limit} bytes`,
        detail: `the body is larger than ${limit} bytes`,
      });
    }
  });

  it.each(CLOSED_DOORS)('answers %i to %s', async (status, _name, headers) => {
    const answer = await raw(JSON.stringify(good), headers);
    expectRefusal(answer, status);
    expect(answer.body.detail).toBe(answer.body.message);
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])('answers 405 to %s', async (method) => {
    const answer = await send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('POST');
    if (method !== 'HEAD') expectRefusal(answer, 405);
  });

  it('answers OPTIONS with what is allowed, and no leave for other sites', async () => {
    const { status, headers } = await send('OPTIONS', path);
    expect([status, headers['allow']]).toEqual([200, 'POST, OPTIONS']);
    expect(Object.keys(headers)).not.toContain('access-control-allow-origin');
  });
});

describeOnce('a task of a batch', () => {
  const good = { task_input: {}, metadata: {}, task_id: 'c' };
  const fields = {
    task_input: object,
    metadata: taking(object),
    task_id: optionalText(256),
  };
  const post = (task: unknown): Promise<Refusal> => {
    const tasks = [good, { ...good, task_id: 'd' }, task];
    return send('POST', '/queue/submit_batch', JSON.stringify({ model_name: 'm', tasks }));
  };

  it.each(Object.entries(fields))('has no wrong %s', async (name, { wrong }) => {
    for (const value of wrong) {
      expectFaults(await post({ ...good, [name]: value }), ['body', 'tasks', 2, name]);
    }
  });

  it('has an input', async () => {
    const answer = await post(without(good, 'task_input'));
    expectFaults(answer, ['body', 'tasks', 2, 'task_input'], 'missing');
    expect(answer.body.message).toContain('tasks[2].task_input');
  });

  it.each([[null], [7], ['x'], [true], [[]], [[good]]])('is no %j', async (task) => {
    expectFaults(await post(task), ['body', 'tasks', 2], 'type');
  });

  it('is one of 10 000 at most', async () => {
    const tasks = Array.from({ length: 10_001 }, () => ({ task_input: {} }));
    const body = JSON.stringify({ model_name: 'm', tasks });
    expectFaults(await send('POST', '/queue/submit_batch', body), ['body', 'tasks'], 'length');
  });
});

function* chunks(text: string): Generator<Buffer> {
  for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536));
}
