import { parseArgs } from 'node:util';
import { fetchList } from '../src/cli/pages';
import { ApiClient } from '../src/cli/api-client';
import { playBack } from '../src/cli/replay/play-back';
import type { ReplayOutcome } from '../src/cli/replay/run-replay';
import { workloadOf } from '../src/cli/replay/workload';
import { FLEET_PRESETS } from '../src/simulation/fleets';
import { SeededRandom } from '../src/ops/seeded-random';
import { TokensPredictor } from '../src/simulation/predictors';
import { tasksOf } from '../src/simulation/simulate';
import { Simulation } from '../src/simulation/simulation';
import { medianOf } from '../src/simulation/spread';
import { readTrace, type TraceRow } from '../src/simulation/traces/llm-trace';
import { stretchedToLoad } from '../src/simulation/workload';
import { EarliestStrategy } from '../src/strategies/earliest.strategy';
import { removeScratch, scratchDirectory } from '../test/support/scratch';
import { ServiceProcess } from '../test/support/service-process';
import { until } from '../test/support/until';
import { WorkerProcess } from '../test/support/worker-process';
import { markdownTable } from './markdown';

/**
 * `npm run bench:live -- --trace FILE [--limit 1000] [--load 0.85] [--speed 10] [--order 2]
 * [--prefetch 0] [--seeds 1,2,3]`: does the scheduler do what `foresail simulate` says? Replays the trace through a
 * scheduler and eight simulated workers, and simulates the same arrivals, service times, predictions
 * and order. Prints the mean waits of both, in seconds of the workload, as Markdown.
 */
const MODEL = 'live';
const FLEET = FLEET_PRESETS.get('equal8') ?? [];
const PATIENCE_MS = 120_000;
const CONNECTIONS = 32;
/** Of the log of a scheduler that ended, in characters. */
const LOG_SHOWN = 4_000;

/** What is compared. */
interface Trial {
  readonly rows: readonly TraceRow[];
  readonly load: number;
  /** How many times faster than the workload says everything goes, live. */
  readonly speed: number;
  readonly orderG: number;
  /** Tasks that may be at a worker above its slot. */
  readonly prefetch: number;
}

/** Means of one run. */
interface LiveFigures {
  /** From submission to end, without the run by the worker’s word, in seconds of the workload. */
  readonly waitSeconds: number;
  /** For how much longer than the run a slot was taken, in real ms: reports, commits, sending. */
  readonly turnaroundMs: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      trace: { type: 'string' },
      limit: { type: 'string', default: '1000' },
      load: { type: 'string', default: '0.85' },
      speed: { type: 'string', default: '10' },
      order: { type: 'string', default: '2' },
      prefetch: { type: 'string', default: '0' },
      seeds: { type: 'string', default: '1,2,3' },
    },
  });
  if (values.trace === undefined) {
    throw new Error('name the workload: npm run bench:live -- --trace FILE');
  }
  const rows = await readTrace(values.trace, Number(values.limit));
  const trial: Trial = {
    rows,
    load: Number(values.load),
    speed: Number(values.speed),
    orderG: Number(values.order),
    prefetch: Number(values.prefetch),
  };
  const table: string[][] = [];
  const ratios: number[] = [];
  await withFleet(trial, async (url) => {
    for (const seed of values.seeds.split(',').map(Number)) {
      const { waitSeconds, turnaroundMs } = await replay(trial, seed, url);
      const simulated = simulatedWait(trial, seed, 0);
      const explained = simulatedWait(trial, seed, turnaroundMs);
      ratios.push(waitSeconds / simulated);
      const cells = [
        String(seed),
        simulated.toFixed(2),
        waitSeconds.toFixed(2),
        (waitSeconds / simulated).toFixed(3),
        turnaroundMs.toFixed(1),
        (waitSeconds / explained).toFixed(3),
      ];
      table.push(cells);
      process.stderr.write(`${cells.join('  ')}\n`);
    }
  });
  const head = [
    'seed',
    'simulated wait s',
    'live wait s',
    'ratio',
    'turnaround ms',
    'ratio with it',
  ];
  process.stdout.write(
    `${rows.length} tasks, ${FLEET.length} workers, earliest, g = ${trial.orderG}, prefetch ${trial.prefetch}, load ${trial.load}, ` +
      `${trial.speed} times as fast\n\n${markdownTable(head, table)}\n` +
      `median of the ratios: ${medianOf(ratios)?.toFixed(3)}\n`,
  );
}

