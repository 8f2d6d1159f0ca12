import { request } from 'undici';
import { ConformanceRig } from '../support/conformance-rig';
import { expectError, heartbeatOf } from '../support/dtask';
import type { Answer } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(60_000);

const NOBODY = { error: 'no available worker matching requirements' };
const OK = { status: 'ok' };

let rig: ConformanceRig;
/** One service serves them all: what a test names has its number before it. */
let test = 0;
const own = (name: string): string => `${test}-${name}`;
/** Workers of this test, by their own names. */
const present = new Set<string>();

beforeAll(async () => {
  rig = await ConformanceRig.start();
});
beforeEach(() => {
  test += 1;
});
// A worker that has said goodbye gets nothing of the next test.
afterEach(async () => {
  for (const workerId of present) await beat(workerId, { leaving: true });
  present.clear();
});
afterAll(() => rig.close());

/** Expects 200 in JSON, and gives the body. */
function bodyOf({ status, headers, body }: Answer): unknown {
  expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  return body;
}

async function beat(workerId: string, overrides: object = {}): Promise<void> {
  present.add(workerId);
  const answer = await rig.post('/api/v1/heartbeat', heartbeatOf(own(workerId), overrides));
  expect(bodyOf(answer)).toEqual(OK);
}

const schedule = (taskId: string, more: object = {}): Promise<Answer> =>
  rig.post('/api/v1/schedule', { task_id: own(taskId), ...more });
const release = async (taskId: string): Promise<unknown> =>
  bodyOf(await rig.post('/api/v1/release', { task_id: own(taskId) }));

interface Listed {
  readonly WorkerID: string;
  readonly CurrentTasks: number;
  readonly Available: number;
  readonly Status: string;
  readonly LastHeartbeat: string;
}
const everybody = async (): Promise<Listed[]> =>
  bodyOf(await rig.get('/api/v1/workers')) as Listed[];
const workers = async (): Promise<Listed[]> =>
  (await everybody()).filter(({ WorkerID }) => WorkerID.startsWith(own('')));
const placedAt = (workerId: string): object => ({
  worker_id: own(workerId),
  address: `${own(workerId)}.example:9000`,
});

/** Placements of this test that are in the history, by the ids that clients gave them. */
async function recorded(): Promise<string[]> {
  const { body } = await rig.get('/v1/tasks?kind=placement');
  const { tasks } = body as { tasks: { client_task_id: string }[] };
  return tasks.map((task) => task.client_task_id).filter((id) => id.startsWith(own('')));
}

describe('the three calls of the original', () => {
  it('register a worker by its first heartbeat, and list it in its words', async () => {
    // The first test: nobody else has ever been there.
    expect(await everybody()).toEqual([]);
    const from = Date.now();
    await beat('w', { resource_tags: ['gpu', 'cuda-12.0'], current_tasks: 1 });
    const all = await workers();
    expect(all).toEqual([
      {
        WorkerID: own('w'),
        Address: `${own('w')}.example:9000`,
        ResourceTags: ['gpu', 'cuda-12.0'],
        MaxTasks: 4,
        CurrentTasks: 1,
        Available: 3,
        LastHeartbeat: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        Status: 'online',
      },
    ]);
    expect(Date.parse(all[0]!.LastHeartbeat)).toBeGreaterThanOrEqual(from - 1_000);
  });

  it('give the least loaded worker that has all tags, and count at once', async () => {
    await beat('a', { resource_tags: ['gpu', 'cuda'], max_tasks: 4, current_tasks: 2 });
    await beat('b', { resource_tags: ['gpu'], max_tasks: 10, current_tasks: 3 });
    await beat('c', { resource_tags: ['cpu'] });
    expect(bodyOf(await schedule('1', { required_tags: ['gpu'] }))).toEqual(placedAt('b'));
    const both = { required_tags: ['cuda', 'gpu', 'gpu'] };
    expect(bodyOf(await schedule('2', both))).toEqual(placedAt('a'));
    expect(bodyOf(await schedule('3'))).toEqual(placedAt('c'));
    expect(await workers()).toMatchObject([
      { WorkerID: own('a'), CurrentTasks: 3, Available: 1 },
      { WorkerID: own('b'), CurrentTasks: 4, Available: 6 },
      { WorkerID: own('c'), CurrentTasks: 1, Available: 3 },
    ]);
  });

  it('answer 503 with the text of the original when nobody fits', async () => {
    expect(await schedule('1')).toMatchObject({ status: 503, body: NOBODY });
    await beat('full', { max_tasks: 1, current_tasks: 1 });
    await beat('none', { max_tasks: 0 });
    await beat('over', { max_tasks: 1, current_tasks: 7 });
    expect(await schedule('2')).toMatchObject({ status: 503, body: NOBODY });
    await beat('free');
    const strange = { required_tags: ['gpu'] };
    expect(await schedule('3', strange)).toMatchObject({ status: 503, body: NOBODY });
    // Nobody fitted: nothing is recorded.
    expect(await recorded()).toEqual([]);
  });

  it('take what the decoder of the original took', async () => {
    await beat('w', { resource_tags: null, something: { else: true } });
    const more = { required_tags: null, something: 'else' };
    expect(bodyOf(await schedule('1', more))).toEqual(placedAt('w'));
    // A worker without tags splits an empty text at commas.
    await beat('w', { resource_tags: [''] });
    expect(bodyOf(await schedule('2', { required_tags: [''] }))).toEqual(placedAt('w'));
  });

  it('are served without a content type', async () => {
    const url = `${rig.service.url}/api/v1/heartbeat`;
    const body = JSON.stringify(heartbeatOf(own('w')));
    present.add('w');
    const answer = await request(url, { method: 'POST', body });
    expect([answer.statusCode, await answer.body.json()]).toEqual([200, OK]);
  });

  it('give the same worker while the task is placed, and write it down', async () => {
    await beat('a');
    await beat('b');
    const first = bodyOf(await schedule('1'));
    expect(bodyOf(await schedule('1'))).toEqual(first);
    expect(await recorded()).toEqual([own('1')]);
    expect((await workers()).map((worker) => worker.CurrentTasks).sort()).toEqual([0, 1]);
  });
});

