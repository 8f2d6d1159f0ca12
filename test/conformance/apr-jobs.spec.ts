import { commandRig, type CommandRig } from '../support/command-rig';
import { UUID, type ConformanceRig } from '../support/conformance-rig';
import { APR_TIME, dataOf, listOf } from '../support/envelope';
import type { Answer, Json } from '../support/service-process';

jest.setTimeout(60_000);

let commands: CommandRig;
let rig: ConformanceRig;

beforeAll(async () => {
  commands = await commandRig();
  ({ rig } = commands);
});
afterAll(() => commands.close());

const submit = async (job: object): Promise<Json> => dataOf(await rig.post('/scheduler/jobs', job));
const submitAll = async (jobs: readonly object[]): Promise<Json[]> =>
  listOf(await rig.post('/scheduler/jobs/batch', { jobs }), 'jobs');
const list = async (query = ''): Promise<Json[]> =>
  listOf(await rig.get(`/scheduler/jobs${query}`), 'jobs');

describe('GET /scheduler/health', () => {
  it('says ok', async () => {
    const { status, body } = await rig.get('/scheduler/health');
    const data = { service: 'apr_scheduler' };
    expect([status, body]).toEqual([200, { status: 200, message: 'ok', data }]);
  });
});

describe('POST /scheduler/jobs', () => {
  it('takes a command alone, and says what holds for the rest', async () => {
    const job = await submit({ command: 'true' });
    expect(job).toEqual({
      job_id: expect.stringMatching(UUID),
      command: 'true',
      project: 'default',
      design: '',
      owner: 'unknown',
      priority: 1,
      timeout_sec: 0,
      retry_limit: 0,
      resource_request: {
        cpu: 1,
        memory_gb: 2,
        slots: 1,
        license_tokens: 1,
        tool_version: '',
        host_labels: {},
      },
      workdir: '.',
      env: {},
      status: 'QUEUED',
      assigned_host_id: '',
      created_at: expect.stringMatching(APR_TIME),
      queued_at: expect.stringMatching(APR_TIME),
      started_at: '',
      finished_at: '',
      updated_at: expect.stringMatching(APR_TIME),
      stage: 'waiting',
      message: 'no host is registered: it waits for one',
      retry_count: 0,
      exit_code: null,
      log_path: expect.any(String),
      parent_job_id: '',
    });
  });

  it('keeps every field that is given', async () => {
    const given = {
      command: 'bash -lc "echo start && sleep 5 && echo done"',
      project: 'P1',
      design: 'top',
      owner: 'cad_user',
      priority: 2,
      timeout_sec: 3600,
      retry_limit: 1,
      resource_request: {
        cpu: 4,
        memory_gb: 8,
        slots: 2,
        license_tokens: 3,
        tool_version: 'innovus-21.1',
        host_labels: { tool: 'innovus' },
      },
      workdir: '/tmp',
      env: { CORNER: 'ss', _x1: '' },
    };
    const job = await submit(given);
    expect(job).toMatchObject(given);
    const shown = dataOf(await rig.get(`/scheduler/jobs/${job.job_id}`));
    expect(shown).toMatchObject({ ...job, events: expect.any(Array) });
    expect(shown.events).toEqual([
      {
        event_id: expect.stringMatching(/^\d+$/),
        job_id: job.job_id,
        event_type: 'SUBMITTED',
        message: expect.any(String),
        operator: 'cad_user',
        created_at: expect.stringMatching(APR_TIME),
      },
    ]);
  });

  it('reads numbers that came as strings', async () => {
    const resource_request = { cpu: '0.5', memory_gb: '4', slots: '8', license_tokens: '0' };
    const job = await submit({
      command: 'true',
      priority: '-3',
      timeout_sec: '1.5',
      retry_limit: '2',
      resource_request,
    });
    expect(job).toMatchObject({
      priority: -3,
      timeout_sec: 1.5,
      retry_limit: 2,
      resource_request: { cpu: 0.5, memory_gb: 4, slots: 8, license_tokens: 0 },
    });
  });

  it('gives the first answer to a repeat of its Idempotency-Key, and refuses another job', async () => {
    const send = (body: object, path = ''): Promise<Answer> =>
      rig.service.send('POST', `/scheduler/jobs${path}`, JSON.stringify(body), {
        'content-type': 'application/json',
        'idempotency-key': 'nightly 1',
      });
    const all = await Promise.all([1, 2, 3].map(() => send({ command: 'echo once' })));
    const ids = all.map((answer) => dataOf(answer).job_id as string);
    expect(new Set(ids).size).toBe(1);
    await rig.restart();
    expect(dataOf(await send({ command: 'echo once' })).job_id).toBe(ids[0]);
    const other = await send({ command: 'echo twice' });
    expect([other.status, other.body.message]).toEqual([
      400,
      'Idempotency-Key "nightly 1" belongs to a submission of other jobs',
    ]);
    const more = await send({ jobs: [{ command: 'echo once' }, { command: 'echo x' }] }, '/batch');
    expect(more.status).toBe(400);
    expect(await list('?limit=1')).toMatchObject([{ job_id: ids[0] }]);
  });
});

