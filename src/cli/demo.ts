import { once } from 'node:events';
import { createServer } from 'node:net';
import { Command, Option } from 'commander';
import type { Config } from '../config/config.schema';
import { onEndSignals } from '../ops/end-signals';
import type { Service } from '../service';
import { ApiClient } from './api-client';
import { factor, wholeFrom } from './arguments';
import { examplesText } from './client-verb';
import { demoCommands, jobsText, registerHere, stopJobs } from './demo/demo-jobs';
import { demoReport, demoReportText, type DemoReport } from './demo/demo-report';
import { pacedFor, plannedFleet } from './demo/fleet-plan';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { outputOption, print, type OutputFormat } from './output';
import { fetchList } from './pages';
import { playBack } from './replay/play-back';
import type { ReplayOutcome } from './replay/run-replay';
import { syntheticRows } from '../simulation/traces/synthetic-trace';
import { workloadOf } from './replay/workload';
import type { TraceRow } from '../simulation/traces/llm-trace';

interface DemoFlags {
  readonly tasks: number;
  readonly workers: number;
  readonly seed: number;
  readonly speed: number;
  readonly exit?: true;
  readonly port?: string;
  readonly dataDir?: string;
  readonly logLevel: string;
  readonly output?: OutputFormat;
}

const EXAMPLES = [
  'foresail demo',
  'foresail demo --tasks 2000 --workers 12 --seed 7',
  'foresail demo --exit -o json',
];

const NOTES = `
Starts the scheduler with an embedded PostgreSQL of its own, and workers that simulate two models on
machines of different speed; submits a seeded workload shaped like two production services
(docs/workload.md); prints how it was served; and goes on serving until Ctrl-C, with this machine as a
host on which commands may be run (docs/batch.md): they are switched on for this session alone.

Nothing of yours is touched: DATABASE_URL, the instances file and FORESAIL_KEY are not used, and the
data lies in the folder "demo" below your data directory. With the end of the demo all of it is gone.
`;

const LOOPBACK = '127.0.0.1';
/** Submissions at the same time: a burst must not wait for its own beginning. */
const CONCURRENCY = 32;
const PATIENCE_MS = 30_000;

/** `foresail demo`: the whole of it, on this machine, in a minute. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('show a fleet at work: scheduler, workers and a workload, on this machine')
    .option('--tasks <number>', 'tasks to run', wholeFrom(1, 100_000), 400)
    .option('--workers <number>', 'workers to start', wholeFrom(2, 64), 6)
    .option('--seed <number>', 'the same seed gives the same tasks', wholeFrom(0, 2 ** 32 - 1), 1)
    .option('--speed <factor>', 'how many times faster than real time', factor, 10)
    .option('--exit', 'end after the table instead of serving on')
    .option('--port <number>', 'port to listen on, before FORESAIL_PORT')
    .option('--data-dir <folder>', 'folder to make "demo" in, before FORESAIL_DATA_DIR')
    .addOption(new Option('--log-level <level>', 'from which level on to log').default('warn'))
    .addOption(outputOption())
    .addHelpText('after', NOTES + examplesText(EXAMPLES) + EXIT_CODES_HELP)
    .action(guarded(demo));
}

async function demo(flags: DemoFlags): Promise<void> {
  const { clearDemoData, demoDataDir } = await import('./demo/demo-data.js');
  const config = await configOf(flags, demoDataDir);
  const dataDir = config.database.dataDir ?? '';
  const abort = abortOnSignals();
  await assertPortFree(config.server.port);
  await clearDemoData(dataDir);
  try {
    await withService(config, (service) => present(service, config, flags, abort));
  } catch (error) {
    // What an interruption broke off says less than that there was one.
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    await clearDemoData(dataDir);
  }
}

/** The user's settings, but for those that would bring the user's own data or fleet into it. */
async function configOf(
  { port, dataDir, logLevel }: DemoFlags,
  demoDataDir: (config: Config) => string,
): Promise<Config> {
  const { loadConfig } = await import('../config/load-config.js');
  const config = loadConfig({ flags: { port, dataDir, logLevel } });
  const demoDir = demoDataDir(config);
  return {
    ...config,
    server: { ...config.server, host: LOOPBACK },
    database: { ...config.database, url: undefined, dataDir: demoDir },
    commands: demoCommands(config.commands, demoDir),
    // Nobody else is to hear of what is tried out here.
    alerts: { ...config.alerts, urls: [] },
    instances: { ...config.instances, instancesFile: undefined, workerNetworks: [] },
  };
}

