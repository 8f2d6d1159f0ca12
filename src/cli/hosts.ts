import type { Command } from 'commander';
import type { ApiClient } from './api-client';
import { nameText, numberFrom, wholeFrom } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { guarded } from './exit';
import type { Fields } from './fields';
import { pair } from './job-options';
import { dataOf } from './job-record';
import { listView, print, recordText, type Column, type View } from './output';
import { show, watchable, type WatchFlags } from './show';

interface RegisterFlags extends ClientFlags {
  readonly slots?: number;
  readonly cpu?: number;
  readonly memory?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly prefix?: string;
}

const EXAMPLES = ['foresail hosts --watch', 'foresail hosts register h1 --slots 8 --memory 64'];

/** `foresail hosts`: where batch jobs run, and what of it is used. */
export function hostsCommand(): Command {
  return watchable(clientVerb('hosts', 'list the hosts of batch jobs, or register one', EXAMPLES))
    .action(guarded((flags: WatchFlags) => show(flags, list)))
    .addCommand(registerVerb());
}

const REGISTER_EXAMPLES = [
  'foresail hosts register here --slots 4',
  `foresail hosts register h1 --slots 8 --label os=linux --prefix 'ssh -o BatchMode=yes ana@h1'`,
];

const REGISTER_NOTES = `
A prefix leads to another machine; the scheduler runs "<prefix> '<script>'" without a shell of its own, and
the operator has to allow it (FORESAIL_EXECUTOR_PREFIXES). Without one, jobs run where the scheduler runs.
To register a host again changes it.
`;

function registerVerb(): Command {
  const description = 'register a host, or change it';
  return clientVerb('register', description, REGISTER_EXAMPLES, REGISTER_NOTES)
    .argument('<id>', 'what it is called', nameText)
    .option('--slots <number>', 'jobs of one slot at once (default: 1)', wholeFrom(1, 1e6))
    .option(
      '--cpu <cores>',
      'cores jobs may have (default: as many as slots)',
      numberFrom(0.001, 1e6),
    )
    .option('--memory <gb>', 'memory jobs may have (default: 2 per slot)', numberFrom(0.001, 1e6))
    .option('--label <name=value>', 'what a job may ask for; may be repeated', pair)
    .option('--prefix <command>', 'command that leads there', nameText)
    .action(guarded(register));
}

async function list(client: ApiClient): Promise<View> {
  const hosts = dataOf(await client.get('/scheduler/hosts'), 'GET /scheduler/hosts').list('hosts');
  return listView(hosts, COLUMNS, 'no host is registered');
}

async function register(id: string, flags: RegisterFlags): Promise<void> {
  const body = {
    ...{ host_id: id, total_slots: flags.slots, total_cpu: flags.cpu, labels: flags.label },
    ...{ total_memory_gb: flags.memory, executor_prefix: flags.prefix },
  };
  const host = await withClient(flags, async (client) => {
    const answer = await client.post('/scheduler/hosts/register', JSON.stringify(body));
    return dataOf(answer, 'POST /scheduler/hosts/register');
  });
  const entries = COLUMNS.map(({ head, value }) => [head.toLowerCase(), value(host)] as const);
  print({ json: host.raw, text: () => recordText(entries) }, flags.output);
}

const COLUMNS: readonly Column<Fields>[] = [
  { head: 'HOST', value: (host) => host.text('host_id') },
  { head: 'STATUS', value: (host) => host.text('status') },
  { head: 'SLOTS', align: 'right', value: (host) => used(host, 'slots') },
  { head: 'CPU', align: 'right', value: (host) => used(host, 'cpu') },
  { head: 'MEMORY GB', align: 'right', value: (host) => used(host, 'memory_gb') },
  { head: 'LABELS', value: labelsText },
  { head: 'PREFIX', value: (host) => host.text('executor_prefix') || '–' },
];

/** `3 of 8`. */
function used(host: Fields, what: string): string {
  return `${host.number(`used_${what}`)} of ${host.number(`total_${what}`)}`;
}

function labelsText(host: Fields): string {
  const labels = Object.entries(host.any('labels') ?? {}) as [string, unknown][];
  return labels.map(([name, value]) => `${name}=${String(value)}`).join(' ') || '–';
}
