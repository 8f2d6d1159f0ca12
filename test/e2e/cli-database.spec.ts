import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDataSource } from '../../src/persistence/data-source';
import { runCli } from '../support/cli-run';
import { freshDatabase } from '../support/database';
import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';
import { removeScratch, scratchDirectory } from '../support/scratch';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(60_000);

describe('db and keys', () => {
  it('make, list and revoke keys in the configured database', async () => {
    const database = await freshDatabase();
    const env = { DATABASE_URL: database.url };
    const made = await runCli(['keys', 'create', '--label', 'ci', '--expires-in', '1'], { env });
    const { key, ...record } = JSON.parse(made.out) as { key: string; prefix: string; id: string };
    const listed = await runCli(['keys', 'list'], { env });
    const revoked = await runCli(['keys', 'revoke', record.prefix], { env });
    const again = await runCli(['keys', 'revoke', record.id], { env });
    const after = await runCli(['keys', 'list', '-o', 'table'], { env });
    await database.drop();

    expect(made).toMatchObject({ code: 0, err: '' });
    expect(key).toContain(record.prefix);
    expect(JSON.parse(listed.out)).toEqual([record]);
    expect(listed.out).not.toContain(key);
    expect(revoked).toMatchObject({ code: 0, out: `revoked ${record.prefix}\n` });
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(after.out).toMatch(new RegExp(`^PREFIX .*\n${record.prefix} +ci +20`));
  });

  it('tell of an external database, its password hidden, and do not stop it', async () => {
    const database = await freshDatabase();
    const env = { DATABASE_URL: database.url };
    const status = await runCli(['db', 'status'], { env });
    const url = await runCli(['db', 'url'], { env });
    const stop = await runCli(['db', 'stop'], { env });
    await database.drop();
    const gone = await runCli(['db', 'status'], { env });

    const { password } = new URL(database.url);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.out)).toMatchObject({ engine: 'external', running: true });
    expect(password).not.toBe('');
    expect(status.out).not.toContain(password);
    expect(url.out).toBe(`${database.url}\n`);
    expect(stop).toMatchObject({ code: 2, out: '' });
    expect(gone.code).toBe(1);
    expect(JSON.parse(gone.out)).toMatchObject({ running: false });
  });

  it('export the history as a trace that simulate and predict read', async () => {
    const database = await freshDatabase();
    const folder = await scratchDirectory();
    await writeHistory(database.url);
    const env = { DATABASE_URL: database.url };
    const exported = await runCli(['db', 'export', '--trace'], { env });
    const unclear = await runCli(['db', 'export'], { env });
    await database.drop();
    const trace = join(folder, 'history.csv');
    await writeFile(trace, exported.out);
    const simulated = await runCli(['simulate', '--trace', trace, '--predictor', 'model']);
    const predicted = await runCli(['predict', '--evaluate', trace]);
    await removeScratch(folder);

    expect(exported).toMatchObject({ code: 0, err: '' });
    const [heading, first, ...others] = exported.out.trimEnd().split('\n');
    expect(heading).toBe('arrival_s,model,service_s,steps,user');
    expect(first).toBe('0.000000,m,0.003000,1,ann');
    expect(others).toHaveLength(TASKS_ENDED - 1);
    expect(others.at(-1)).toBe(`${TASKS_ENDED - 1}.000000,m,3.600000,${TASKS_ENDED},ann`);
    expect(unclear).toMatchObject({ code: 2, out: '' });
    expect(JSON.parse(simulated.out)).toMatchObject({ runs: [{ tasks: TASKS_ENDED }] });
    expect(JSON.parse(predicted.out)).toMatchObject({ rows: TASKS_ENDED });
  });

  it('tell of an embedded database that was never started', async () => {
    const folder = await scratchDirectory();
    const dataDir = join(folder, 'never');
    const status = await runCli(['db', 'status', '--data-dir', dataDir]);
    const url = await runCli(['db', 'url', '--data-dir', dataDir]);
    const stop = await runCli(['db', 'stop', '--data-dir', dataDir]);
    await removeScratch(folder);

    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject({ engine: 'embedded', running: false });
    expect(url).toMatchObject({ code: 1, out: '' });
    expect(stop).toMatchObject({ code: 0, out: expect.stringContaining('was not running') });
  });

  it('start an embedded database for the moment, and stop one that was left running', async () => {
    const folder = await scratchDirectory();
    const place = ['--data-dir', join(folder, 'data')];
    const made = await runCli(['keys', 'create', ...place]);
    const after = await runCli(['db', 'status', ...place]);
    const server = await EmbeddedPostgres.start({ dataDir: place[1] ?? '', log: () => undefined });
    const used = await runCli(['db', 'stop', ...place]);
    await server.release();
    const listed = await runCli(['keys', 'list', ...place]);
    const running = await EmbeddedPostgres.start({ dataDir: place[1] ?? '', log: () => undefined });
    await running.release();
    const status = await runCli(['db', 'status', ...place]);
    const url = await runCli(['db', 'url', ...place]);
    const stopped = await runCli(['db', 'stop', ...place]);
    await removeScratch(folder);

    expect(made).toMatchObject({ code: 0, err: '' });
    expect(after.code).toBe(1);
    expect(used).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
    expect(JSON.parse(listed.out)).toHaveLength(1);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.out)).toMatchObject({
      engine: 'embedded',
      running: true,
      port: running.port,
      url: running.url.replace(/:[^:@/]+@/, ':***@'),
    });
    expect(url.out).toBe(`${running.url}\n`);
    expect(stopped).toMatchObject({ code: 0, out: expect.stringContaining('stopped') });
  });
});

