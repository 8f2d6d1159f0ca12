import { request } from 'undici';
import { ConformanceRig, UUID } from '../support/conformance-rig';
import type { GivenTask, OriginalInstance } from '../support/original-instance';
import type { Answer } from '../support/service-process';
import { until } from '../support/until';
import { rowsOf, violationsIn } from '../support/verdict';

jest.setTimeout(60_000);

interface Page {
  readonly total_tasks: number;
  readonly tasks: readonly {
    readonly task_id: string;
    readonly task_status: string;
    readonly model_name: string;
    readonly submit_time: number;
    readonly completion_time: number | null;
    readonly result: { readonly text?: string } | null;
  }[];
}

let rig: ConformanceRig;
let instance: OriginalInstance;
let instanceId: string;

const open = async (): Promise<void> => {
  rig = await ConformanceRig.start({ FORESAIL_RESULT_LIMIT_BYTES: '2000000' });
  [instance, instanceId] = await rig.registered({ slots: 1_000 });
};
const close = async (): Promise<void> => {
  expect(await violationsIn(rig.database.url)).toEqual([]);
  await rig.close();
};

/** A task that its instance has. Long, so that nobody asks for its result. */
async function running(taskId: string): Promise<GivenTask> {
  await rig.submit(taskId, { task_input: { taskId }, metadata: { predicted_ms: 600_000 } });
  const isIt = ({ input }: GivenTask): boolean => (input as { taskId: string }).taskId === taskId;
  await until(
    async () => instance.given.some(isIt) && (await rig.query(taskId)).task_status === 'scheduled',
    `${taskId} to be at the instance`,
  );
  return instance.given.find(isIt)!;
}

const report = (taskId: string, result: object): Promise<Answer> =>
  rig.post('/result/submit', {
    task_id: taskId,
    instance_id: instance.name,
    execution_time: 1,
    result,
  });

async function ended(taskId: string, result: object = { by: taskId }): Promise<void> {
  const { body } = await report(taskId, result);
  expect(body).toEqual({ status: 'success', message: 'recorded' });
}

async function finished(taskId: string, result?: object): Promise<GivenTask> {
  const task = await running(taskId);
  await ended(taskId, result);
  return task;
}

const list = async (query = ''): Promise<Page> => {
  const { status, body } = await rig.get(`/task/all_tasks${query}`);
  expect([status, body.status]).toEqual([200, 'success']);
  return body as Page;
};
const idsIn = ({ tasks }: Page): string[] => tasks.map(({ task_id: id }) => id);
const clear = (): Promise<Answer> => rig.post('/task/clear', {});
const fetched = (taskId: string): Promise<Answer> => rig.post('/result/fetch', { task_id: taskId });

/** Finished tasks of long ago, that many, of that kind. */
async function history(count: number, kind = 'model'): Promise<void> {
  await rowsOf(
    rig.database.url,
    `INSERT INTO tasks (id, kind, client_task_id, queue_name, priority, state, attempt_no, event_seq,
                        result, payload_bytes, prediction_method, prediction_levels,
                        prediction_quantiles, max_attempts, attempt_timeout_ms, demand_slots,
                        demand_cpu, demand_memory_gb, demand_gpu_memory_gb, submitted_at,
                        finished_at, epoch, updated_at)
     SELECT gen_random_uuid(), $2::text, $2 || '-' || n, 'old', 0, 'succeeded', 0, 0,
            json_build_object('n', n), 0, 'default', '{0.5}', '{1}', 1, 1, 1, 0, 0, 0,
            '2020-01-01'::timestamptz + n * interval '1 second', now(), 1, now()
       FROM generate_series(1, $1::int) n`,
    [count, kind],
  );
}

