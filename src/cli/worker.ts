import { Command, InvalidArgumentError, Option } from 'commander';
import { loadClientConfig } from '../config/client-config';
import { isLoopback, isUnspecified, parseNetwork } from '../config/networks';
import { LOG_LEVELS, MOST_REPLICAS, type WorkerOptions } from '../worker/worker-options';
import { factor, httpUrl, nameText, numberFrom, wholeFrom } from './arguments';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { assertCallableFrom } from './worker-address';
import { engineOptions, withEngineFlags, type EngineFlags } from './worker-engine';

/** Longest time of a task in seconds, and the longest timer there is. */
const MOST_TIMEOUT = 2_000_000;
const MIB = 1_048_576;
const MOST_RESULT = 32 * MIB;

const EXAMPLES = [
  'foresail worker --scheduler http://127.0.0.1:8102 --model demo --replicas 2',
  "foresail worker --scheduler http://gpu0:8102 --model ocr --engine command --command 'python3 ocr.py'",
  'foresail worker --model ocr --engine command --pass-env HF_HOME -- python3 ocr.py --fast',
  'foresail worker --scheduler http://gpu0:8102 --model llama3 --engine openai --replicas 4 \\\n' +
    '      --upstream http://127.0.0.1:11434/v1 --upstream-model llama3:8b',
];
const NOTES = `
When it listens it prints one line to standard output:
  {"url":"http://127.0.0.1:8100","instance_id":"gpu7-8100","pid":4711}

Environment:
  FORESAIL_KEY  key to show, when the scheduler wants one ("foresail keys create" makes one)
`;

/** What commander hands over: flags as they are named, already parsed. */
interface WorkerFlags extends EngineFlags {
  readonly scheduler?: string;
  readonly host: string;
  readonly port: number;
  readonly advertise?: string;
  readonly trustedNetworks: readonly string[];
  readonly id?: string;
  readonly model: string;
  readonly replicas: number;
  readonly speed: number;
  readonly taskTimeout: number;
  readonly resultLimit: number;
  readonly ledger?: string;
  readonly drainTimeout: number;
  readonly logLevel: WorkerOptions['logLevel'];
}

/**
 * `foresail worker`: one process that executes tasks and speaks the task-instance interface. When
 * it listens it prints one JSON line with its URL; its log goes to standard error. The key for a
 * scheduler that demands one comes from `FORESAIL_KEY`.
 */
export function workerCommand(): Command {
  const action = async (words: readonly string[], flags: WorkerFlags): Promise<void> => {
    endWithParent();
    const { key } = loadClientConfig();
    const options = workerOptions(flags, words, key);
    // Nest takes longer to load than `--help` of the other verbs may take.
    const { runWorker } = await import('../worker/run-worker.js');
    if (options.schedulerUrl !== undefined) {
      await assertCallableFrom(options.schedulerUrl, options.advertise);
    }
    const { url, instanceId } = await runWorker(options);
    console.log(JSON.stringify({ url, instance_id: instanceId, pid: process.pid }));
  };
  return workerFlags().action(guarded(action));
}

/** A worker that was forked drains when its parent is gone, however that ended. */
function endWithParent(): void {
  if (!process.connected) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

/** The command line of a worker, without what it does. */
export function workerFlags(): Command {
  const worker = new Command('worker')
    .description('run a worker that executes tasks, registers itself and reports results')
    .option('--scheduler <url>', 'scheduler to register at (default: none, serve only)', httpUrl)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', wholeFrom(0, 65_535), 8100)
    .option('--advertise <host>', 'host that the scheduler is told to call (default: --host)')
    .option(
      '--trusted-networks <cidr,...>',
      'who may call beside this machine itself; needed with another --host than loopback',
      networks,
      [],
    )
    .option('--id <name>', 'name of this worker (default: machine name and port)', nameText)
    .requiredOption('--model <name>', 'model to serve', nameText)
    .option(
      '--replicas <number>',
      'tasks executed at the same time',
      wholeFrom(0, MOST_REPLICAS),
      1,
    )
    .option('--speed <factor>', 'how much faster than speed 1 this machine is', factor, 1)
    .option(
      '--task-timeout <seconds>',
      'longest execution of a task; metadata.timeout_ms can shorten it; not simulated',
      numberFrom(0.001, MOST_TIMEOUT),
      3600,
    )
    .option(
      '--result-limit <bytes>',
      'largest result of a task; not simulated',
      wholeFrom(1024, MOST_RESULT),
      MIB,
    )
    .option('--ledger <file>', 'file that gets one JSON line per execution')
    .option(
      '--drain-timeout <seconds>',
      'how long to finish work after SIGTERM',
      numberFrom(0, 86_400),
      60,
    )
    .addOption(
      new Option('--log-level <level>', 'log from this level on')
        .choices(LOG_LEVELS)
        .default('info'),
    );
  return withEngineFlags(worker).addHelpText(
    'after',
    NOTES + examplesText(EXAMPLES) + EXIT_CODES_HELP,
  );
}

/**
 * What a worker is started with, from its parsed flags.
 * @param words what follows `--`
 * @throws {CommandFailure} for flags that do not go together.
 */
export function workerOptions(
  flags: WorkerFlags,
  words: readonly string[],
  key: string | undefined,
): WorkerOptions {
  const { scheduler, advertise = flags.host, id, ledger } = flags;
  if (scheduler !== undefined && isUnspecified(advertise)) {
    throw new CommandFailure(
      EXIT.usage,
      `the scheduler cannot call ${advertise}; say with --advertise which host it can call`,
    );
  }
  const local = flags.host === 'localhost' || isLoopback(flags.host);
  if (!local && flags.trustedNetworks.length === 0) {
    throw new CommandFailure(
      EXIT.usage,
      `--host ${flags.host} opens the worker to others; say with --trusted-networks who may call, ` +
        'for instance --trusted-networks 10.0.0.0/8',
    );
  }
  const { host, port, trustedNetworks, model, replicas, speed, logLevel } = flags;
  return {
    host,
    port,
    advertise,
    trustedNetworks,
    model,
    engine: engineOptions(flags, words),
    replicas,
    speed,
    taskTimeoutMs: flags.taskTimeout * 1000,
    resultLimitBytes: flags.resultLimit,
    drainTimeoutMs: flags.drainTimeout * 1000,
    logLevel,
    ...(scheduler === undefined ? {} : { schedulerUrl: scheduler }),
    ...(key === undefined ? {} : { key }),
    ...(id === undefined ? {} : { id }),
    ...(ledger === undefined ? {} : { ledger }),
  };
}

function networks(text: string): readonly string[] {
  const blocks = text.split(',').map((block) => block.trim());
  const wrong = blocks.find((block) => parseNetwork(block) === undefined);
  if (wrong === undefined) return blocks;
  throw new InvalidArgumentError(`${JSON.stringify(wrong)} is not a CIDR block like 10.0.0.0/8`);
}
