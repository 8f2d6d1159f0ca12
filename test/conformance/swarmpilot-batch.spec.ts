import { ConformanceRig, UUID } from '../support/conformance-rig';
import type { OriginalInstance } from '../support/original-instance';
import { PostgresProxy } from '../support/postgres-proxy';
import type { Answer, Json } from '../support/service-process';
import { until } from '../support/until';
import { violationsIn } from '../support/verdict';

jest.setTimeout(120_000);

const MIB = 1_048_576;

let rig: ConformanceRig;
let proxy: PostgresProxy;
let instance: OriginalInstance;
let instanceId: string;

beforeAll(async () => {
  rig = await ConformanceRig.start(
    // Whether a task that was reserved in an outage was sent is in doubt: that is soon over here.
    {
      FORESAIL_QUEUE_LIMIT: '20000',
      FORESAIL_ENQUEUE_MS: '4000',
      FORESAIL_AMBIGUITY_MS: '5000',
    },
    async (url) => {
      proxy = await PostgresProxy.listen(url);
      return proxy.url;
    },
  );
  [instance, instanceId] = await rig.registered({ slots: 1_000 });
});
afterAll(async () => {
  proxy.admit();
  await rig.close();
  await proxy.close();
});

const batch = (tasks: readonly object[], model = 'm'): Promise<Answer> =>
  rig.post('/queue/submit_batch', { model_name: model, tasks });

/** Long, so that nobody asks for its result. */
const task = (taskId?: string, overrides: object = {}): object => ({
  task_input: { taskId },
  metadata: { predicted_ms: 600_000 },
  ...(taskId === undefined ? {} : { task_id: taskId }),
  ...overrides,
});

const named = (prefix: string, count: number): object[] =>
  Array.from({ length: count }, (_, n) => task(`${prefix}-${n}`));

const taken = (index: number, taskId: unknown, on = instanceId): object => ({
  index,
  status: 'success',
  task_id: taskId,
  scheduled_ti: on,
  error: null,
});

/** Rows of tasks whose client id begins so. */
const rowsOf = async (prefix: string): Promise<readonly string[]> =>
  ((await rig.rows())['tasks'] ?? []).filter((row) => row.includes(`,${prefix}`));

it('answers with the sum and each task in its place, and nothing else', async () => {
  const { status, headers, body } = await batch([task('one'), task(), task('three')]);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(body).toEqual({
    status: 'success',
    message: '3 of 3 tasks were taken',
    total_tasks: 3,
    successful_tasks: 3,
    failed_tasks: 0,
    results: [taken(0, 'one'), taken(1, expect.stringMatching(UUID)), taken(2, 'three')],
  });
  expect((await rig.query('one')).task_id).toBe('one');
  const { task_id: own } = body.results[1];
  expect((await rig.query(own)).task_id).toBe(own);
});

it.each([
  ['null for an id', { task_id: null }],
  ['no metadata', { metadata: undefined }],
  ['more than is known', { more: 1 }],
  ['an empty input', { task_input: {} }],
])('takes %s', async (_name, fields) => {
  const { body } = await batch([{ ...task(), ...fields }]);
  expect(body).toMatchObject({ status: 'success', failed_tasks: 0 });
});

it('answers a repeat of the whole batch with the same tasks, and keeps nothing twice', async () => {
  const tasks = named('again', 200);
  const first = await batch(tasks);
  expect(first.body).toMatchObject({ status: 'success', successful_tasks: 200 });
  const before = await rig.rows();
  expect((await batch(tasks)).body).toEqual(first.body);
  expect(await rig.rows()).toEqual(before);
});

it('answers repeats that come at once with the same tasks', async () => {
  const tasks = named('at-once', 100);
  const answers = await Promise.all([batch(tasks), batch(tasks), batch(tasks)]);
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(await rowsOf('at-once-')).toHaveLength(100);
});

it('answers a repeat also for tasks that have ended, and after a restart', async () => {
  const tasks = named('ended', 3);
  const { body } = await batch(tasks);
  const { remoteId } = await given('ended-1');
  instance.finish(remoteId, { done: true });
  const notification = { task_id: remoteId, instance_id: instance.name, execution_time: 1 };
  await rig.post('/notify/task_complete', notification);
  await rig.completed('ended-1');
  expect((await batch(tasks)).body).toEqual(body);
  await rig.restart();
  expect((await batch(tasks)).body).toEqual(body);
});

it('takes an id that stands several times for one task', async () => {
  const { body } = await batch([
    task('same', { task_input: { first: true } }),
    task('other'),
    task('same', { task_input: { second: true } }),
    task('same'),
  ]);
  const results = ['same', 'other', 'same', 'same'].map((id, index) => taken(index, id));
  expect(body).toMatchObject({ status: 'success', successful_tasks: 4, results });
  const rows = await rowsOf('same,');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toContain('first');
});

it('refuses a task above 1 MiB, and takes the others', async () => {
  const large = (bytes: number): object => {
    const around = JSON.stringify({ text: '' }).length + '{}'.length;
    return { task_input: { text: 'x'.repeat(bytes - around) }, metadata: {} };
  };
  const { body } = await batch([task('small'), large(MIB + 1), { ...large(MIB), task_id: 'fits' }]);
  const error = `task_input and metadata are ${MIB + 1} bytes; allowed are ${MIB}`;
  expect(body).toEqual({
    status: 'partial',
    message: '2 of 3 tasks were taken',
    total_tasks: 3,
    successful_tasks: 2,
    failed_tasks: 1,
    results: [
      taken(0, 'small'),
      { index: 1, status: 'error', task_id: null, scheduled_ti: null, error },
      taken(2, 'fits'),
    ],
  });
});

