import type { Command } from 'commander';
import type { ApiClient } from './api-client';
import { nameText } from './arguments';
import { clientVerb } from './client-verb';
import { guarded } from './exit';
import { Fields } from './fields';
import {
  durationText,
  instantText,
  listView,
  paintState,
  recordText,
  type Column,
  type View,
} from './output';
import { fetchList } from './pages';
import { show, watchable, type WatchFlags } from './show';

interface InstancesFlags extends WatchFlags {
  readonly model?: string;
  readonly health?: string;
}

const EXAMPLES = [
  'foresail instances',
  'foresail instances --model llama --health suspect',
  'foresail instances 10.0.0.7:8100 --watch',
];

/** `foresail instances`: the fleet as the scheduler sees it, or one instance of it. */
export function instancesCommand(): Command {
  return watchable(clientVerb('instances', 'list the instances in service, or show one', EXAMPLES))
    .argument('[id]', 'one instance: its id, its own name, or host:port', nameText)
    .option('--model <name>', 'only those of this model', nameText)
    .option('--health <health>', 'only those that are online, suspect or lost', nameText)
    .action(
      guarded((id: string | undefined, flags: InstancesFlags) =>
        show(flags, (client) => (id === undefined ? list(client, flags) : one(client, id))),
      ),
    );
}

async function list(client: ApiClient, { model, health }: InstancesFlags): Promise<View> {
  const query = { path: '/v1/instances', name: 'instances', filters: { model, health } };
  const { items } = await fetchList(client, query);
  const none =
    model === undefined && health === undefined
      ? 'no instance is registered'
      : 'no instance is like that';
  return listView(items, instanceColumns(Date.now()), none);
}

async function one(client: ApiClient, id: string): Promise<View> {
  const answer = await client.get(`/v1/instances/${encodeURIComponent(id)}`);
  const instance = new Fields(answer, 'the answer to GET /v1/instances/{id}');
  return { json: answer, text: () => instanceText(instance) };
}

function instanceText(instance: Fields): string {
  return recordText([
    ['id', instance.text('id')],
    ['name', instance.text('name')],
    ['kind', instance.text('kind')],
    ['model', instance.text('model')],
    ['address', addressOf(instance)],
    ['health', instance.text('health'), paintState],
    ['new work', newWork(instance)],
    ['draining', instance.flag('draining') ? 'yes' : 'no'],
    ['busy', busy(instance)],
    ['waiting', String(instance.number('waiting'))],
    ['speed', learnedSpeed(instance)],
    ['last seen', agoText(instance.text('last_contact_at'), Date.now())],
    ['registered', instantText(Date.parse(instance.text('registered_at')))],
  ]);
}

/** The table of instances. @param now Unix ms */
export function instanceColumns(now: number): readonly Column<Fields>[] {
  return [
    { head: 'MODEL', value: (instance) => instance.text('model') },
    { head: 'NAME', value: (instance) => instance.text('name') },
    { head: 'ADDRESS', value: addressOf },
    { head: 'HEALTH', value: (instance) => instance.text('health'), paint: paintState },
    { head: 'NEW WORK', value: newWork },
    { head: 'BUSY', align: 'right', value: busy },
    { head: 'WAITING', align: 'right', value: (instance) => String(instance.number('waiting')) },
    { head: 'SPEED', align: 'right', value: speed },
    {
      head: 'LAST SEEN',
      align: 'right',
      value: (instance) => agoText(instance.text('last_contact_at'), now),
    },
    { head: 'ID', value: (instance) => instance.text('id') },
  ];
}

/** Port 0 is none: a host is reached by its prefix, and the address of a worker is its own word. */
function addressOf(instance: Fields): string {
  const [host, port] = [instance.text('host'), instance.number('port')];
  return port === 0 ? host : `${host}:${port}`;
}

function newWork(instance: Fields): string {
  return instance.optionalText('unfit_because') ?? 'yes';
}

function busy(instance: Fields): string {
  return `${instance.number('occupied')}/${instance.number('slots')}`;
}

function speed(instance: Fields): string {
  return instance.number('speed').toFixed(2);
}

function learnedSpeed(instance: Fields): string {
  const [declared, outcomes] = [
    instance.number('declared_speed'),
    instance.number('speed_outcomes'),
  ];
  return `${speed(instance)} (${declared} by its own word; ${outcomes} tasks seen)`;
}

function agoText(at: string, now: number): string {
  return `${durationText(Math.max(0, now - Date.parse(at)))} ago`;
}
