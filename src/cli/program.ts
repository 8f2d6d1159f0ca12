import { Command, CommanderError } from 'commander';
import { agentCommand } from './agent';
import { alertsCommand } from './alerts';
import { cancelCommand } from './cancel';
import { examplesText } from './client-verb';
import { configCommand } from './config';
import { controlCommands } from './control-jobs';
import { dbCommand } from './db';
import { demoCommand } from './demo';
import { drainCommand } from './drain';
import { EXIT, EXIT_CODES_HELP } from './exit';
import { hostsCommand } from './hosts';
import { instancesCommand } from './instances';
import { jobsCommand } from './jobs';
import { keysCommand } from './keys';
import { logsCommand } from './logs';
import { openApiCommand } from './openapi';
import { queuesCommand } from './queues';
import { removeCommand } from './remove';
import { replayCommand } from './replay';
import { predictCommand } from './predict';
import { runCommand } from './run';
import { serveCommand } from './serve';
import { simulateCommand } from './simulate';
import { strategyCommand } from './strategy';
import { submitCommand } from './submit';
import { taskCommand } from './task';
import { tasksCommand } from './tasks';
import { topCommand } from './top';
import { workerCommand } from './worker';
import { VERSION } from '../config/version';

const EXAMPLES = [
  'foresail serve',
  'foresail demo',
  'foresail worker --scheduler http://127.0.0.1:8102 --model llama',
  `foresail submit --model llama --input '{"prompt": "hello"}' --wait`,
  'foresail submit --help',
];

/**
 * The whole command line, to be parsed with `parseAsync`. Verbs load what they work with when they
 * run, so that help and short commands do not wait for the whole service to be loaded. A wrong
 * command line ends the process with status 2.
 */
export function buildProgram(): Command {
  const program = new Command('foresail')
    .description('A prediction-aware task scheduler for fleets that people own.')
    .version(VERSION)
    .showSuggestionAfterError()
    // A verb with sub-verbs and a sub-verb of it may know the same flag.
    .enablePositionalOptions()
    .showHelpAfterError('(--help tells more)')
    .exitOverride(exit)
    .addHelpText('after', examplesText(EXAMPLES) + EXIT_CODES_HELP);
  const verbs = [
    serveCommand(),
    demoCommand(),
    workerCommand(),
    agentCommand(),
    submitCommand(),
    tasksCommand(),
    taskCommand(),
    cancelCommand(),
    runCommand(),
    jobsCommand(),
    logsCommand(),
    ...controlCommands(),
    hostsCommand(),
    instancesCommand(),
    drainCommand(),
    removeCommand(),
    topCommand(),
    queuesCommand(),
    strategyCommand(),
    replayCommand(),
    simulateCommand(),
    predictCommand(),
    alertsCommand(),
    dbCommand(),
    keysCommand(),
    configCommand(),
    openApiCommand(),
  ];
  for (const verb of verbs) mount(verb, program);
  return program;
}

/** Commands that are made on their own do not inherit how errors are told; subcommands included. */
function mount(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const subcommand of command.commands) mount(subcommand, command);
  if (!parent.commands.includes(command)) parent.addCommand(command);
}

/** Ends the process as the exit codes promise: commander itself knows only 0 and 1. */
function exit({ exitCode, code }: CommanderError): never {
  const isOurs = code === 'commander.error';
  process.exit(exitCode === 0 || isOurs ? exitCode : EXIT.usage);
}