describe('POST /scheduler/jobs/batch', () => {
  it('takes all, in their order', async () => {
    const jobs = Array.from({ length: 100 }, (_, n) => ({ command: `echo ${n}`, owner: 'many' }));
    const taken = await submitAll(jobs);
    expect(taken.map(({ command }) => command as string)).toEqual(
      jobs.map(({ command }) => command),
    );
    const listed = await list('?owner=many');
    expect(listed.map(({ job_id }) => job_id as string)).toEqual(
      taken.map(({ job_id }) => job_id as string).reverse(),
    );
  });

  it('makes a job of each item of an array', async () => {
    const jobs = [
      { command: 'a', env: { X: '1' }, count: 2 },
      { command: 'b', parameters: ['ss', 'tt'] },
      { command: 'c' },
    ];
    const taken = await submitAll(jobs);
    expect(taken.map(({ command, env }): unknown => [command, env])).toEqual([
      ['a', { X: '1', FORESAIL_ARRAY_INDEX: '0' }],
      ['a', { X: '1', FORESAIL_ARRAY_INDEX: '1' }],
      ['b', { FORESAIL_ARRAY_INDEX: '0', FORESAIL_ARRAY_PARAMETER: 'ss' }],
      ['b', { FORESAIL_ARRAY_INDEX: '1', FORESAIL_ARRAY_PARAMETER: 'tt' }],
      ['c', {}],
    ]);
  });

  it('refuses all because of one, and names its place', async () => {
    const before = await list();
    const jobs = [{ command: 'true' }, { command: 'true', env: { 'A-B': 'x' } }];
    const { status, body } = await rig.post('/scheduler/jobs/batch', { jobs });
    expect([status, body]).toEqual([
      400,
      {
        status: 400,
        message: `jobs[1].env: a variable's name is like ^[A-Za-z_][A-Za-z0-9_]*$; got "A-B"`,
        data: { errors: [expect.objectContaining({ loc: ['body', 'jobs', 1, 'env', 'A-B'] })] },
      },
    ]);
    expect(await list()).toEqual(before);
  });
});

describe('GET /scheduler/jobs', () => {
  it('filters by status, owner and project, and pages', async () => {
    for (const project of ['X', 'Y', 'X'])
      await submit({ command: project, project, owner: 'fay' });
    const projects = async (query: string): Promise<string[]> =>
      (await list(query)).map(({ project }) => project as string);
    expect(await projects('?owner=fay')).toEqual(['X', 'Y', 'X']);
    expect(await projects('?owner=fay&project=X&status=QUEUED')).toEqual(['X', 'X']);
    expect(await projects('?owner=fay&limit=1&offset=1')).toEqual(['Y']);
    expect(await projects('?owner=fay&status=running,queued')).toEqual(['X', 'Y', 'X']);
    expect(await projects('?owner=fay&status=RETRYING,SUCCESS')).toEqual([]);
    expect(await projects('?owner=nobody')).toEqual([]);
  });

  it('names the statuses that there are', async () => {
    const { status, body } = await rig.get('/scheduler/jobs?status=DONE');
    expect([status, body.message]).toEqual([
      400,
      'status must be one or several of CREATED, QUEUED, DISPATCHED, RUNNING, PAUSED, RETRYING, SUCCESS, ' +
        'FAILED, CANCELLED, TIMEOUT; got "DONE"',
    ]);
  });
});

describe('the native API', () => {
  it('shows and cancels jobs, too', async () => {
    const { job_id: id } = await submit({ command: 'true' });
    const shown = async (): Promise<Json> => (await rig.get(`/v1/tasks/${id}`)).body;
    expect(await shown()).toMatchObject({ id, kind: 'batch', state: 'queued' });
    const cancelled = await rig.post(`/v1/tasks/${id}/cancel`, { reason: 'a mistake' });
    expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled']);
    expect(await shown()).toMatchObject({ id, kind: 'batch', state: 'cancelled' });
    expect(dataOf(await rig.get(`/scheduler/jobs/${id}`))).toMatchObject({ status: 'CANCELLED' });
    expect((await rig.post(`/v1/tasks/${id}/cancel`, {})).status).toBe(409);
    const { tasks } = (await rig.get('/v1/tasks?kind=batch&state=cancelled')).body;
    expect((tasks as Json[]).map((task): unknown => task.id)).toEqual([id]);
  });

  it('keeps jobs out of the protocol of models', async () => {
    const { job_id: id } = await submit({ command: 'true' });
    expect((await rig.get(`/task/query?task_id=${id}`)).status).toBe(404);
  });
});

describe('a job that is not there', () => {
  it.each(['nothing', '01935290-0000-7000-8000-000000000000', '%20'])('is 404: %s', async (id) => {
    const { status, body } = await rig.get(`/scheduler/jobs/${id}`);
    expect([status, body]).toEqual([
      404,
      {
        status: 404,
        message: `there is no job ${JSON.stringify(decodeURIComponent(id))}`,
        data: {},
      },
    ]);
  });
});
