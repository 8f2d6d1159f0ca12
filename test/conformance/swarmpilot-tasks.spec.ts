import { ConformanceRig, describeOnce, UUID } from '../support/conformance-rig';
import type { OriginalInstance } from '../support/original-instance';
import { until } from '../support/until';

jest.setTimeout(60_000);

const NOBODY = '00000000-0000-7000-8000-000000000000';

let rig: ConformanceRig;
let instance: OriginalInstance;
let instanceId: string;

beforeAll(async () => {
  rig = await ConformanceRig.start();
  [instance, instanceId] = await rig.registered({ slots: 1_000 });
});
afterAll(() => rig.close());

/** What the instance was given for the task that was submitted with this input. */
async function given(n: number): Promise<OriginalInstance['given'][number]> {
  const found = (): OriginalInstance['given'][number] | undefined =>
    instance.given.find(({ input }) => (input as { n?: number }).n === n);
  await until(() => found() !== undefined, `task ${n} to be sent`);
  return found()!;
}

describe('POST /queue/submit', () => {
  it('answers with status, task_id and scheduled_ti, and nothing else', async () => {
    const { status, headers, body } = await rig.post('/queue/submit', {
      model_name: 'm',
      task_input: { n: 1 },
    });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(body).toEqual({
      status: 'success',
      task_id: expect.stringMatching(UUID),
      scheduled_ti: instanceId,
    });
  });

  it.each([[{ task_id: null }], [{ task_id: 'with-id' }], [{ metadata: {} }], [{ more: 'x' }]])(
    'takes %j',
    async (fields) => {
      const body = { model_name: 'm', task_input: {}, ...fields };
      const answer = await rig.post('/queue/submit', body);
      expect(answer).toMatchObject({ status: 200, body: { status: 'success' } });
    },
  );

  it.each([
    ['a form type, as curl -d sends it', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no type', {}],
    ['a charset', { 'content-type': 'Application/JSON; charset="utf-8"' }],
  ])('reads JSON with %s', async (_name, headers: Record<string, string>) => {
    const answer = await rig.service.send(
      'POST',
      '/queue/submit',
      '{"model_name":"m","task_input":{}}',
      headers,
    );
    expect(answer.status).toBe(200);
  });

  it('returns the task that has the id already, whatever else the repeat says', async () => {
    const first = await rig.submit('twice', { task_input: { n: 2 } });
    expect(first).toEqual({ status: 'success', task_id: 'twice', scheduled_ti: instanceId });
    const { remoteId } = await given(2);
    const before = await rig.rows();
    expect(await rig.submit('twice', { task_input: { other: 1 } })).toEqual(first);
    expect(await rig.submit('twice', { model_name: 'nobody-serves-this' })).toEqual(first);
    expect(await rig.rows()).toEqual(before);
    instance.finish(remoteId, {});
    await rig.completed('twice');
    const after = await rig.rows();
    expect(await rig.submit('twice')).toEqual(first);
    expect(await rig.rows()).toEqual(after);
  });

  it('takes one of many twins that come at once', async () => {
    const twins = await Promise.all(Array.from({ length: 20 }, () => rig.submit('twin')));
    expect(new Set(twins.map((twin) => JSON.stringify(twin))).size).toBe(1);
    const { tasks = [] } = await rig.rows();
    expect(tasks.filter((task) => task.includes(',twin,'))).toHaveLength(1);
  });

  it('refuses with 503 when no instance of the model is registered', async () => {
    const before = await rig.rows();
    const { status, headers, body } = await rig.post('/queue/submit', {
      model_name: 'nobody-serves-this',
      task_input: {},
    });
    const message = 'no instance is registered for model "nobody-serves-this"';
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(body).toEqual({ status: 'error', message, detail: message });
    expect(await rig.rows()).toEqual(before);
  });

  it('hands the payload over exactly, with our ids beside', async () => {
    const input =
      '{"n":3,"numbers":[1e+20,-0.1,5e-324,9007199254740991,1.7976931348623157e+308],' +
      '"text":"\u{1F600} \u2028 \\"quotes\\" \\\\ é","__proto__":{"polluted":true},' +
      '"constructor":{"prototype":1},"nothing":null,"lists":[[],[[{}]],""],"":0, "10":-0,' +
      '"spelled":[1.0,1E2,1e-400,"\\u0061"],"twice":1,"twice":2}';
    const metadata = '{"predicted_ms":5,"task_id":"of the client","nested":{"a":[null]}}';
    const body = `{"model_name":"m","task_input":${input},"metadata":${metadata}}`;
    expect((await rig.service.send('POST', '/queue/submit', body)).status).toBe(200);
    const received = await given(3);
    expect(received.body).toContain(`"input_data":${input},`);
    expect(received.metadata).toEqual({
      predicted_ms: 5,
      nested: { a: [null] },
      task_id: expect.stringMatching(UUID),
      dispatch_id: expect.stringMatching(UUID),
    });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('takes names at their longest', async () => {
    const model = 'é'.repeat(256);
    await rig.registered({ model });
    await rig.submit('x'.repeat(256), { model_name: model });
    expect((await rig.query('x'.repeat(256))).task_id).toBe('x'.repeat(256));
  });
});

describeOnce('GET /task/query', () => {
  it('tells of a task from its submission to its result, field by field', async () => {
    const from = Date.now() / 1000;
    await rig.submit('life', { task_input: { n: 4 } });
    const { remoteId } = await given(4);
    await until(
      async () => (await rig.query('life')).task_status === 'scheduled',
      'the instance to have it',
    );
    const live = await rig.query('life');
    expect(live).toEqual({
      task_id: 'life',
      task_status: 'scheduled',
      scheduled_ti: instanceId,
      submit_time: expect.any(Number),
      result: null,
    });
    expect(live.submit_time).toBeGreaterThan(from - 1);
    expect(live.submit_time).toBeLessThan(Date.now() / 1000 + 1);
    const result = { text: 'done', n: [0.5, 1e300], ['__proto__']: { x: 1 } };
    instance.finish(remoteId, result);
    const completed = await rig.completed('life');
    expect(completed).toEqual({ ...live, task_status: 'completed', result });
    expect(JSON.stringify(completed.result)).toBe(JSON.stringify(result));
  });

  it('calls a task that waits queued, with the instance on which it is planned', async () => {
    const [, slowId] = await rig.registered({ model: 'slow' });
    for (const id of ['s1', 's2', 's3']) await rig.submit(id, { model_name: 'slow' });
    expect(await rig.query('s3')).toMatchObject({
      task_status: 'queued',
      scheduled_ti: slowId,
      result: null,
    });
  });

  it('shows a task that failed as completed, with the error', async () => {
    await rig.submit('fails', { task_input: { n: 5 } });
    const { remoteId } = await given(5);
    instance.fail(remoteId, 'out of "memory"');
    expect(await rig.completed('fails')).toMatchObject({
      task_status: 'completed',
      result: { error: 'out of "memory"' },
    });
  });

  it('shows a task that took too long as completed, with an error', async () => {
    await rig.submit('late', { task_input: { n: 6 }, metadata: { timeout_ms: 1 } });
    const { result } = await rig.completed('late');
    expect(result).toEqual({ error: expect.stringMatching(/timed out|too long|limit/) });
  });

  it('finds a task by our id, its own, and the one that its instance gave it', async () => {
    await rig.submit('by-any-id', { task_input: { n: 7 } });
    const { remoteId, metadata } = await given(7);
    const ours = String(metadata['task_id']);
    await until(
      async () => (await rig.query('by-any-id')).task_status === 'scheduled',
      'the id of the instance to be known',
    );
    const expectOneAnswer = async (): Promise<void> => {
      const answer = await rig.query('by-any-id');
      for (const id of [ours, remoteId]) expect(await rig.query(id)).toEqual(answer);
    };
    await expectOneAnswer();
    instance.finish(remoteId, {});
    await rig.completed('by-any-id');
    await expectOneAnswer();
  });

  it('means the newest attempt where two instances gave the same id', async () => {
    const [older] = await rig.registered({ name: 'namesake', model: 'older' });
    const [newer] = await rig.registered({ name: 'namesake', model: 'newer' });
    const metadata = { predicted_ms: 600_000 };
    const atInstance = async (taskId: string, model: string): Promise<void> => {
      await rig.submit(taskId, { model_name: model, metadata });
      await until(
        async () => (await rig.query(taskId)).task_status === 'scheduled',
        `${taskId} to be at its instance`,
      );
    };
    await atInstance('older', 'older');
    expect((await rig.query('namesake-1')).task_id).toBe('older');
    await atInstance('newer', 'newer');
    expect((await rig.query('namesake-1')).task_id).toBe('newer');
    const end = ({ address }: OriginalInstance, by: string): Promise<unknown> =>
      rig.post('/result/submit', {
        task_id: 'namesake-1',
        instance_id: address,
        execution_time: 1,
        result: { by },
      });
    expect(await end(newer, 'newer')).toMatchObject({ body: { status: 'success' } });
    for (const id of ['newer', 'namesake-1']) {
      expect(await rig.query(id)).toMatchObject({ task_id: 'newer', result: { by: 'newer' } });
    }
    const fetched = await rig.post('/result/fetch', { task_id: 'namesake-1' });
    expect(fetched.body).toEqual({ result: { by: 'newer' } });
    // Of the instance that is named it is another task.
    expect(await end(older, 'older')).toMatchObject({ body: { status: 'success' } });
    expect(await rig.query('older')).toMatchObject({ result: { by: 'older' } });
    expect((await rig.query('namesake-1')).task_id).toBe('newer');
  });

  it("means the client's id before one that an instance gave", async () => {
    await rig.submit('a-live-one', { task_input: { n: 8 } });
    const { remoteId } = await given(8);
    await until(
      async () => (await rig.query(remoteId)).task_id === 'a-live-one',
      'the id of the instance to be known',
    );
    await rig.submit(remoteId, { task_input: { n: 9 } });
    expect((await rig.query(remoteId)).task_id).toBe(remoteId);
    instance.finish((await given(9)).remoteId, { the: 'second' });
    expect((await rig.completed(remoteId)).result).toEqual({ the: 'second' });
    expect((await rig.query('a-live-one')).task_status).toBe('scheduled');
  });

  it.each(['nobody', NOBODY, 'x'.repeat(512), '\u{1F600}', "' OR 1=1 --"])(
    'answers 404 for an unknown task: %s',
    async (id) => {
      const { status, headers, body } = await rig.get(
        `/task/query?task_id=${encodeURIComponent(id)}`,
      );
      const message = `there is no task ${JSON.stringify(id)}`;
      expect(status).toBe(404);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      expect(body).toEqual({ status: 'error', message, detail: message });
    },
  );
});

describeOnce('GET /queue/info', () => {
  it('gives the wait at each instance of a model, and its deviation, in ms', async () => {
    const [, firstId] = await rig.registered({ model: 'info' });
    const [, secondId] = await rig.registered({ model: 'info' });
    const { status, body } = await rig.get('/queue/info?model_name=info');
    expect(status).toBe(200);
    const idle = { model_name: 'info', waiting_time_expect: 0, waiting_time_error: 0 };
    expect(body).toEqual({
      status: 'success',
      queues: [
        { ...idle, ti_uuid: firstId },
        { ...idle, ti_uuid: secondId },
      ],
    });
    const quantiles = { quantiles: [0.25, 0.5, 0.75], quantile_predictions: [60e3, 90e3, 120e3] };
    await rig.submit('info-1', { model_name: 'info', metadata: quantiles });
    const busy = (await rig.get('/queue/info?model_name=info')).body;
    const placedOn = (await rig.query('info-1')).scheduled_ti;
    for (const queue of busy.queues) {
      const isBusy = queue.ti_uuid === placedOn;
      expect(queue.waiting_time_expect > 60_000).toBe(isBusy);
      expect(queue.waiting_time_error > 10_000).toBe(isBusy);
    }
  });

  it('lists the instances of all models without a filter, and none for an unknown model', async () => {
    const { body } = await rig.get('/queue/info');
    for (const model of ['m', 'info']) {
      expect(body.queues).toContainEqual(expect.objectContaining({ model_name: model }));
    }
    expect((await rig.get('/queue/info?model_name=nobody')).body).toEqual({
      status: 'success',
      queues: [],
    });
  });
});
