import { commandRig, type CommandRig } from '../support/command-rig';
import { dataOf, listOf } from '../support/envelope';
import type { Answer, Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(60_000);

let commands: CommandRig;

beforeAll(async () => {
  commands = await commandRig({ FORESAIL_LICENCE_POOLS: 'default=1, innovus 21=2' });
  dataOf(await commands.rig.post('/scheduler/hosts/register', { host_id: 'h', total_slots: 8 }));
});
afterAll(() => commands.close());

const put = (name: string, body: object): Promise<Answer> =>
  commands.rig.service.send(
    'PUT',
    `/v1/licence-pools/${encodeURIComponent(name)}`,
    JSON.stringify(body),
  );
const remove = (name: string): Promise<Answer> =>
  commands.rig.service.send('DELETE', `/v1/licence-pools/${encodeURIComponent(name)}`);
const pools = async (): Promise<Json> => {
  const { status, body } = await commands.rig.get('/v1/licence-pools');
  expect(status).toBe(200);
  return body.licence_pools;
};

describe('/v1/licence-pools', () => {
  it('begins with the pools of the settings', async () => {
    expect(await pools()).toEqual([
      { name: 'default', tokens: 1, used: 0 },
      { name: 'innovus 21', tokens: 2, used: 0 },
    ]);
  });

  it('makes, changes and takes away pools', async () => {
    const made = await put('new/pool', { tokens: 3 });
    expect([made.status, made.body]).toEqual([200, { name: 'new/pool', tokens: 3, used: 0 }]);
    expect((await put('new/pool', { tokens: 0 })).body).toMatchObject({ tokens: 0 });
    const gone = await remove('new/pool');
    expect([gone.status, gone.body]).toEqual([200, { name: 'new/pool', tokens: 0, used: 0 }]);
    const { status, headers, body } = await remove('new/pool');
    expect([status, headers['content-type'], body.code, body.detail]).toEqual([
      404,
      'application/problem+json',
      'unknown_licence_pool',
      'there is no licence pool "new/pool"',
    ]);
  });

  it.each([
    ['tokens', 'p', {}],
    ['tokens', 'p', { tokens: -1 }],
    ['tokens', 'p', { tokens: 1.5 }],
    ['tokens', 'p', { tokens: '3' }],
    ['tokens', 'p', { tokens: 1_000_001 }],
    ['name', ' ', { tokens: 1 }],
    ['name', 'x'.repeat(201), { tokens: 1 }],
  ])('refuses a wrong %s of %j', async (field, name, body) => {
    const before = await pools();
    const answer = await put(name, body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_input']);
    expect(answer.body.detail).toContain(field);
    expect(await pools()).toEqual(before);
  });

  it('keeps jobs from drawing more than there is, and lets them draw when there is more', async () => {
    const job = (tool_version: string) => ({
      command: 'sleep 600',
      resource_request: { tool_version, license_tokens: 1, cpu: 0, memory_gb: 0 },
    });
    const jobs = [job('innovus 21'), job('innovus 21'), job('innovus 21'), job('other')];
    listOf(await commands.rig.post('/scheduler/jobs/batch', { jobs }), 'jobs');
    const used = async (): Promise<unknown> =>
      ((await pools()) as Json[]).map((pool): unknown => [pool.name, pool.used]);
    const all = [
      ['default', 1],
      ['innovus 21', 2],
    ];
    await until(async () => JSON.stringify(await used()) === JSON.stringify(all), 'three to run');
    let queued: Json[] = [];
    await until(async () => {
      queued = listOf(await commands.rig.get('/scheduler/jobs?status=QUEUED'), 'jobs');
      return queued.length === 1;
    }, 'one to wait');
    const [waiting] = queued;
    expect(waiting).toMatchObject({
      resource_request: { tool_version: 'innovus 21' },
      message: 'it waits; hosts: 1 licences',
    });
    expect((await put('innovus 21', { tokens: 3 })).body.tokens).toBe(3);
    await until(async () => {
      const { status } = dataOf(await commands.rig.get(`/scheduler/jobs/${waiting.job_id}`));
      return status === 'RUNNING';
    }, 'the job that waited to run');
  });

  it('is kept over a restart; what the settings name is as they say', async () => {
    await put('kept', { tokens: 7 });
    await commands.rig.restart();
    expect(await pools()).toMatchObject([
      { name: 'default', tokens: 1 },
      { name: 'innovus 21', tokens: 2, used: 3 },
      { name: 'kept', tokens: 7 },
    ]);
    const running = listOf(await commands.rig.get('/scheduler/jobs?limit=10'), 'jobs');
    for (const { job_id } of running) {
      await commands.rig.post(`/scheduler/jobs/${job_id}/stop`, {});
    }
    await until(async () => {
      const counts = dataOf(await commands.rig.get('/scheduler/metrics/summary')).status_counts;
      return counts.CANCELLED === running.length;
    }, 'all jobs to be stopped');
    expect(((await pools()) as Json[]).map(({ used }): unknown => used)).toEqual([0, 0, 0]);
  });
});
