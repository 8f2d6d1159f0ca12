import { join, resolve } from 'node:path';
import { startDurableCluster, type DurableCluster } from '../support/cluster';
import { ReplayProcess } from '../support/replay-process';
import { report } from '../support/report';
import { Scenario } from '../support/scenario';
import { until } from '../support/until';
import { verdictOf } from '../support/verdict';
import type { WorkerProcess } from '../support/worker-process';

/**
 * `FORESAIL_TRACE=llm_azure2023.csv npm run test:replay`: the main job on a recorded workload, with
 * the default times, three `kill -9` of the scheduler and one of a worker on the way.
 */
const TRACE = process.env['FORESAIL_TRACE'];
const TASKS = Number(process.env['FORESAIL_REPLAY_TASKS'] ?? 2_000);
const SPEED = Number(process.env['FORESAIL_REPLAY_SPEED'] ?? 20);
const WORKERS = 8;
/** Shares of the tasks that are accepted when something is killed. */
const KILLS = [
  { after: 0.2, victim: 'scheduler' },
  { after: 0.35, victim: 'worker' },
  { after: 0.5, victim: 'scheduler' },
  { after: 0.75, victim: 'scheduler' },
] as const;
const PATIENCE_MS = 600_000;

jest.setTimeout(PATIENCE_MS + 120_000);

describe(`a replay of ${TASKS} tasks through ${WORKERS} workers`, () => {
  let cluster: DurableCluster;
  let scenario: Scenario;

  beforeAll(async () => {
    cluster = await startDurableCluster();
    const databaseUrl = await cluster.createDatabase('foresail_test_replay');
    scenario = await Scenario.begin({ databaseUrl, env: {} });
  });

  afterAll(async () => {
    await scenario.close();
    await cluster.dispose();
  });

  it('ends every task once and right, whoever is killed', async () => {
    if (TRACE === undefined) throw new Error('name the trace: FORESAIL_TRACE=file.csv');
    let service = await scenario.serve();
    const workers: WorkerProcess[] = [];
    for (let n = 1; n <= WORKERS; n += 1) {
      const pace = ['--replicas', '4', '--time-scale', String(SPEED), '--log-level', 'warn'];
      workers.push(await scenario.worker(`worker-${n}`, n % 4 === 0 ? 'code' : 'conv', ...pace));
    }
    await scenario.registered(WORKERS);
    const replay = ReplayProcess.start({
      url: scenario.url,
      trace: resolve(TRACE),
      ledger: join(scenario.folder, 'replay.jsonl'),
      limit: TASKS,
      speed: SPEED,
    });
    try {
      for (const { after, victim } of KILLS) {
        const isDue = async (): Promise<boolean> =>
          (await replay.accepted()).length >= after * TASKS;
        await until(isDue, `${after * TASKS} accepted tasks`, PATIENCE_MS);
        if (victim === 'worker') {
          workers[0]?.kill('SIGKILL');
          continue;
        }
        await service.kill();
        service = await scenario.serve();
      }
      report('replay', { summary: JSON.stringify(await replay.summary()) });
      await scenario.settled(PATIENCE_MS);
      const { faults, ...figures } = await verdictOf({
        databaseUrl: scenario.databaseUrl,
        accepted: await replay.accepted(),
        executions: await scenario.executions(),
      });
      report('verdict', figures);
      expect(faults).toEqual([]);
      expect(figures.accepted).toBe(TASKS);
    } finally {
      await replay.kill();
    }
  });
});
