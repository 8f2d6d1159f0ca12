import { InvalidArgumentError, type Command } from 'commander';
import { nameText, numberFrom, wholeFrom } from './arguments';
import { whoami } from './job-record';

/** Values by name. */
type Pairs = Readonly<Record<string, string>>;

/** What a job may be submitted with. */
export interface JobFlags {
  readonly project?: string;
  readonly design?: string;
  readonly owner?: string;
  readonly priority?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly slots?: number;
  readonly cpu?: number;
  readonly memory?: number;
  readonly tool?: string;
  readonly tokens?: number;
  readonly label?: Pairs;
  readonly env?: Pairs;
  readonly workdir?: string;
}

/** Adds what a job may be submitted with. */
export function withJobOptions(command: Command): Command {
  return command
    .option('--project <name>', 'project it belongs to', nameText)
    .option('--design <name>', 'design it belongs to', nameText)
    .option('--owner <name>', 'whose it is (default: who you are here)', nameText)
    .option('--priority <number>', 'higher goes first (default: 1)', wholeFrom(-1e6, 1e6))
    .option('--timeout <seconds>', 'longest run; 0: none', numberFrom(0, 31_536_000))
    .option('--retries <number>', 'how often it is tried again', wholeFrom(0, 100))
    .option('--slots <number>', 'slots it takes (default: 1)', wholeFrom(1, 1e6))
    .option('--cpu <cores>', 'cores it needs (default: 1)', numberFrom(0, 1e6))
    .option('--memory <gb>', 'memory it needs (default: 2)', numberFrom(0, 1e6))
    .option('--tool <name>', 'tool it runs, which names its licence pool', nameText)
    .option('--tokens <number>', 'licences it draws (default: 1)', wholeFrom(0, 1e6))
    .option('--label <name=value>', 'label its host must have; may be repeated', pair)
    .option('--env <NAME=value>', 'variable it gets; may be repeated', pair)
    .option('--workdir <path>', 'folder it works in (default: one of its own)', nameText);
}

/** A job as the API takes it; what is not given is left to the service. */
export function jobBody(command: string, flags: JobFlags): object {
  const { project, design, owner = whoami(), priority, timeout, retries, workdir, env } = flags;
  const { slots, cpu, memory, tool, tokens, label } = flags;
  const resources = { slots, cpu, memory_gb: memory, tool_version: tool, license_tokens: tokens };
  const request = { ...resources, host_labels: label };
  return {
    ...{ command, project, design, owner, priority, workdir, env },
    timeout_sec: timeout,
    retry_limit: retries,
    resource_request: request,
  };
}

/** Adds `name=value` to those given before, for an option. */
export function pair(text: string, before: Pairs = {}): Pairs {
  const [name = '', ...rest] = text.split('=');
  if (name !== '' && rest.length > 0) return { ...before, [name]: rest.join('=') };
  throw new InvalidArgumentError('a name and a value are needed, as in os=linux');
}
