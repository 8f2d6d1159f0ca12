import { Command, InvalidArgumentError, Option } from 'commander';
import type {
  AgentOptions,
  HostRegistration,
  LoadChoice,
  WorkerFacts,
} from '../agent/agent-options';
import { loadClientConfig, type ClientConfig } from '../config/client-config';
import type { NonEmpty } from '../core/units';
import { LOG_LEVELS } from '../worker/worker-options';
import { hostPort, httpUrl, nameText, numberFrom, wholeFrom } from './arguments';
import { examplesText, SETTINGS_HELP } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { pair } from './job-options';
import { assertStartable, programWords } from './program-words';

const MOST = 1_000_000;
const MOST_TAGS = 256;
const LONGEST_TAG = 128;
const LONGEST_NAME = 255;
const PRINTABLE = /^(?!\s*$)\P{Cc}+$/u;

const EXAMPLES = [
  'foresail agent --id worker-001 --addr 192.168.1.100:9000 --tags gpu,cuda-12.0 --max-tasks 30 \\\n' +
    '      --load-file /run/worker/load.json',
  "foresail agent --id w2 --addr 10.0.0.7:9000 --max-tasks 8 --cpu 32 --memory-gb 128 --load-command 'python3 load.py'",
  "foresail agent --apr --id h1 --max-tasks 8 --memory-gb 64 --prefix 'ssh -o BatchMode=yes ana@h1'",
];

const NOTES = `
The load is a whole number, or {"current_tasks": 2, "task_ids": ["a", "b"]}: what the file holds or the command
prints, read anew before each heartbeat. With task ids the scheduler counts exactly.
On SIGTERM the worker says goodbye and gets nothing more.
`;

