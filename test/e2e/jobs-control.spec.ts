import { chmod } from 'node:fs/promises';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsIn } from '../support/commands';
import { freshDatabase, type TestDatabase } from '../support/database';
import { endMarked, marked } from '../support/marked';
import { removeScratch, scratchDirectory } from '../support/scratch';
import { ServiceProcess, type Json } from '../support/service-process';
import { until } from '../support/until';
import { rowsOf } from '../support/verdict';

/** Heeds no SIGTERM, forks, and has a child in a session of its own. */
const DEAF = `trap '' TERM; (setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &)
  (while :; do sleep 1; done &); echo ready; while :; do sleep 1; done`;

describe('what was asked of a job', () => {
  let folder: string;
  let database: TestDatabase;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = await scratchDirectory();
    await chmod(folder, 0o777);
    database = await freshDatabase();
    service = await serve();
    await service.post('/scheduler/hosts/register', { host_id: 'here', total_slots: 8 });
  });

  afterAll(async () => {
    await service.kill();
    const rows = await rowsOf<{ id: string }>(
      database.url,
      'SELECT dispatch_id AS id FROM attempts',
    );
    await endMarked(new Set(rows.map(({ id }) => id)));
    await database.drop();
    await removeScratch(folder);
  });

  const serve = (port = 0, env: Record<string, string> = {}): Promise<ServiceProcess> =>
    ServiceProcess.start({
      databaseUrl: database.url,
      port,
      env: { ...commandsIn(folder), ...env },
    });

  /** `kill -9`, and another one in its place. */
  async function killed(env: Record<string, string> = {}): Promise<void> {
    const { port } = service;
    await service.kill();
    service = await serve(port, env);
  }

  async function submit(body: object): Promise<string> {
    const answer = await service.post('/scheduler/jobs', body);
    expect(answer.status).toBe(200);
    return String(answer.body.data.job_id);
  }

  const job = async (id: string): Promise<Json> =>
    (await service.get(`/scheduler/jobs/${id}`)).body.data;

  async function reached(id: string, status: string): Promise<Json> {
    await until(async () => (await job(id)).status === status, `${id} being ${status}`);
    return job(id);
  }

  async function wrote(id: string, text: string): Promise<void> {
    const path = String((await job(id)).log_path);
    const has = (): boolean => existsSync(path) && readFileSync(path, 'utf8').includes(text);
    await until(has, `${text} in the log of ${id}`);
  }

  async function dispatchOf(id: string): Promise<string> {
    const text = `SELECT dispatch_id AS id FROM attempts WHERE task_id = '${id}'`;
    const [row] = await rowsOf<{ id: string }>(database.url, text);
    return row?.id ?? '';
  }

  it('stands still over a kill of the scheduler, as long as nobody resumes it', async () => {
    const gate = join(folder, 'gate');
    const id = await submit({
      command: `echo ready; until [ -e ${gate} ]; do sleep 0.05; done; echo through`,
    });
    await wrote(id, 'ready');
    await reached(id, 'RUNNING');
    expect((await service.post(`/scheduler/jobs/${id}/pause?operator=ada`, {})).status).toBe(200);
    const dispatch = await dispatchOf(id);
    const isStill = async (): Promise<boolean> => (await marked(dispatch, 'T')) > 0;
    await until(isStill, 'standing still');
    writeFileSync(gate, '');
    await killed();
    expect([(await job(id)).status, await isStill()]).toEqual(['PAUSED', true]);
    await service.post(`/scheduler/jobs/${id}/resume`, {});
    expect(await reached(id, 'SUCCESS')).toMatchObject({ exit_code: 0, retry_count: 0 });
    await wrote(id, 'ready\nthrough\n');
  });

  it('is paused by the next scheduler, when the first was killed after its answer', async () => {
    const id = await submit({ command: 'echo ready; sleep 60' });
    await wrote(id, 'ready');
    await reached(id, 'RUNNING');
    // Answered, and killed before the signal or after it: nobody can tell.
    await service.post(`/scheduler/jobs/${id}/pause`, {});
    await killed();
    const dispatch = await dispatchOf(id);
    await until(async () => (await marked(dispatch, 'T')) > 0, 'standing still');
    await service.post(`/scheduler/jobs/${id}/stop`, {});
    await reached(id, 'CANCELLED');
    expect(await marked(dispatch)).toBe(0);
  });

  it('ends although the scheduler is killed meanwhile, whatever it does, and never comes back', async () => {
    const id = await submit({ command: DEAF, retry_limit: 5 });
    await wrote(id, 'ready');
    await reached(id, 'RUNNING');
    const dispatch = await dispatchOf(id);
    expect((await service.post(`/scheduler/jobs/${id}/stop?operator=ada`, {})).status).toBe(200);
    await killed();
    expect(await reached(id, 'CANCELLED')).toMatchObject({ retry_count: 0 });
    expect(await marked(dispatch)).toBe(0);
    await killed();
    expect((await job(id)).status).toBe('CANCELLED');
    const rows = await rowsOf<{ n: number }>(
      database.url,
      `SELECT count(*)::int AS n FROM attempts WHERE task_id = '${id}'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('is nothing that root would run', async () => {
    const env = { ...commandsIn(folder), FORESAIL_JOB_USER: 'root' };
    const refused = ServiceProcess.spawn({ databaseUrl: database.url, env });
    await until(() => refused.hasEnded, 'the refusal');
    await refused.exited;
    expect(refused.child.exitCode).not.toBe(0);
    expect(refused.log).toContain('FORESAIL_JOB_USER (start): ');
  });

  it('waits while commands are switched off, and what runs is left alone', async () => {
    const gate = join(folder, 'later');
    const id = await submit({ command: `echo ready; until [ -e ${gate} ]; do sleep 0.05; done` });
    await wrote(id, 'ready');
    await killed({ FORESAIL_COMMANDS: 'off' });
    writeFileSync(gate, '');
    const dispatch = await dispatchOf(id);
    await until(async () => (await marked(dispatch)) === 0, 'its end');
    expect(['DISPATCHED', 'RUNNING']).toContain((await job(id)).status);
    await killed();
    expect(await reached(id, 'SUCCESS')).toMatchObject({ exit_code: 0 });
  });
});