describe('GET /task/all_tasks', () => {
  beforeAll(open);
  beforeEach(clear);
  afterAll(close);

  it('is empty at first', async () => {
    const { status, headers, body } = await rig.get('/task/all_tasks');
    expect([status, body]).toEqual([200, { status: 'success', total_tasks: 0, tasks: [] }]);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('pages by limit and offset, and always counts all', async () => {
    await history(25);
    const all = idsIn(await list());
    expect(all).toHaveLength(25);
    expect(all[0]).toBe('model-25');
    for (const [limit, offset] of [
      [10, 0],
      [10, 20],
      [1, 24],
      [10_000, 0],
      [7, 25],
      [7, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const page = await list(`?limit=${limit}&offset=${offset}`);
      expect(page.total_tasks).toBe(25);
      expect(idsIn(page)).toEqual(all.slice(offset, offset + limit));
    }
  });

  it('gives 1 000 tasks when it is not told how many', async () => {
    await history(1_003);
    const page = await list();
    expect([page.total_tasks, page.tasks.length]).toEqual([1_003, 1_000]);
    expect(idsIn(page).at(-1)).toBe('model-4');
  });

  it('has model tasks only', async () => {
    await history(2, 'batch');
    await finished('mine');
    const page = await list();
    expect([page.total_tasks, idsIn(page)]).toEqual([1, ['mine']]);
  });

  it('keeps results exactly as they are stored', async () => {
    const { remoteId } = await running('exact');
    const result = '{"n":[1e+300,-0.5],"__proto__":{"x":1},"text":"\u{1F600}\\n","e":{}}';
    const body = `{"task_id":"${remoteId}","instance_id":"${instance.name}","execution_time":1,"result":${result}}`;
    await rig.service.send('POST', '/result/submit', body);
    const answer = await request(`${rig.service.url}/task/all_tasks`);
    expect(await answer.body.text()).toContain(`"result":${result}}`);
  });

  it('gives large results, also to a client that takes its time or hangs up', async () => {
    const text = 'x'.repeat(900_000);
    for (let n = 0; n < 40; n += 1) await finished(`large-${n}`, { text });
    const impatient = await request(`${rig.service.url}/task/all_tasks`);
    impatient.body.on('error', () => undefined).destroy();
    const patient = await request(`${rig.service.url}/task/all_tasks`);
    await finished('meanwhile');
    const page = JSON.parse(await patient.body.text()) as Page;
    expect([page.total_tasks, page.tasks.length]).toEqual([40, 40]);
    expect(page.tasks.every(({ result }) => result?.text === text)).toBe(true);
    expect(rig.service.log).not.toMatch(/failed:/);
  });

  it('loses and doubles no task while tasks end and others come', async () => {
    const lanes = { open: 3 };
    const load = Promise.all(
      [1, 2, 3].map(async (lane) => {
        for (let n = 0; n < 30; n += 1) await finished(`${lane}-${n}`);
        lanes.open -= 1;
      }),
    );
    const known = new Set<string>();
    while (lanes.open > 0) {
      const page = await list();
      const ids = idsIn(page);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBe(page.total_tasks);
      for (const id of known) expect(ids).toContain(id);
      for (const id of ids) known.add(id);
    }
    await load;
    expect((await list()).total_tasks).toBe(90);
  });

  // The last one: it leaves live tasks behind.
  it('lists live and completed tasks, the newest first, each as a query tells it', async () => {
    await finished('good', { text: 'done', n: [0.5, 1e300] });
    await finished('bad', { error: 'out of memory' });
    await running('runs');
    await rig.registered({ model: 'none', slots: 0 });
    await rig.submit('waits', { model_name: 'none' });
    const { body: own } = await rig.post('/queue/submit', { model_name: 'none', task_input: {} });
    const answer = await list();
    expect(answer.total_tasks).toBe(5);
    expect(idsIn(answer)).toEqual([own.task_id, 'waits', 'runs', 'bad', 'good']);
    for (const { model_name, completion_time, ...task } of answer.tasks) {
      expect(task).toEqual(await rig.query(task.task_id));
      expect(model_name).toBe(['waits', own.task_id].includes(task.task_id) ? 'none' : 'm');
      if (task.task_status === 'completed') {
        expect(completion_time).toBeGreaterThanOrEqual(task.submit_time);
      } else {
        expect(completion_time).toBeNull();
      }
    }
    const results = answer.tasks.map(({ result }) => result);
    const good = { text: 'done', n: [0.5, 1e300] };
    expect(results).toEqual([null, null, null, { error: 'out of memory' }, good]);
    expect(answer.tasks[4]).toMatchObject({ scheduled_ti: instanceId, task_status: 'completed' });
  });
});

describe('POST /task/clear', () => {
  beforeAll(open);
  beforeEach(clear);
  afterAll(close);

  it('clears what is completed, and counts it', async () => {
    for (const id of ['a', 'b']) await finished(id);
    const { status, headers, body } = await clear();
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(body).toEqual({
      status: 'success',
      message: '2 finished tasks were cleared',
      cleared_count: 2,
    });
    for (const id of ['a', 'b']) {
      expect((await rig.get(`/task/query?task_id=${id}`)).status).toBe(404);
      expect((await fetched(id)).status).toBe(404);
    }
    expect((await clear()).body).toMatchObject({ status: 'success', cleared_count: 0 });
  });

  it('needs no body', async () => {
    await finished('x');
    const { status, body } = await rig.service.send('POST', '/task/clear', undefined, {});
    expect([status, body.cleared_count]).toEqual([200, 1]);
  });

  it('lets an id be used anew', async () => {
    const first = await finished('again');
    const own = String(first.metadata['task_id']);
    await clear();
    expect((await rig.get(`/task/query?task_id=${own}`)).status).toBe(404);
    await rig.submit('again', { task_input: { anew: true } });
    const isNew = ({ input }: GivenTask): boolean => (input as { anew?: true }).anew === true;
    await until(() => instance.given.some(isNew), 'the new task to be sent');
    const { remoteId, metadata } = instance.given.find(isNew)!;
    expect(metadata['task_id']).not.toBe(own);
    instance.finish(remoteId, { the: 'second' });
    expect((await rig.completed('again')).result).toEqual({ the: 'second' });
  });

  it('makes a late report one of an unknown task', async () => {
    const { remoteId } = await finished('late');
    await clear();
    for (const id of [remoteId, 'late']) {
      const { status, body } = await report(id, {});
      expect([status, body]).toEqual([
        200,
        { status: 'error', message: `instance "${instance.name}" has no task "${id}"` },
      ]);
    }
  });

  it('lets a task stay until its instance is through with it', async () => {
    await rig.submit('timed-out', { metadata: { timeout_ms: 4_000, predicted_ms: 600_000 } });
    await rig.completed('timed-out');
    expect((await clear()).body.cleared_count).toBe(0);
    await report('timed-out', {});
    expect((await clear()).body.cleared_count).toBe(1);
  });

  it('clears a long history, also twice at once, while tasks come and end', async () => {
    await history(3_000);
    const [one, other] = await Promise.all([clear(), clear(), finished('new'), running('live')]);
    const cleared = Number(one.body.cleared_count) + Number(other.body.cleared_count);
    const { total_tasks: left } = await list();
    expect(cleared + left).toBe(3_002);
    expect((await rig.query('live')).task_status).toBe('scheduled');
    await ended('live');
  });

  // The last one: it leaves live tasks behind.
  it('leaves live tasks and those of other kinds alone', async () => {
    await history(3, 'batch');
    await finished('over');
    const { remoteId } = await running('runs');
    await rig.registered({ model: 'none', slots: 0 });
    await rig.submit('waits', { model_name: 'none' });
    expect((await clear()).body.cleared_count).toBe(1);
    expect(idsIn(await list())).toEqual(['waits', 'runs']);
    const kinds = await rowsOf(rig.database.url, `SELECT FROM tasks WHERE kind = 'batch'`);
    expect(kinds).toHaveLength(3);
    instance.finish(remoteId, { still: 'here' });
    await rig.post('/notify/task_complete', {
      task_id: remoteId,
      instance_id: instance.name,
      execution_time: 1,
    });
    expect((await rig.completed('runs')).result).toEqual({ still: 'here' });
  });
});

describe('POST /result/fetch', () => {
  beforeAll(open);
  afterAll(close);

  it('gives the result alone, by whatever id', async () => {
    const { remoteId, metadata } = await finished('done', { text: 'é', n: [1e300] });
    const own = String(metadata['task_id']);
    expect(own).toMatch(UUID);
    for (const id of ['done', own, remoteId]) {
      const { status, headers, body } = await fetched(id);
      expect([status, body]).toEqual([200, { result: { text: 'é', n: [1e300] } }]);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it('gives null until the task is completed, by whatever id', async () => {
    const { remoteId, metadata } = await running('runs');
    for (const id of ['runs', String(metadata['task_id']), remoteId]) {
      expect(await fetched(id)).toMatchObject({ status: 200, body: { result: null } });
    }
    await rig.registered({ model: 'none', slots: 0 });
    await rig.submit('waits', { model_name: 'none' });
    expect((await fetched('waits')).body).toEqual({ result: null });
  });

  it('gives the error of a task that failed', async () => {
    await finished('fails', { error: 'out of "memory"' });
    expect((await fetched('fails')).body).toEqual({ result: { error: 'out of "memory"' } });
  });

  it.each(['nobody', '00000000-0000-7000-8000-000000000000', '\u{1F600}', "' OR 1=1 --"])(
    'answers 404 for an unknown task: %s',
    async (id) => {
      const { status, body } = await fetched(id);
      const message = `there is no task ${JSON.stringify(id)}`;
      expect([status, body]).toEqual([404, { status: 'error', message, detail: message }]);
    },
  );
});
