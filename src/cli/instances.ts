import type { Command } from 'commander';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { guarded } from './exit';
import { Fields } from './fields';
import { durationText, paintState, writeList, type Column } from './output';

const EXAMPLES = ['foresail instances', 'foresail instances -o json'];

/** `foresail instances`: the fleet as the scheduler sees it. */
export function instancesCommand(): Command {
  return clientVerb('instances', 'list the instances in service', EXAMPLES).action(
    guarded(async (flags: ClientFlags) => {
      const answer = await withClient(flags, (client) => client.get('/v1/instances'));
      const instances = new Fields(answer, 'the answer to GET /v1/instances').list('instances');
      writeList(flags.output, instances, columns(Date.now()), 'no instance is registered');
    }),
  );
}

function columns(now: number): readonly Column<Fields>[] {
  return [
    { head: 'MODEL', value: (instance) => instance.text('model') },
    { head: 'NAME', value: (instance) => instance.text('name') },
    {
      head: 'ADDRESS',
      value: (instance) => `${instance.text('host')}:${instance.number('port')}`,
    },
    { head: 'HEALTH', value: (instance) => instance.text('health'), paint: paintState },
    { head: 'NEW WORK', value: newWork },
    {
      head: 'BUSY',
      align: 'right',
      value: (instance) => `${instance.number('occupied')}/${instance.number('slots')}`,
    },
    { head: 'WAITING', align: 'right', value: (instance) => String(instance.number('waiting')) },
    { head: 'SPEED', align: 'right', value: (instance) => String(instance.number('speed')) },
    {
      head: 'LAST SEEN',
      align: 'right',
      value: (instance) => agoText(instance.text('last_contact_at'), now),
    },
    { head: 'ID', value: (instance) => instance.text('id') },
  ];
}

function newWork(instance: Fields): string {
  return instance.optionalText('unfit_because') ?? 'yes';
}

function agoText(at: string, now: number): string {
  return `${durationText(Math.max(0, now - Date.parse(at)))} ago`;
}
