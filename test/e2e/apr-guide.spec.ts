import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandRig, type CommandRig } from '../support/command-rig';
import { dataOf, listOf } from '../support/envelope';
import { until } from '../support/until';
import type { Json } from '../support/service-process';

// The user's guide of the original, section by section, on this machine.

const HOSTS = ['host-a', 'host-b', 'host-c', 'host-d', 'host-e'];

let commands: CommandRig;

beforeAll(async () => {
  commands = await commandRig();
});
afterAll(() => commands.close());

const get = async (path: string): Promise<Json> =>
  dataOf(await commands.rig.get(`/scheduler${path}`));
const post = async (path: string, body: object = {}): Promise<Json> =>
  dataOf(await commands.rig.post(`/scheduler${path}`, body));
const jobs = async (query: string): Promise<Json[]> =>
  listOf(await commands.rig.get(`/scheduler/jobs${query}`), 'jobs');

/** Waits until the job stands so, and gives it with its events. */
async function reached(id: string, ...statuses: string[]): Promise<Json> {
  let job: Json;
  await until(
    async () => {
      job = await get(`/jobs/${id}`);
      return statuses.includes(job.status as string);
    },
    `job ${id} being ${statuses.join(' or ')}`,
  );
  return job;
}

const eventsOf = ({ events }: Json): string[] =>
  (events as Json[]).map(({ event_type, operator }) => `${event_type} ${operator}`);

describe('2. the service', () => {
  it('is there', async () => {
    const { body } = await commands.rig.get('/scheduler/health');
    expect(body).toEqual({ status: 200, message: 'ok', data: { service: 'apr_scheduler' } });
  });
});

describe('3. five hosts', () => {
  it('are registered, and heard of', async () => {
    for (const [n, host_id] of HOSTS.entries()) {
      const labels = { tool: 'innovus', node: 'ABCDE'.charAt(n) };
      const host = { host_id, total_slots: 8, total_cpu: 32, total_memory_gb: 128, labels };
      expect(await post('/hosts/register', host)).toMatchObject({ ...host, status: 'ONLINE' });
      expect(await post(`/hosts/${host_id}/heartbeat`)).toMatchObject({ host_id });
    }
    const listed = listOf(await commands.rig.get('/scheduler/hosts'), 'hosts');
    expect(listed.map(({ host_id, status }): unknown => [host_id, status])).toEqual(
      HOSTS.map((host) => [host, 'ONLINE']),
    );
  });

  it('are reached by allowed prefixes only', async () => {
    const prefix = { executor_prefix: 'ssh -o BatchMode=yes cad@10.0.0.11' };
    const host = { host_id: 'host-f', ...prefix };
    const { status, body } = await commands.rig.post('/scheduler/hosts/register', host);
    expect([status, body.message]).toEqual([
      400,
      'executor_prefix: "ssh -o BatchMode=yes cad@10.0.0.11" is not in FORESAIL_EXECUTOR_PREFIXES',
    ]);
  });
});

