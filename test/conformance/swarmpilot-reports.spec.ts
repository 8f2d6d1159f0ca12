import { ConformanceRig, describeOnce, UUID } from '../support/conformance-rig';
import type { GivenTask, OriginalInstance } from '../support/original-instance';
import type { Answer, Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(60_000);

const RESULT_LIMIT = 20_000;

let rig: ConformanceRig;
let instance: OriginalInstance;
let instanceId: string;

beforeAll(async () => {
  rig = await ConformanceRig.start({
    FORESAIL_RESULT_LIMIT_BYTES: String(RESULT_LIMIT),
    FORESAIL_BODY_LIMIT_BYTES: '10000',
    FORESAIL_RESULT_PATIENCE_MS: '300',
  });
  [instance, instanceId] = await rig.registered({ slots: 1_000 });
});
afterAll(() => rig.close());

/** A task that the instance has, and that the scheduler knows that it has. */
async function running(taskId: string): Promise<GivenTask> {
  // Long, so that the report comes before anybody asks for the result.
  await rig.submit(taskId, { task_input: { taskId }, metadata: { predicted_ms: 600_000 } });
  const isIt = ({ input }: GivenTask): boolean => (input as { taskId: string }).taskId === taskId;
  await until(
    async () => instance.given.some(isIt) && (await rig.query(taskId)).task_status === 'scheduled',
    `${taskId} to be at the instance`,
  );
  return instance.given.find(isIt)!;
}

const notify = (taskId: string, body: object = {}): Promise<Answer> =>
  rig.post('/notify/task_complete', {
    task_id: taskId,
    instance_id: instance.name,
    execution_time: 7.5,
    ...body,
  });

const report = (taskId: string, body: object = {}): Promise<Answer> =>
  rig.post('/result/submit', {
    task_id: taskId,
    instance_id: instance.name,
    execution_time: 7.5,
    result: { by: 'report' },
    ...body,
  });

const SUCCESS = { status: 'success', message: expect.any(String) };

describe('POST /notify/task_complete', () => {
  const TOTAL = { ...SUCCESS, total_time_ms: expect.any(Number) };

  it('answers with status, message and total_time_ms; the result is fetched', async () => {
    const { remoteId } = await running('n1');
    instance.finish(remoteId, { by: 'fetching' });
    const { status, headers, body } = await notify(remoteId);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(body).toEqual(TOTAL);
    expect(body.total_time_ms).toBeGreaterThan(0);
    expect(body.total_time_ms).toBeLessThan(60_000);
    expect((await rig.completed('n1')).result).toEqual({ by: 'fetching' });
  });

  it.each([
    ['our own', ({ metadata }: GivenTask): string => String(metadata['task_id'])],
    ["the client's", (): string => "n by the client's"],
  ])('takes %s id for the task', async (whose, idOf) => {
    const taskId = `n by ${whose}`;
    const task = await running(taskId);
    instance.finish(task.remoteId, { by: 'fetching' });
    expect((await notify(idOf(task))).body).toEqual(TOTAL);
    expect((await rig.completed(taskId)).result).toEqual({ by: 'fetching' });
  });

  it.each([
    ['host:port', (): string => instance.address],
    ['ti_uuid', (): string => instanceId],
  ])('takes %s for the instance', async (named, nameOf) => {
    const taskId = `n from ${named}`;
    const { remoteId } = await running(taskId);
    instance.finish(remoteId, { by: 'fetching' });
    expect((await notify(remoteId, { instance_id: nameOf() })).body).toEqual(TOTAL);
    expect((await rig.completed(taskId)).result).toEqual({ by: 'fetching' });
  });

  it('fetches the error of a task that failed', async () => {
    const { remoteId } = await running('n2');
    instance.fail(remoteId, 'out of memory');
    expect((await notify(remoteId)).body).toEqual(TOTAL);
    expect((await rig.completed('n2')).result).toEqual({ error: 'out of memory' });
  });

  it('takes null for the result when the instance has none to show', async () => {
    const { remoteId } = await running('n3');
    instance.drop(remoteId);
    expect((await notify(remoteId)).body).toEqual(TOTAL);
    expect((await rig.completed('n3')).result).toBeNull();
  });

  it('changes nothing when it is repeated, and says success again', async () => {
    const { remoteId } = await running('n4');
    instance.finish(remoteId, {});
    await notify(remoteId);
    const completed = await rig.completed('n4');
    const { tasks, attempts } = await rig.rows();
    const first = await notify(remoteId, { execution_time: 1 });
    expect(first).toMatchObject({ status: 200, body: TOTAL });
    expect((await notify('n4')).body).toEqual(first.body);
    expect(await rig.query('n4')).toEqual(completed);
    expect(await rig.rows()).toMatchObject({ tasks, attempts });
  });

  it('warns of an unknown instance, with 200', async () => {
    await running('n5');
    const before = await rig.rows();
    const { status, body } = await notify('n5', { instance_id: 'nobody' });
    expect([status, body]).toEqual([
      200,
      {
        status: 'warning',
        message: 'no instance "nobody" is registered',
        total_time_ms: null,
      },
    ]);
    expect(await rig.rows()).toEqual(before);
  });

  it('warns of an unknown task, with 200', async () => {
    const before = await rig.rows();
    const { status, body } = await notify('nothing');
    expect([status, body]).toEqual([
      200,
      {
        status: 'warning',
        message: `instance "${instance.name}" has no task "nothing"`,
        total_time_ms: null,
      },
    ]);
    expect(await rig.rows()).toEqual(before);
  });
});

describeOnce('POST /result/submit', () => {
  it('answers with status and message; the end is durable by then', async () => {
    const { remoteId } = await running('r1');
    const { status, headers, body } = await report(remoteId);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(body).toEqual({ status: 'success', message: 'recorded' });
    const { tasks } = await rig.rows();
    expect(tasks).toContainEqual(expect.stringContaining('""by"":""report""'));
    expect(await rig.query('r1')).toMatchObject({
      task_status: 'completed',
      scheduled_ti: instanceId,
      result: { by: 'report' },
    });
  });

  it.each([
    ['the id of the instance', (): object => ({ instance_id: instanceId })],
    ['its address', (): object => ({ instance_id: instance.address })],
    ['a replica as text', (): object => ({ replica_id: 'replica-1' })],
    ['a replica as number', (): object => ({ replica_id: 1 })],
    ['null for what may be absent', (): object => ({ replica_id: null, metadata: null })],
    ['metadata', (): object => ({ metadata: { a: [1] } })],
    ['more than is known', (): object => ({ more: true })],
    ['an execution time of 0', (): object => ({ execution_time: 0 })],
    ['an execution time that cannot be', (): object => ({ execution_time: 1e300 })],
  ])('takes %s', async (name, fields) => {
    const { remoteId } = await running(name);
    expect((await report(remoteId, fields())).body).toEqual(SUCCESS);
    expect((await rig.query(name)).result).toEqual({ by: 'report' });
  });

  it("takes our id and the client's for the task, and dispatch_id for the attempt", async () => {
    const { metadata } = await running('r2');
    expect(metadata['task_id']).toMatch(UUID);
    expect((await report(String(metadata['task_id']))).body).toEqual(SUCCESS);
    expect((await rig.query('r2')).task_status).toBe('completed');
    await running('r3');
    expect((await report('r3')).body).toEqual(SUCCESS);
    expect((await rig.query('r3')).task_status).toBe('completed');
    const { metadata: named } = await running('r4');
    const attempt = { metadata: { dispatch_id: named['dispatch_id'] } };
    expect((await report('whatever', attempt)).body).toEqual(SUCCESS);
    expect((await rig.query('r4')).task_status).toBe('completed');
  });

  it('keeps the result exactly', async () => {
    const { remoteId } = await running('r5');
    const result =
      '{"n":[1e300,-0,1.0,9007199254740991],"__proto__":{"x":1},"text":"\u{1F600}\\n","e":{}, "1":2}';
    const body = `{"task_id":"${remoteId}","instance_id":"${instance.name}","execution_time":1,"result":${result}}`;
    await rig.service.send('POST', '/result/submit', body);
    const answer = await fetch(`${rig.service.url}/task/query?task_id=r5`);
    expect(await answer.text()).toContain(`"result":${result}}`);
  });

  it('takes a result that is nothing but an error for a failure', async () => {
    const { remoteId } = await running('r6');
    expect((await report(remoteId, { result: { error: 'no "memory"' } })).body).toEqual(SUCCESS);
    expect((await rig.query('r6')).result).toEqual({ error: 'no "memory"' });
    expect((await rig.get('/v1/tasks/r6')).body).toMatchObject({
      state: 'failed',
      failure: { kind: 'worker_error', message: 'no "memory"' },
    });
  });

  it('takes a result with an error among others for a success', async () => {
    const { remoteId } = await running('r7');
    await report(remoteId, { result: { error: 'none', output: 1 } });
    expect((await rig.query('r7')).result).toEqual({ error: 'none', output: 1 });
    expect((await rig.get('/v1/tasks/r7')).body.state).toBe('succeeded');
  });

  it('ends the task as failed when the result is above its limit, also above the body limit', async () => {
    const { remoteId } = await running('r8');
    const result = { text: 'x'.repeat(RESULT_LIMIT) };
    expect((await report(remoteId, { result })).body).toEqual(SUCCESS);
    const error = `result too large: ${RESULT_LIMIT + 11} bytes, allowed are ${RESULT_LIMIT}`;
    expect((await rig.query('r8')).result).toEqual({ error });
    const { remoteId: other } = await running('r9');
    const fits = { text: 'x'.repeat(RESULT_LIMIT - 11) };
    expect((await report(other, { result: fits })).body).toEqual(SUCCESS);
    expect((await rig.query('r9')).result).toEqual(fits);
  });

  it('changes nothing when it is repeated, whatever it says, and says success again', async () => {
    const { remoteId } = await running('r10');
    await report(remoteId);
    const completed = await rig.query('r10');
    const { tasks, attempts } = await rig.rows();
    for (const taskId of [remoteId, 'r10', remoteId]) {
      const repeat = await report(taskId, { result: { error: 'changed my mind' } });
      expect([repeat.status, repeat.body]).toEqual([200, SUCCESS]);
    }
    expect(await rig.query('r10')).toEqual(completed);
    expect(await rig.rows()).toMatchObject({ tasks, attempts });
    const { events } = (await rig.get('/v1/tasks/r10')).body;
    const repeats = (events as Json[]).filter(({ type }) => type === 'duplicate_result');
    expect(repeats).toMatchObject([{ message: `reported again by ${instance.name}` }]);
  });

  it.each([
    ['the id that its instance gave it', ({ remoteId }: GivenTask): string => remoteId],
    ["the client's id", (): string => "overdue, by the client's id"],
    ['our own id', ({ metadata }: GivenTask): string => String(metadata['task_id'])],
  ])('frees the slot of a task that had taken too long, by %s', async (named, idOf) => {
    const taskId = `overdue, by ${named}`;
    const [late, lateId] = await rig.registered({ model: 'late' });
    const occupied = async (): Promise<unknown> => {
      const { instances } = (await rig.get('/v1/instances')).body as {
        instances: { id: string; occupied: number }[];
      };
      return instances.find(({ id }) => id === lateId)?.occupied;
    };
    const metadata = { predicted_ms: 600_000, timeout_ms: 4_000 };
    await rig.submit(taskId, { model_name: 'late', metadata });
    await until(() => late.given.length === 1, 'the task to be sent');
    const completed = await rig.completed(taskId);
    expect(await occupied()).toBe(1);
    const answer = await report(idOf(late.given[0]!), { instance_id: late.name });
    expect(answer.body).toEqual(SUCCESS);
    expect(await occupied()).toBe(0);
    expect(await rig.query(taskId)).toEqual(completed);
    await rig.post('/ti/remove', { ti_uuid: lateId });
  });

  it('is an error with 200 for an unknown instance or task', async () => {
    await running('r11');
    const before = await rig.rows();
    const unknownInstance = await report('r11', { instance_id: 'nobody' });
    expect([unknownInstance.status, unknownInstance.body]).toEqual([
      200,
      { status: 'error', message: 'no instance "nobody" is registered' },
    ]);
    const unknownTask = await report('nothing');
    expect([unknownTask.status, unknownTask.body]).toEqual([
      200,
      { status: 'error', message: `instance "${instance.name}" has no task "nothing"` },
    ]);
    expect(await rig.rows()).toEqual(before);
  });

  it('is an error for a task of another instance, and changes nothing', async () => {
    const { metadata } = await running('r12');
    const [other] = await rig.registered({ model: 'other' });
    const before = (await rig.get('/v1/tasks/r12')).body;
    const foreign = { instance_id: other.name };
    const message = `instance "${other.name}" has no task "r12"`;
    expect((await report('r12', foreign)).body).toEqual({ status: 'error', message });
    const named = { ...foreign, metadata: { dispatch_id: metadata['dispatch_id'] } };
    expect((await report('r12', named)).body).toEqual({ status: 'error', message });
    const { events, ...after } = (await rig.get('/v1/tasks/r12')).body;
    const note = expect.objectContaining({ type: 'foreign_result', from: null, to: null });
    expect(after).toEqual(expect.objectContaining({ state: 'dispatched', result: null }));
    expect(events).toEqual([...before.events, note]);
    expect(after.attempts).toEqual(before.attempts);
  });
});

describeOnce('the reference worker', () => {
  it('registers, executes, reports success and failure, and leaves', async () => {
    const worker = await rig.worker('--model', 'real', '--replicas', '2', '--id', 'w1');
    const real = { model_name: 'real', task_input: { n: 1 } };
    await rig.submit('w-good', { ...real, metadata: { service_ms: 5 } });
    await rig.submit('w-bad', { ...real, metadata: { service_ms: 5, fail: 'out of memory' } });
    expect((await rig.completed('w-good')).result).toMatchObject({ output: { n: 1 } });
    expect((await rig.completed('w-bad')).result).toEqual({ error: 'out of memory' });
    worker.kill('SIGTERM');
    expect(await worker.ended()).toEqual({ code: 0, signal: null });
    expect((await rig.get('/queue/info?model_name=real')).body.queues).toEqual([]);
  });
});