describe('what goes beyond the original', () => {
  it('ends a placement, and a repeat is as good', async () => {
    await beat('w', { max_tasks: 1 });
    expect(bodyOf(await schedule('1'))).toEqual(placedAt('w'));
    expect((await schedule('2')).status).toBe(503);
    expect(await release('1')).toEqual({ ...OK, released: true });
    expect(await release('1')).toEqual({ ...OK, released: false });
    expect(await release('never')).toEqual({ ...OK, released: false });
    expect(bodyOf(await schedule('2'))).toEqual(placedAt('w'));
  });

  it('reserves cores, memory and GPU memory', async () => {
    await beat('plain');
    await beat('big', { resources: { cpu: 8, memory_gb: 64, gpu_memory_gb: 24 } });
    const half = { resources: { gpu_memory_gb: 16 } };
    expect(bodyOf(await schedule('1', half))).toEqual(placedAt('big'));
    expect(await schedule('2', half)).toMatchObject({ status: 503, body: NOBODY });
    await release('1');
    expect(bodyOf(await schedule('2', half))).toEqual(placedAt('big'));
  });

  it('ends what a worker does not name any more', async () => {
    await beat('w', { max_tasks: 1, task_ids: [] });
    await schedule('1');
    await beat('w', { max_tasks: 1, current_tasks: 1, task_ids: [own('1')] });
    expect((await workers())[0]).toMatchObject({ CurrentTasks: 1, Available: 0 });
    await beat('w', { max_tasks: 1, task_ids: [] });
    expect((await workers())[0]).toMatchObject({ CurrentTasks: 0, Available: 1 });
    expect(await release('1')).toEqual({ ...OK, released: false });
  });

  it('lets a task wait in line, which a release ends at once', async () => {
    await beat('w', { max_tasks: 1 });
    await schedule('1');
    const low = schedule('low', { wait_ms: 30_000, priority: -1 });
    const high = schedule('high', { wait_ms: 30_000 });
    await until(async () => {
      const { body } = await rig.get('/metrics');
      return String(body).includes('foresail_placements_waiting 2');
    }, 'two tasks to wait');
    await release('1');
    expect(bodyOf(await high)).toEqual(placedAt('w'));
    await release('high');
    expect(bodyOf(await low)).toEqual(placedAt('w'));
  });

  it('lets a task wait in line also while its own end is being written down', async () => {
    const first = { max_tasks: 1, timestamp: 1 };
    await beat('w', first);
    await schedule('1');
    await beat('w', { ...first, current_tasks: 1, task_ids: ['1'], timestamp: 2 });
    const [released, again] = [release('1'), schedule('1', { wait_ms: 30_000 })];
    await released;
    await beat('w', { ...first, task_ids: [], timestamp: 3 });
    expect(bodyOf(await again)).toEqual(placedAt('w'));
  });

  it('answers 503 when nobody was free in time', async () => {
    expect(await schedule('1', { wait_ms: 50 })).toMatchObject({ status: 503, body: NOBODY });
  });

  it('forgets a task whose client has gone while it waited', async () => {
    await beat('w', { max_tasks: 1 });
    await schedule('1');
    const waiting = async (clients: number): Promise<boolean> =>
      String((await rig.get('/metrics')).body).includes(`placements_waiting ${clients}`);
    const client = new AbortController();
    const body = JSON.stringify({ task_id: own('2'), wait_ms: 60_000 });
    const url = `${rig.service.url}/api/v1/schedule`;
    const asked = request(url, { method: 'POST', body, signal: client.signal });
    await until(() => waiting(1), 'the task to wait');
    client.abort();
    await expect(asked).rejects.toThrow('abort');
    await until(() => waiting(0), 'the task to leave the line');
    await release('1');
    expect(bodyOf(await schedule('3'))).toEqual(placedAt('w'));
  });

  it('gives nothing to a worker that leaves', async () => {
    await beat('w');
    await beat('w', { leaving: true });
    expect(await schedule('1')).toMatchObject({ status: 503, body: NOBODY });
    await beat('w');
    expect(bodyOf(await schedule('1'))).toEqual(placedAt('w'));
  });

  it('takes an older heartbeat for life, and not for news', async () => {
    const now = Date.now() / 1000;
    await beat('w', { current_tasks: 2, timestamp: now });
    await beat('w', { current_tasks: 0, timestamp: now - 1 });
    expect((await workers())[0]).toMatchObject({ CurrentTasks: 2 });
  });
});

describe('after a restart', () => {
  it('a worker gets nothing before its first heartbeat, and its placements are there', async () => {
    await beat('w', { max_tasks: 2 });
    await schedule('1');
    await rig.restart();
    expect(await schedule('2')).toMatchObject({ status: 503, body: NOBODY });
    await beat('w', { max_tasks: 2 });
    expect(bodyOf(await schedule('1'))).toEqual(placedAt('w'));
    expect(await release('1')).toEqual({ ...OK, released: true });
  });
});

it('answers in the same shape when the call is nobody’s', async () => {
  const { status, headers, body } = await rig.get('/api/v1/nothing');
  expectError({ status, headers, body }, 404);
});