/**
 * Mean wait in s that `foresail simulate --strategy earliest --predictor tokens` computes, if every
 * slot is taken for so many real ms longer than its task runs.
 */
function simulatedWait(
  { rows, load, speed, orderG, prefetch }: Trial,
  seed: number,
  longerMs: number,
): number {
  const tasks = stretchedToLoad(tasksOf(rows, seed), FLEET, load);
  const runs = Simulation.run({
    tasks: tasks.map((task) => ({ ...task, serviceMs: task.serviceMs + longerMs * speed })),
    fleet: FLEET,
    strategy: new EarliestStrategy(),
    orderG,
    prefetch,
    predictor: new TokensPredictor(),
    random: new SeededRandom(seed),
  });
  return meanOf(runs.map(({ task, startMs }) => (startMs - task.arrivalMs) / 1000));
}

/** The same arrivals, service times and predictions, through the REST API. */
async function replay(
  { rows, load, speed }: Trial,
  seed: number,
  url: string,
): Promise<LiveFigures> {
  const stretched = stretchedToLoad(tasksOf(rows, seed), FLEET, load);
  const paced = rows.map((row, n) => ({
    ...row,
    arrivalSeconds: (stretched[n]?.arrivalMs ?? 0) / 1000,
  }));
  const pace = { speed, timeScale: speed, predict: true, serviceTimes: true };
  const tasks = workloadOf(paced, { ...pace, model: MODEL, prefix: `seed-${seed}`, seed });
  const began = new Date().toISOString();
  const outcome = await playBack(tasks, {
    open: (connections) => ApiClient.open({ url }, { connections }),
    concurrency: CONNECTIONS,
    patienceMs: PATIENCE_MS,
    abort: new AbortController(),
  });
  return {
    waitSeconds: waitOf(outcome, tasks.length) * speed,
    turnaroundMs: await turnaround(url, began),
  };
}

/** Mean wait in real seconds. */
function waitOf({ endings, stoppedBy }: ReplayOutcome, expected: number): number {
  if (stoppedBy !== undefined) throw stoppedBy;
  const good = endings.filter(({ state }) => state === 'succeeded');
  if (good.length < expected) throw new Error(`${expected - good.length} tasks did not succeed`);
  return meanOf(good.map(({ waitSeconds }) => waitSeconds ?? NaN));
}

/** Of the tasks submitted since then: how much longer than they ran they took a slot, ms. */
async function turnaround(url: string, since: string): Promise<number> {
  const client = await ApiClient.open({ url });
  const filters = { queue: MODEL, created_after: since };
  try {
    const { items } = await fetchList(client, { path: '/v1/tasks', name: 'tasks', filters });
    return meanOf(
      items.map((task) => {
        const taken = Date.parse(task.text('finished_at')) - Date.parse(task.text('started_at'));
        return taken - task.number('execution_ms');
      }),
    );
  } finally {
    await client.close();
  }
}

/** A scheduler with a database of its own and a worker per instance, for as long as it is used. */
async function withFleet(
  { speed, orderG, prefetch }: Trial,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const folder = await scratchDirectory();
  const service = await ServiceProcess.start({
    databaseUrl: '',
    env: { FORESAIL_DATA_DIR: folder, FORESAIL_ORDER_WEIGHT: String(orderG) },
  });
  const workers: WorkerProcess[] = [];
  try {
    for (const { name } of FLEET) {
      const own = ['--id', name, '--model', MODEL, '--scheduler', service.url];
      const pace = ['--time-scale', String(speed), '--log-level', 'warn'];
      workers.push(await WorkerProcess.start(...own, ...pace));
    }
    const known = async (): Promise<number> =>
      ((await service.get('/queue/info')).body as { queues: unknown[] }).queues.length;
    await until(
      async () => (await known()) === FLEET.length,
      'the workers to register',
      PATIENCE_MS,
    );
    await service.send('PATCH', `/v1/queues/${MODEL}`, JSON.stringify({ prefetch }));
    await use(service.url);
  } catch (error) {
    if (service.hasEnded) process.stderr.write(service.log.slice(-LOG_SHOWN));
    throw error;
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    await service.stop();
    await removeScratch(folder);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