/** What commander hands over: flags as they are named, already parsed. */
interface AgentFlags {
  readonly scheduler?: string;
  readonly apr?: true;
  readonly id: string;
  readonly addr?: string;
  readonly tags?: readonly string[];
  readonly maxTasks?: number;
  readonly cpu?: number;
  readonly memoryGb?: number;
  readonly gpuMemoryGb?: number;
  readonly loadFile?: string;
  readonly loadCommand?: NonEmpty<string>;
  readonly label?: Readonly<Record<string, string>>;
  readonly prefix?: string;
  readonly interval: number;
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string>>;

/** Flags of a worker that mean nothing for a batch host, and the other way round. */
const OF_WORKERS = ['addr', 'tags', 'gpuMemoryGb', 'loadFile', 'loadCommand'] as const;
const OF_HOSTS = ['label', 'prefix'] as const;

/**
 * `foresail agent`: heartbeats for a worker that only asks for placement, or for a batch host, until
 * it is told to stop. Its log goes to standard error.
 */
export function agentCommand(): Command {
  const action = async (flags: AgentFlags): Promise<void> => {
    // Loading settings and what talks HTTP takes longer than `--help` of the other verbs may take.
    const { childEnvironment } = await import('../config/child-environment.js');
    const options = agentOptions(flags, loadClientConfig(), childEnvironment());
    const { runAgent } = await import('../agent/run-agent.js');
    await runAgent(options);
  };
  return agentFlags().action(guarded(action));
}

/** The command line of an agent, without what it does. */
export function agentFlags(): Command {
  return new Command('agent')
    .description('heartbeat for a worker that only asks for placement, or for a batch host')
    .option('--scheduler <url>', 'scheduler to tell, before FORESAIL_URL', httpUrl)
    .requiredOption('--id <name>', 'name of the worker or host', printable)
    .option('--addr <host:port>', 'where clients reach the worker', hostPort)
    .option('--tags <tag,...>', 'what the worker can do (default: no tags)', tagList)
    .option('--max-tasks <number>', 'tasks that it runs at once', wholeFrom(0, MOST))
    .option('--cpu <cores>', 'cores that tasks may reserve', numberFrom(0, MOST))
    .option('--memory-gb <gb>', 'memory that tasks may reserve', numberFrom(0, MOST))
    .option('--gpu-memory-gb <gb>', 'GPU memory that tasks may reserve', numberFrom(0, MOST))
    .option('--load-file <path>', 'file that holds what the worker has to do', nameText)
    .option('--load-command <line>', 'command that prints it, in 2 s; no shell', programWords)
    .option('--apr', 'heartbeat for a host of batch jobs; sizes and labels register it')
    .option('--label <name=value>', 'apr: what a job may ask for; may be repeated', pair)
    .option('--prefix <command>', 'apr: command that leads there', nameText)
    .option('--interval <seconds>', 'time between heartbeats', numberFrom(0.1, 3600), 3)
    .addOption(
      new Option('--log-level <level>', 'log from this level on')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .addHelpText('after', NOTES + examplesText(EXAMPLES) + SETTINGS_HELP + EXIT_CODES_HELP);
}

/**
 * What an agent is started with, from its parsed flags.
 * @param environment of the command that prints the load
 * @throws {CommandFailure} for flags that do not go together, and a program that is not there
 */
export function agentOptions(
  flags: AgentFlags,
  { url, key }: ClientConfig,
  environment: Environment,
): AgentOptions {
  const speaksFor = flags.apr === true ? hostIn(flags) : workerIn(flags, environment);
  return {
    schedulerUrl: flags.scheduler ?? url,
    ...(key === undefined ? {} : { key }),
    speaksFor,
    intervalMs: flags.interval * 1000,
    logLevel: flags.logLevel,
  };
}

function workerIn(flags: AgentFlags, environment: Environment): WorkerFacts {
  const { id, addr: address, tags = [], maxTasks } = flags;
  const foreign = OF_HOSTS.find((name) => flags[name] !== undefined);
  if (foreign !== undefined) throw usage(`--${foreign} is for a batch host: with --apr`);
  if (address === undefined) throw usage('--addr is missing: say where clients reach the worker');
  if (maxTasks === undefined) throw usage('--max-tasks is missing: how many tasks at once?');
  return {
    kind: 'worker',
    id,
    address,
    tags,
    maxTasks,
    resources: resourcesIn(flags),
    load: loadIn(flags, environment),
  };
}

function resourcesIn({ cpu, memoryGb, gpuMemoryGb }: AgentFlags): WorkerFacts['resources'] {
  const given = [cpu, memoryGb, gpuMemoryGb].some((amount) => amount !== undefined);
  if (!given) return null;
  return { cpu: cpu ?? 0, memoryGb: memoryGb ?? 0, gpuMemoryGb: gpuMemoryGb ?? 0 };
}

function loadIn(
  { loadFile: path, loadCommand: argv }: AgentFlags,
  environment: Environment,
): LoadChoice | null {
  if (argv === undefined) return path === undefined ? null : { kind: 'file', path };
  if (path !== undefined)
    throw usage('the load is asked for twice; use --load-file or --load-command');
  assertStartable('--load-command', argv, environment);
  return { kind: 'command', argv, environment };
}

function hostIn(flags: AgentFlags): Extract<AgentOptions['speaksFor'], { kind: 'host' }> {
  const foreign = OF_WORKERS.find((name) => flags[name] !== undefined);
  if (foreign !== undefined) {
    throw usage(`--${kebab(foreign)} is for a worker, not for a batch host`);
  }
  const { maxTasks: slots, cpu, memoryGb, label: labels, prefix } = flags;
  const given = Object.entries({ slots, cpu, memoryGb, labels, prefix }).filter(
    ([, value]) => value !== undefined,
  );
  const registration = given.length > 0 ? (Object.fromEntries(given) as HostRegistration) : null;
  return { kind: 'host', id: flags.id, registration };
}

function tagList(text: string): readonly string[] {
  const tags = text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  const wrong = tags.find((tag) => tag.length > LONGEST_TAG || !PRINTABLE.test(tag));
  if (wrong !== undefined) {
    throw new InvalidArgumentError(`a tag has 1 to ${LONGEST_TAG} printable characters`);
  }
  if (tags.length <= MOST_TAGS) return tags;
  throw new InvalidArgumentError(`at most ${MOST_TAGS} tags are taken; got ${tags.length}`);
}

function printable(text: string): string {
  if (text.length <= LONGEST_NAME && PRINTABLE.test(text)) return text;
  throw new InvalidArgumentError(`1 to ${LONGEST_NAME} printable characters are needed`);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