/** More than a page. */
const TASKS_ENDED = 1_200;

/** Tasks that succeeded, one a second, the n-th after 1.5 n ms on an instance of speed 2; and one that failed. */
async function writeHistory(url: string): Promise<void> {
  const source = await createDataSource(url, { poolSize: 1 }).initialize();
  await source.query(`
    INSERT INTO instances (id, kind, queue_kind, queue_name, host, port, name, protocol,
                           registration, registered_at)
    VALUES ('${INSTANCE}', 'task_instance', 'model', 'm', 'h', 1, 'i', 'submit', 1, now())`);
  await source.query(`
    INSERT INTO tasks
           (id, kind, queue_name, priority, state, attempt_no, event_seq, payload_bytes,
            failure_kind, metadata, prediction_method, prediction_levels, prediction_quantiles,
            max_attempts, attempt_timeout_ms, demand_slots, demand_cpu, demand_memory_gb,
            demand_gpu_memory_gb, submitted_at, started_at, finished_at, execution_ms, epoch, updated_at)
    SELECT gen_random_uuid(), 'model', 'm', 0,
           CASE WHEN n > ${TASKS_ENDED} THEN 'failed' ELSE 'succeeded' END, 1, 4, 0,
           CASE WHEN n > ${TASKS_ENDED} THEN 'worker_error' END,
           json_build_object('steps', n, 'user', 'ann', 'predicted_ms', 5, 'parts', json_build_array(1)),
           'default', '{0.5}', '{100}', 3, 1000, 1, 0, 0, 0, t.at, t.at, t.at, 1.5 * n, 1, t.at
      FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1 s' AS at
              FROM generate_series(1, ${TASKS_ENDED + 1}) n) t`);
  await source.query(`
    INSERT INTO attempts (task_id, attempt_no, dispatch_id, instance_id, registration, state,
                          reserved_at, ended_at, execution_ms, speed)
    SELECT id, 1, gen_random_uuid(), '${INSTANCE}', 1, 'ended', started_at, finished_at, execution_ms, 2
      FROM tasks`);
  await source.destroy();
}

const INSTANCE = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';
