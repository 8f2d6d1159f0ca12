import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandsIn } from './commands';
import { freshDatabase, type TestDatabase } from './database';
import { endMarked, markedAmong } from './marked';
import { report } from './report';
import { removeScratch, scratchDirectory } from './scratch';
import { SeededRandom } from './seeded-random';
import { ServiceProcess } from './service-process';
import { until } from './until';
import { openWork, rowsOf, violationsIn } from './verdict';

/** How much is run, and how often the scheduler is killed meanwhile. */
export interface JobsRestartOptions {
  readonly jobs: number;
  readonly kills: number;
  readonly timeoutMs: number;
}

const HOSTS = 5;
const SLOTS = 4;
/** Exit codes go round: job n ends with n modulo this. */
const CODES = 4;
const BATCH = 100;

/** A job's row, and what the ledger of its command says. */
interface Ran {
  readonly n: number;
  readonly state: string;
  readonly exit_code: number | null;
  readonly attempts: number;
  readonly ends: number;
  /** Dispatch ids of the runs that began, and of those that came to their end. */
  readonly begun: readonly string[];
  readonly through: readonly string[];
}

/**
 * Short jobs over local hosts while the scheduler is killed at random moments. Each command keeps a
 * ledger of its own, and the verdict compares the ledgers with the record.
 */
export function jobsRestartSuite({ jobs, kills, timeoutMs }: JobsRestartOptions): void {
  const seed = Number(process.env['FORESAIL_TEST_SEED'] ?? Date.now() % 1_000_000);

  describe(`${jobs} jobs and ${kills} kills of the scheduler (FORESAIL_TEST_SEED=${seed})`, () => {
    let folder: string;
    let ledgers: string;
    let database: TestDatabase;
    let service: ServiceProcess;

    beforeAll(async () => {
      folder = await scratchDirectory();
      ledgers = join(folder, 'ledgers');
      await mkdir(ledgers);
      for (const path of [folder, ledgers]) await chmod(path, 0o777);
      database = await freshDatabase();
      service = await serve();
    }, 60_000);

    afterAll(async () => {
      await service.kill();
      await endMarked(await dispatches());
      await database.drop();
      await removeScratch(folder);
    });

    const dispatches = async (): Promise<ReadonlySet<string>> => {
      const text = 'SELECT dispatch_id AS id FROM attempts';
      return new Set((await rowsOf<{ id: string }>(database.url, text)).map(({ id }) => id));
    };

    const serve = (port = 0): Promise<ServiceProcess> =>
      ServiceProcess.start({ databaseUrl: database.url, port, env: commandsIn(folder) });

    /** Says in its ledger when it begins and when it is through. */
    const commandOf = (n: number): string =>
      [
        `echo "begun $TASK_DISPATCH_ID" >>${join(ledgers, String(n))}`,
        `sleep 0.${1 + (n % 9)}`,
        `echo "through $TASK_DISPATCH_ID" >>${join(ledgers, String(n))}`,
        `exit ${n % CODES}`,
      ].join('; ');

    const ledgerOf = async (n: string, word: string): Promise<readonly string[]> => {
      const text = await readFile(join(ledgers, n), 'utf8').catch(() => '');
      const lines = text.split('\n').map((line) => line.split(' '));
      return lines.filter(([first]) => first === word).map(([, id]) => id ?? '');
    };

    async function submitAll(): Promise<void> {
      for (let host = 1; host <= HOSTS; host++) {
        const body = { host_id: `host-${host}`, total_slots: SLOTS };
        expect((await service.post('/scheduler/hosts/register', body)).status).toBe(200);
      }
      for (let from = 0; from < jobs; from += BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, jobs - from) }, (_, i) => ({
          command: commandOf(from + i),
          design: String(from + i),
        }));
        const answer = await service.post('/scheduler/jobs/batch', { jobs: batch });
        expect(answer).toMatchObject({ status: 200 });
      }
    }

    async function killAtRandom(): Promise<void> {
      const random = new SeededRandom(seed);
      const moments = Array.from({ length: kills }, () => random.next() * jobs).sort(
        (a, b) => a - b,
      );
      for (const [index, moment] of moments.entries()) {
        const hasCome = async (): Promise<boolean> => (await readdir(ledgers)).length >= moment;
        await until(hasCome, `the beginning of ${Math.ceil(moment)} jobs`, 120_000);
        const { port } = service;
        await service.kill();
        service = await serve(port);
        if (index % 10 === 9) report('jobs', { kills: index + 1 });
      }
    }

    /** Waits for one end after the other: how long all of them take depends on the machine. */
    async function settled(): Promise<void> {
      let open = Infinity;
      while (open > 0) {
        const before = open;
        const isFurther = async (): Promise<boolean> => {
          const { tasks, attempts } = await openWork(database.url);
          open = tasks + attempts;
          return open < before;
        };
        await until(isFurther, `an end of one of ${before} that are open`, 60_000);
      }
    }

    async function whatRan(): Promise<readonly Ran[]> {
      const rows = await rowsOf<Omit<Ran, 'begun' | 'through'>>(
        database.url,
        `SELECT (t.metadata ->> 'design')::int AS n, t.state,
                (t.result ->> 'exit_code')::int AS exit_code,
                (SELECT count(*)::int FROM attempts a WHERE a.task_id = t.id) AS attempts,
                (SELECT count(*)::int FROM task_events e WHERE e.task_id = t.id
                    AND e.to_state IN ('succeeded', 'failed', 'cancelled', 'timed_out')) AS ends
           FROM tasks t ORDER BY 1`,
      );
      return Promise.all(
        rows.map(async (row) => ({
          ...row,
          begun: await ledgerOf(String(row.n), 'begun'),
          through: await ledgerOf(String(row.n), 'through'),
        })),
      );
    }

    it(
      'run to their end once, with their own exit codes',
      async () => {
        await submitAll();
        await killAtRandom();
        await settled();
        const ran = await whatRan();
        const wrong = ran.filter(
          ({ n, state, exit_code: code, ends, through }) =>
            state !== (n % CODES === 0 ? 'succeeded' : 'failed') ||
            code !== n % CODES ||
            ends !== 1 ||
            through.length < 1,
        );
        // A command runs again only under another attempt, and an attempt runs it once.
        const twice = ran.filter(
          ({ begun, attempts }) => new Set(begun).size !== begun.length || begun.length > attempts,
        );
        const again = ran.filter(({ begun }) => begun.length > 1).length;
        const ids = await dispatches();
        const left = await markedAmong(ids);
        report(`jobs, seed ${seed}`, {
          jobs: ran.length,
          kills,
          attempts: ids.size,
          again,
        });
        expect({ wrong, twice, left }).toEqual({ wrong: [], twice: [], left: [] });
        expect(ran.map(({ n }) => n)).toEqual(Array.from({ length: jobs }, (_, n) => n));
        expect(await violationsIn(database.url)).toEqual([]);
      },
      timeoutMs,
    );
  });
}
