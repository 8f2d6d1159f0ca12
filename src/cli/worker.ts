import { Command, InvalidArgumentError, Option } from 'commander';
import { loadClientConfig } from '../config/client-config';
import { isLoopback, parseNetwork } from '../config/networks';
import { ENGINES, LOG_LEVELS, type WorkerOptions } from '../worker/worker-options';
import { factor, httpUrl, nameText, numberFrom, wholeFrom } from './arguments';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';

/** Largest number of replicas that is not a slip of the keyboard. */
const MOST_REPLICAS = 1000;
const SEED = wholeFrom(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

const EXAMPLE = `
Example:
  $ foresail worker --scheduler http://127.0.0.1:8102 --port 0 --model llama --replicas 2
  {"url":"http://127.0.0.1:41873","instance_id":"gpu7-41873","pid":4711}
`;

/** What commander hands over: flags as they are named, already parsed. */
interface WorkerFlags {
  readonly scheduler?: string;
  readonly host: string;
  readonly port: number;
  readonly advertise?: string;
  readonly trustedNetworks: readonly string[];
  readonly id?: string;
  readonly model: string;
  readonly engine: WorkerOptions['engine'];
  readonly replicas: number;
  readonly speed: number;
  readonly timeScale: number;
  readonly seed: number;
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
  const action = async (flags: WorkerFlags): Promise<void> => {
    const { key } = loadClientConfig();
    // Nest takes longer to load than `--help` of the other verbs may take.
    const { runWorker } = await import('../worker/run-worker.js');
    const { url, instanceId } = await runWorker(workerOptions(flags, key));
    console.log(JSON.stringify({ url, instance_id: instanceId, pid: process.pid }));
  };
  return workerFlags().action(guarded(action));
}

/** The command line of a worker, without what it does. */
export function workerFlags(): Command {
  return new Command('worker')
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
    .addOption(
      new Option('--engine <engine>', 'what executes tasks').choices(ENGINES).default(ENGINES[0]),
    )
    .option(
      '--replicas <number>',
      'tasks executed at the same time',
      wholeFrom(0, MOST_REPLICAS),
      1,
    )
    .option('--speed <factor>', 'simulated: how much faster than speed 1', factor, 1)
    .option('--time-scale <factor>', 'simulated: how much faster than real time', factor, 1)
    .option('--seed <number>', 'simulated: seed of the noise on service times', SEED, 1)
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
    )
    .addHelpText('after', EXAMPLE + EXIT_CODES_HELP);
}

/**
 * What a worker is started with, from its parsed flags.
 * @throws {CommandFailure} for flags that do not go together.
 */
export function workerOptions(flags: WorkerFlags, key: string | undefined): WorkerOptions {
  const { scheduler, drainTimeout, advertise = flags.host, id, ledger, ...rest } = flags;
  if (scheduler !== undefined && WILDCARDS.includes(advertise)) {
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
  return {
    ...rest,
    advertise,
    drainTimeoutMs: drainTimeout * 1000,
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
