import type { DataSource } from 'typeorm';
import { systemClock } from '../../src/ops/system';
import { createDataSource } from '../../src/persistence/data-source';
import {
  TaskStatisticsRepository,
  type Spread,
} from '../../src/persistence/task-statistics.repository';
import { TaskStatistics } from '../../src/tasks/task-statistics';
import { freshDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
let source: DataSource;
let statistics: TaskStatistics;

beforeEach(async () => {
  database = await freshDatabase();
  source = await createDataSource(database.url, { poolSize: 2 }).initialize();
  statistics = new TaskStatistics(new TaskStatisticsRepository(source), systemClock);
});

afterEach(async () => {
  await source.destroy();
  await database.drop();
});

/** Ends in the table, `i` from 1 on: SQL for what each took, in ms, and for how long ago it ended. */
interface Ends {
  readonly count: number;
  readonly state?: string;
  readonly queue?: string;
  readonly wait: string;
  readonly service: string;
  readonly total: string;
  readonly ago: string;
}

async function write({ count, state = 'succeeded', queue = 'm', ...ms }: Ends): Promise<void> {
  const failure = state === 'failed' ? `'worker_error'` : 'NULL';
  const stopped = state === 'cancelled' ? `'cancelled'` : 'NULL';
  await source.query(`
    INSERT INTO tasks
           (id, kind, queue_name, priority, state, attempt_no, event_seq, payload_bytes,
            failure_kind, stop_reason, prediction_method, prediction_levels, prediction_quantiles, max_attempts,
            attempt_timeout_ms, demand_slots, demand_cpu, demand_memory_gb, demand_gpu_memory_gb,
            submitted_at, started_at, finished_at, execution_ms, epoch, updated_at)
    SELECT gen_random_uuid(), 'model', '${queue}', 0, '${state}', 1, 4, 0,
           ${failure}, ${stopped}, 'default', '{0.5}', '{100}', 3,
           1000, 1, 0, 0, 0,
           t.end - (${ms.total}) * interval '1 ms',
           t.end - (${ms.total}) * interval '1 ms' + (${ms.wait}) * interval '1 ms',
           t.end, ${ms.service}, 1, now()
      FROM (SELECT i, now() - (${ms.ago}) * interval '1 ms' AS end
              FROM generate_series(1, ${count}) i) t`);
}

const NOTHING = { tasks: 0, wait: null, service: null, total: null };
const flat = (ms: number): Spread => ({ p50: ms, p90: ms, p95: ms, p99: ms, max: ms, mean: ms });
const HOUR_MS = 3_600_000;

describe('statistics of finished tasks', () => {
  it('are nothing without any', async () => {
    await write({ count: 3, queue: 'other', wait: '1', service: '1', total: '2', ago: '5' });
    expect(await statistics.of('m')).toEqual({ lastTasks: NOTHING, lastHour: NOTHING });
  });

  it('tell how the times are spread', async () => {
    const times = { wait: '10 * i', service: 'i', total: '1000 + i', ago: 'i' };
    await write({ count: 101, ...times });
    const { lastTasks, lastHour } = await statistics.of('m');
    const spread = { p50: 51, p90: 91, p95: 96, p99: 100, max: 101, mean: 51 };
    const scaled = (times: number, plus: number): unknown =>
      Object.fromEntries(
        Object.entries(spread).map(([name, ms]) => [
          name,
          // Instants are kept to the microsecond.
          expect.closeTo(ms * times + plus, 2),
        ]),
      );
    const expected = {
      tasks: 101,
      wait: scaled(10, 0),
      service: scaled(1, 0),
      total: scaled(1, 1000),
    };
    expect(lastTasks).toEqual(expected);
    expect(lastHour).toEqual(expected);
  });

  it('look at the newest 1 000 however old, and at the last hour', async () => {
    const two = { wait: '2', service: '2', total: '2' };
    const one = { wait: '1', service: '1', total: '1' };
    await write({ count: 900, ...one, ago: `${2 * HOUR_MS}` });
    await write({ count: 900, ...two, ago: `${HOUR_MS / 2}` });
    const { lastTasks, lastHour } = await statistics.of('m');
    expect(lastHour).toEqual({ tasks: 900, wait: flat(2), service: flat(2), total: flat(2) });
    expect(lastTasks).toMatchObject({ tasks: 1_000, total: { p50: 2, mean: 1.9 } });
  });

  it('count every end, and have of each what is known of it', async () => {
    await write({ count: 1, wait: '5', service: '7', total: '12', ago: '1' });
    const failed = { count: 1, state: 'failed', ago: '1' };
    await write({ ...failed, wait: '5', service: 'NULL', total: '12' });
    const never = { count: 1, state: 'cancelled', service: 'NULL', total: '12', ago: '1' };
    await write({ ...never, wait: 'NULL' });
    // A clock that was set back between submission and start.
    await write({ count: 1, wait: '-3', service: '7', total: '12', ago: '1' });
    const { lastTasks } = await statistics.of('m');
    expect(lastTasks).toMatchObject({ tasks: 4, service: flat(7), total: flat(12) });
    expect(lastTasks.wait).toMatchObject({ max: 5, mean: 10 / 3 });
  });

  it('are looked up once for those who ask at the same time', async () => {
    const [first, second, third] = [statistics.of('m'), statistics.of('m'), statistics.of('n')];
    expect(first).toBe(second);
    expect(await third).toEqual(await first);
    expect(statistics.of('m')).not.toBe(first);
    await statistics.of('m');
  });
});
