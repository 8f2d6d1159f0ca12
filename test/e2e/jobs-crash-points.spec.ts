import { chmod } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsIn } from '../support/commands';
import { freshDatabase, type TestDatabase } from '../support/database';
import { removeScratch, scratchDirectory } from '../support/scratch';
import { ServiceProcess } from '../support/service-process';
import { until } from '../support/until';
import { rowsOf, violationsIn } from '../support/verdict';

/** Each commit of a job's life is one pass: submitted, reserved, confirmed, running, ended. */
const POINTS = [
  'journal:after-commit#1',
  'journal:before-commit#2',
  'journal:after-commit#2',
  'dispatch:before-send',
  'dispatch:answered',
  'dispatch:confirmed',
  'journal:before-commit#3',
  'journal:after-commit#3',
  'journal:before-commit#4',
  'journal:after-commit#4',
];

interface Row {
  readonly state: string;
  readonly exit_code: number | null;
  readonly attempts: number;
}

describe('a job whose scheduler dies', () => {
  let folder: string;
  let database: TestDatabase;
  let service: ServiceProcess | undefined;

  beforeEach(async () => {
    folder = await scratchDirectory();
    await chmod(folder, 0o777);
    database = await freshDatabase();
  });

  afterEach(async () => {
    await service?.kill();
    await database.drop();
    await removeScratch(folder);
  });

  async function serve(env: Record<string, string> = {}): Promise<ServiceProcess> {
    const all = { ...commandsIn(folder), ...env };
    service = await ServiceProcess.start({ databaseUrl: database.url, env: all });
    return service;
  }

  const job = async (): Promise<Row | undefined> => {
    const [row] = await rowsOf<Row>(
      database.url,
      `SELECT state, (result ->> 'exit_code')::int AS exit_code,
              (SELECT count(*)::int FROM attempts a WHERE a.task_id = t.id) AS attempts
         FROM tasks t`,
    );
    return row;
  };

  it.each(POINTS)('at %s runs once, to its end', async (point) => {
    const doomed = await serve({ FORESAIL_CRASH_AT: point });
    await doomed.post('/scheduler/hosts/register', { host_id: 'here' });
    const ledger = join(folder, 'ledger');
    const command = `echo ran >>${ledger}; sleep 0.3; exit 3`;
    // The answer may be lost with the scheduler.
    await doomed.post('/scheduler/jobs', { command }).catch(() => undefined);
    await until(() => doomed.hasEnded, `the crash at ${point}`);
    expect(await job()).toBeDefined();
    await serve();
    await until(async () => (await job())?.state === 'failed', 'the end of the job');
    expect(await job()).toEqual({ state: 'failed', exit_code: 3, attempts: 1 });
    expect(existsSync(ledger) && readFileSync(ledger, 'utf8')).toBe('ran\n');
    expect(await violationsIn(database.url)).toEqual([]);
  });
});
