import { Option, type Command } from 'commander';
import { commandEnvironment } from '../config/command-environment';
import { namedSecret } from '../config/named-secret';
import { isNonEmpty } from '../core/units';
import {
  ENGINES,
  type CommandChoice,
  type EngineName,
  type EngineOptions,
  type OpenAiChoice,
} from '../worker/worker-options';
import { factor, httpUrl, nameText, numberFrom, wholeFrom } from './arguments';
import { CommandFailure, EXIT } from './exit';
import { assertStartable, programWords } from './program-words';

/** Flags that choose an engine and set it up; absent where the command line says nothing. */
export interface EngineFlags {
  readonly engine: EngineName;
  readonly timeScale?: number;
  readonly seed?: number;
  readonly command?: readonly string[];
  readonly passEnv?: readonly string[];
  readonly killGrace?: number;
  readonly upstream?: string;
  readonly upstreamModel?: string;
  readonly apiKeyEnv?: string;
}

const SEED = wholeFrom(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const MOST_GRACE_SECONDS = 3600;
const DEFAULT_GRACE_SECONDS = 5;

/** Which flags are whose: one that another engine would ignore is refused. */
const FLAGS_OF: Readonly<Record<EngineName, readonly (keyof EngineFlags)[]>> = {
  simulated: ['timeScale', 'seed'],
  command: ['command', 'passEnv', 'killGrace'],
  openai: ['upstream', 'upstreamModel', 'apiKeyEnv'],
};

/** Adds the flags that choose an engine and set it up. */
export function withEngineFlags(worker: Command): Command {
  return worker
    .argument('[words...]', 'command: the program and its arguments, after --')
    .addOption(
      new Option('--engine <engine>', 'what executes tasks').choices(ENGINES).default(ENGINES[0]),
    )
    .option(
      '--time-scale <factor>',
      'simulated: how much faster than real time (default: 1)',
      factor,
    )
    .option('--seed <number>', 'simulated: seed of the noise on service times (default: 1)', SEED)
    .option('--command <line>', 'command: the program and its arguments; no shell', programWords)
    .option(
      '--pass-env <name,...>',
      'command: variables that the program gets beside PATH, HOME and a few more',
      names,
    )
    .option(
      '--kill-grace <seconds>',
      `command: time between SIGTERM and SIGKILL at a timeout (default: ${DEFAULT_GRACE_SECONDS})`,
      numberFrom(0, MOST_GRACE_SECONDS),
    )
    .option('--upstream <url>', 'openai: base URL, like http://127.0.0.1:11434/v1', httpUrl)
    .option('--upstream-model <name>', 'openai: its name of the model (default: --model)', nameText)
    .option('--api-key-env <name>', 'openai: environment variable that holds its key', nameText);
}

/**
 * The engine that the flags choose.
 * @param words what stands after `--`
 * @throws {CommandFailure} for flags that do not go together, and a program that is not there
 * @throws {ConfigError} for variables that do not exist
 */
export function engineOptions(flags: EngineFlags, words: readonly string[]): EngineOptions {
  refuseForeignFlags(flags, words);
  switch (flags.engine) {
    case 'simulated':
      return { name: 'simulated', timeScale: flags.timeScale ?? 1, seed: flags.seed ?? 1 };
    case 'command':
      return commandChoice(flags, words);
    case 'openai':
      return openAiChoice(flags);
  }
}

function refuseForeignFlags(flags: EngineFlags, words: readonly string[]): void {
  for (const [owner, names] of Object.entries(FLAGS_OF)) {
    if (owner === flags.engine) continue;
    const foreign = names.find((name) => flags[name] !== undefined);
    if (foreign !== undefined) {
      throw usage(`${asFlag(foreign)} is for --engine ${owner}, not for ${flags.engine}`);
    }
  }
  if (words.length > 0 && flags.engine !== 'command') {
    throw usage(`${words[0] ?? ''}: a program is for --engine command, not for ${flags.engine}`);
  }
}

function commandChoice(flags: EngineFlags, words: readonly string[]): CommandChoice {
  if (flags.command !== undefined && words.length > 0) {
    throw usage('the program is given twice; use either --command or what follows --');
  }
  const argv = flags.command ?? words;
  if (!isNonEmpty(argv)) {
    throw usage(`--engine command needs a program: --command 'python3 infer.py', or after --`);
  }
  const environment = commandEnvironment(flags.passEnv ?? []);
  assertStartable('--engine command', argv, environment);
  const killGraceMs = (flags.killGrace ?? DEFAULT_GRACE_SECONDS) * 1000;
  return { name: 'command', argv, environment, killGraceMs };
}

function openAiChoice({ upstream, upstreamModel, apiKeyEnv }: EngineFlags): OpenAiChoice {
  if (upstream === undefined) {
    throw usage('--engine openai needs a server: --upstream http://127.0.0.1:11434/v1');
  }
  return {
    name: 'openai',
    url: upstream,
    model: upstreamModel ?? null,
    apiKey: apiKeyEnv === undefined ? null : namedSecret(apiKeyEnv),
  };
}

function names(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

function asFlag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