describe('4.1 one job', () => {
  it('runs, and tells everything that happened to it', async () => {
    const { job_id } = await post('/jobs', {
      project: 'P1',
      design: 'top',
      owner: 'cad_user',
      priority: 2,
      timeout_sec: 3600,
      retry_limit: 1,
      workdir: '/tmp',
      command: 'bash -lc "echo start && pwd && echo done"',
      resource_request: { cpu: 4, memory_gb: 8, slots: 1, host_labels: { tool: 'innovus' } },
    });
    const job = await reached(job_id as string, 'SUCCESS', 'FAILED');
    expect(job).toMatchObject({ status: 'SUCCESS', exit_code: 0, retry_count: 0, stage: 'ended' });
    expect(HOSTS).toContain(job.assigned_host_id);
    expect(eventsOf(job)).toEqual([
      'SUBMITTED cad_user',
      'DISPATCHED system',
      'RUNNING system',
      'SUCCESS system',
    ]);
    expect([job.created_at <= job.started_at, job.started_at <= job.finished_at]).toEqual([
      true,
      true,
    ]);
    expect(await get(`/jobs/${job_id}/logs?tail=200`)).toEqual({
      job_id,
      log_path: job.log_path,
      lines: ['start', '/tmp', 'done'],
    });
    expect((await get(`/jobs/${job_id}/logs?tail=1`)).lines).toEqual(['done']);
  });

  it('is tried again as often as it may be, and keeps its exit code', async () => {
    const { job_id } = await post('/jobs', { command: 'echo try; exit 7', retry_limit: 1 });
    const job = await reached(job_id as string, 'FAILED', 'SUCCESS');
    expect(job).toMatchObject({ status: 'FAILED', exit_code: 7, retry_count: 1 });
    expect(eventsOf(job).filter((event) => /RETRYING|FAILED/.test(event))).toEqual([
      'RETRYING system',
      'FAILED system',
    ]);
    expect((await get(`/jobs/${job_id}/logs`)).lines).toEqual(['try', 'try']);
  });

  it('is ended when it takes too long', async () => {
    const { job_id } = await post('/jobs', { command: 'sleep 600', timeout_sec: 0.2 });
    const job = await reached(job_id as string, 'TIMEOUT', 'SUCCESS', 'FAILED', 'CANCELLED');
    expect([job.status, eventsOf(job).slice(-2)]).toEqual([
      'TIMEOUT',
      ['STOP system', 'TIMEOUT system'],
    ]);
  });
});

describe('4.2 a hundred jobs', () => {
  it('run over all hosts, each once', async () => {
    const many = Array.from({ length: 100 }, (_, n) => ({
      command: `echo job ${n}`,
      project: 'P100',
      owner: 'many',
    }));
    const batch = (await post('/jobs/batch', { jobs: many })).jobs as Json[];
    expect(batch).toHaveLength(100);
    await until(
      async () => (await jobs('?project=P100&status=SUCCESS')).length === 100,
      'a hundred jobs to succeed',
      110_000,
    );
    const done = await jobs('?project=P100&owner=many');
    expect(done.map(({ job_id }) => job_id as string)).toEqual(
      batch.map(({ job_id }) => job_id as string).reverse(),
    );
    expect(new Set(done.map(({ assigned_host_id }) => assigned_host_id as string)).size).toBe(5);
    for (const n of [0, 57, 99]) {
      const { lines } = await get(`/jobs/${batch[n]?.job_id}/logs`);
      expect(lines).toEqual([`job ${n}`]);
    }
  });

  it('may be an array, and each finds its place and its parameter', async () => {
    const command = 'echo $FORESAIL_ARRAY_INDEX $FORESAIL_ARRAY_PARAMETER $CORNER';
    const array = { command, parameters: ['ss', 'tt'], env: { CORNER: 'a b' } };
    const batch = (await post('/jobs/batch', { jobs: [array] })).jobs as Json[];
    const lines: unknown[] = [];
    for (const { job_id } of batch) {
      await reached(job_id as string, 'SUCCESS');
      lines.push((await get(`/jobs/${job_id}/logs`)).lines);
    }
    expect(lines).toEqual([['0 ss a b'], ['1 tt a b']]);
  });
});