function abortOnSignals(): AbortController {
  const abort = new AbortController();
  const interrupted = 'interrupted; everything that ran was ended';
  onEndSignals(() => abort.abort(new CommandFailure(EXIT.failed, interrupted)));
  return abort;
}

/** Else it would be found out after the database has been made. */
async function assertPortFree(port: number): Promise<void> {
  const { listenFailure, SCHEDULER_PORT } = await import('../http/listen-failure.js');
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      reject(listenFailure(error, { host: LOOPBACK, port, setBy: SCHEDULER_PORT }));
    });
    server.listen(port, LOOPBACK, () => server.close(() => resolve()));
  });
}

/** The scheduler in this process, for as long as it is used. */
async function withService(
  config: Config,
  use: (service: Service) => Promise<void>,
): Promise<void> {
  const { createLogger } = await import('../ops/logging.js');
  const readable = process.stderr.isTTY;
  const logger = createLogger({ level: config.log.level, readable, destination: 2 });
  const { Service: Scheduler } = await import('../service.js');
  tell('starting PostgreSQL and the scheduler');
  const service = await Scheduler.start(config, logger);
  try {
    await service.whenSettled();
    await use(service);
  } finally {
    await service.stop();
  }
}

/** Runs the workload through a fleet, prints what came of it, and goes on until it is ended. */
async function present(
  { url }: Service,
  { commands }: Config,
  flags: DemoFlags,
  abort: AbortController,
): Promise<void> {
  const { tasks, workers, seed, speed: timeScale } = flags;
  const { signal } = abort;
  const planned = plannedFleet(workers);
  const { WorkerFleet } = await import('./demo/worker-fleet.js');
  tell(`starting ${planned.length} workers`);
  const fleet = new WorkerFleet(planned, { schedulerUrl: url, timeScale, seed, signal });
  const client = await ApiClient.open({ url });
  try {
    await fleet.whenOnline(client);
    const rows = pacedFor(planned, syntheticRows({ count: tasks, seed }));
    const outcome = await run(rows, flags, url, abort);
    const { items } = await fetchList(client, { path: '/v1/instances', name: 'instances' });
    const report = demoReport(outcome, items);
    print({ json: report, text: () => `\n${demoReportText(report)}` }, flags.output);
    assertGood(outcome, report);
    if (flags.exit !== true) await serveOn(client, url, commands, signal);
  } finally {
    await client.close();
    await fleet.stop();
  }
}

async function run(
  rows: readonly TraceRow[],
  { seed, speed }: DemoFlags,
  url: string,
  abort: AbortController,
): Promise<ReplayOutcome> {
  const pace = { speed, timeScale: speed, predict: true, serviceTimes: true };
  const tasks = workloadOf(rows, { ...pace, prefix: 'demo', seed });
  const seconds = Math.round((tasks.at(-1)?.dueMs ?? 0) / 1_000);
  tell(
    `submitting ${tasks.length} tasks within ${seconds} s, ${speed} times faster than real time`,
  );
  return playBack(tasks, {
    open: (connections) => ApiClient.open({ url }, { connections }),
    concurrency: CONCURRENCY,
    patienceMs: PATIENCE_MS,
    abort,
  });
}

/** @throws {CommandFailure} failed, when the run ended early or a task did not succeed */
function assertGood({ stoppedBy }: ReplayOutcome, { failed }: DemoReport): void {
  if (stoppedBy !== undefined) throw stoppedBy;
  if (failed > 0) throw new CommandFailure(EXIT.failed, `${failed} tasks did not succeed`);
}

/** Tells where to look, and resolves when the user has seen enough. */
async function serveOn(
  client: ApiClient,
  url: string,
  commands: Config['commands'],
  signal: AbortSignal,
): Promise<void> {
  const enough = signal.aborted ? undefined : once(signal, 'abort');
  if (commands.enabled) await registerHere(client);
  process.stderr.write(whereToLook(url, jobsText(url, commands)));
  await enough;
  if (commands.enabled) await stopJobs(client);
}

function whereToLook(url: string, jobs: string): string {
  return `
Look at the run while the scheduler and its workers go on:
  ${url}/docs         Swagger UI
  ${url}/v1/tasks     every task, the newest first
  npx foresail tasks --url ${url}
  npx foresail task demo-1 --url ${url}
  npx foresail queues --watch --url ${url}

Give them more to do:
  npx foresail replay --synthetic --limit 200 --speed 10 --time-scale 10 --url ${url}
${jobs}
Ctrl-C ends it all.
`;
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