it('takes a batch of many MiB', async () => {
  const text = 'é'.repeat(MIB / 4);
  const tasks = named('heavy', 40).map((one) => ({ ...one, task_input: { text } }));
  expect((await batch(tasks)).body).toMatchObject({ status: 'success', successful_tasks: 40 });
});

it('is an error for each when no instance of the model is registered', async () => {
  const before = await rig.rows();
  const { status, body } = await batch([task('nowhere'), task()], 'nobody-serves-this');
  const error = expect.stringMatching(/no instance .*nobody-serves-this/);
  const refused = { status: 'error', scheduled_ti: null, error };
  expect([status, body]).toEqual([
    200,
    {
      status: 'error',
      message: '0 of 2 tasks were taken',
      total_tasks: 2,
      successful_tasks: 0,
      failed_tasks: 2,
      results: [
        { index: 0, task_id: 'nowhere', ...refused },
        { index: 1, task_id: null, ...refused },
      ],
    },
  ]);
  expect(await rig.rows()).toEqual(before);
});

it('is refused whole when one of its tasks is wrong', async () => {
  const before = await rig.rows();
  const { status, body } = await batch([task('fine'), { metadata: {} }]);
  expect([status, body.detail[0].loc]).toEqual([422, ['body', 'tasks', 1, 'task_input']]);
  expect(await rig.rows()).toEqual(before);
});

it('hands every payload over exactly', async () => {
  const input =
    '{"numbers":[1e20,-0,1.0,5e-324],"text":"\u{1F600} é","__proto__":{"x":1},"n":"exact", "10":1,' +
    '"twice":1,"twice":2}';
  const body = `{"model_name":"m","tasks":[{"task_input":${input},"metadata":{"a":[null]}}]}`;
  expect((await rig.service.send('POST', '/queue/submit_batch', body)).status).toBe(200);
  const isIt = ({ input: sent }: { input: unknown }): boolean => (sent as Json).n === 'exact';
  await until(() => instance.given.some(isIt), 'the task to be sent');
  expect(instance.given.find(isIt)?.body).toContain(`"input_data":${input},`);
});

it('takes 10 000 tasks, each in its place', async () => {
  const [, slowId] = await rig.registered({ model: 'slow', slots: 0 });
  const { status, body } = await batch(named('many', 10_000), 'slow');
  expect([status, body.status, body.successful_tasks]).toEqual([200, 'success', 10_000]);
  expect(body.results).toEqual(
    Array.from({ length: 10_000 }, (_, n) => taken(n, `many-${n}`, slowId)),
  );
  expect(await rowsOf('many-')).toHaveLength(10_000);
  expect((await rig.query('many-9999')).task_status).toBe('queued');
});

it('takes what fits into the queue, and refuses the rest one by one', async () => {
  const [, slowId] = await rig.registered({ model: 'full', slots: 0 });
  for (const part of ['x', 'y']) await batch(named(part, 9_999), 'full');
  const { status, body } = await batch(named('last', 4), 'full');
  expect([status, body.status, body.successful_tasks, body.failed_tasks]).toEqual([
    200,
    'partial',
    2,
    2,
  ]);
  const error = expect.stringMatching(
    /^20000 tasks wait for model "full"; the limit of its queue is 20000$/,
  );
  const refused = { status: 'error', scheduled_ti: null, error };
  expect(body.results).toEqual([
    taken(0, 'last-0', slowId),
    taken(1, 'last-1', slowId),
    { index: 2, task_id: 'last-2', ...refused },
    { index: 3, task_id: 'last-3', ...refused },
  ]);
  expect(await rowsOf('last-')).toHaveLength(2);
});

it('fails whole with 503 while the database is away, and is taken afterwards', async () => {
  const tasks = named('meanwhile', 3);
  proxy.refuse();
  const { status, headers, body } = await batch(tasks);
  expect([status, body]).toEqual([
    503,
    { status: 'error', message: expect.any(String), detail: body.message },
  ]);
  expect(headers['retry-after']).toMatch(/^\d+$/);
  proxy.admit();
  await until(async () => (await rig.get('/health')).status === 200, 'health', 60_000);
  expect((await batch(tasks)).body).toMatchObject({ status: 'success', successful_tasks: 3 });
  expect(await rowsOf('meanwhile-')).toHaveLength(3);
});

it('has broken no invariant', async () => {
  expect(await violationsIn(rig.database.url)).toEqual([]);
});

/** What the instance was given for the task of that client's id. */
async function given(taskId: string): Promise<OriginalInstance['given'][number]> {
  const found = (): OriginalInstance['given'][number] | undefined =>
    instance.given.find(({ input }) => (input as { taskId?: string }).taskId === taskId);
  const isScheduled = async (): Promise<boolean> =>
    (await rig.query(taskId)).task_status === 'scheduled';
  await until(async () => found() !== undefined && (await isScheduled()), `${taskId} to be sent`);
  return found()!;
}