describe('5. watching and control', () => {
  it('pauses, resumes and stops a job, and says who asked', async () => {
    const { job_id } = await post('/jobs', { command: 'echo up; sleep 600', owner: 'ada' });
    const id = job_id as string;
    const running = await reached(id, 'RUNNING');
    expect((await jobs('?status=RUNNING')).map((job): unknown => job.job_id)).toEqual([id]);
    expect((await get('/hosts')).hosts).toContainEqual(
      expect.objectContaining({ host_id: running.assigned_host_id, running_jobs: [id] }),
    );
    expect(await post(`/jobs/${id}/pause`)).toMatchObject({ job_id: id, status: 'PAUSED' });
    expect(await post(`/jobs/${id}/resume?operator=bob`)).toMatchObject({ status: 'RUNNING' });
    const stopping = await post(`/jobs/${id}/stop?operator=bob`);
    expect(['RUNNING', 'CANCELLED']).toContain(stopping.status);
    const job = await reached(id, 'CANCELLED');
    expect(eventsOf(job)).toEqual([
      'SUBMITTED ada',
      'DISPATCHED system',
      'RUNNING system',
      'PAUSE api',
      'RESUME bob',
      'STOP bob',
      'CANCELLED system',
    ]);
  });

  it('stops a paused job', async () => {
    const { job_id } = await post('/jobs', { command: 'sleep 600' });
    const id = job_id as string;
    await reached(id, 'RUNNING');
    await post(`/jobs/${id}/pause`);
    await post(`/jobs/${id}/stop`);
    expect((await reached(id, 'CANCELLED', 'SUCCESS', 'FAILED')).status).toBe('CANCELLED');
  });

  it('cancels a job that waits, at once', async () => {
    const resource_request = { host_labels: { node: 'Z' } };
    const { job_id, message } = await post('/jobs', { command: 'true', resource_request });
    expect(message).toBe(
      'no registered host could ever hold it: it waits for one with slots=1, cpu=1, memory_gb=2, node=Z',
    );
    expect(await post(`/jobs/${job_id}/stop?operator=ada`)).toMatchObject({ status: 'CANCELLED' });
    const job = await get(`/jobs/${job_id}`);
    expect(eventsOf(job)).toEqual(['SUBMITTED unknown', 'CANCELLED ada']);
  });

  it('runs a finished job again, as another one', async () => {
    const first = await post('/jobs', { command: 'echo again', owner: 'ada', env: { A: '1' } });
    await reached(first.job_id as string, 'SUCCESS');
    const second = await post(`/jobs/${first.job_id}/rerun?operator=bob`);
    expect(second).toMatchObject({
      parent_job_id: first.job_id,
      command: 'echo again',
      owner: 'ada',
      env: { A: '1' },
    });
    expect(second.job_id).not.toBe(first.job_id);
    await reached(second.job_id as string, 'SUCCESS');
    expect(eventsOf(await get(`/jobs/${first.job_id}`)).at(-1)).toBe('RERUN bob');
  });

  it('does nothing more to a job that has ended', async () => {
    const { job_id } = await post('/jobs', { command: 'true' });
    await reached(job_id as string, 'SUCCESS');
    for (const [verb, done] of [
      ['pause', 'paused'],
      ['resume', 'resumed'],
      ['stop', 'stopped'],
    ] as const) {
      const { status, body } = await commands.rig.post(`/scheduler/jobs/${job_id}/${verb}`, {});
      const message = `job ${job_id} cannot be ${done}: it is succeeded, and has ended`;
      expect([status, body]).toEqual([400, { status: 400, message, data: {} }]);
    }
  });

  it('sums up', async () => {
    const summary = await get('/metrics/summary');
    const { status_counts: counts, finished_jobs: finished, total_jobs: total } = summary;
    expect(summary).toMatchObject({ total_hosts: 5, total_slots: 40, used_slots: 0 });
    expect(counts).toMatchObject({ FAILED: 1, TIMEOUT: 1, CANCELLED: 3, RUNNING: 0, QUEUED: 0 });
    expect([finished, counts.SUCCESS]).toEqual([total, (total as number) - 5]);
    const rate = Math.round((counts.SUCCESS / finished) * 10_000) / 10_000;
    expect(summary.success_rate).toBe(rate);
  });
});

describe('7. beyond the original', () => {
  it('keeps jobs, events and hosts over a restart, and adopts what runs', async () => {
    const go = join(commands.folder, 'go');
    const command = `until [ -e '${go}' ]; do sleep 0.1; done; exit 3`;
    const { job_id } = await post('/jobs', { command });
    const id = job_id as string;
    await reached(id, 'RUNNING');
    await commands.rig.restart();
    await writeFile(go, '');
    expect(listOf(await commands.rig.get('/scheduler/hosts'), 'hosts')).toHaveLength(5);
    const job = await reached(id, 'FAILED', 'SUCCESS', 'CANCELLED');
    expect(job).toMatchObject({ status: 'FAILED', exit_code: 3, retry_count: 0 });
    expect(eventsOf(job).filter((event) => event.startsWith('RUNNING'))).toHaveLength(1);
  });
});
