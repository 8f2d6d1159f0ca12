import type { Command } from 'commander';
import { clientVerb, type ClientFlags } from './client-verb';
import { callEach } from './each';
import { guarded } from './exit';
import { Fields } from './fields';
import { instanceColumns } from './instances';

interface DrainFlags extends ClientFlags {
  readonly undo?: true;
}

const EXAMPLES = ['foresail drain 10.0.0.7:8100', 'foresail drain 10.0.0.7:8100 --undo'];

const NOTES = `
A draining instance gets no new work. What it runs ends there; what waits for it goes elsewhere. It
stays so through restarts, until --undo. "foresail instances ID --watch" shows when it is idle.
`;

/** `foresail drain`: takes instances out of service in good order, or back into it. */
export function drainCommand(): Command {
  return clientVerb('drain', 'give instances no new work', EXAMPLES, NOTES)
    .argument('<id...>', 'the instances: id, own name, or host:port')
    .option('--undo', 'give them new work again')
    .action(
      guarded((ids: readonly string[], { undo, ...flags }: DrainFlags) => {
        const verb = undo === true ? 'undrain' : 'drain';
        return callEach(flags, {
          ids,
          name: 'instance',
          columns: instanceColumns(Date.now()).filter(({ head }) => SHOWN.has(head)),
          call: async (client, id) => {
            const path = `/v1/instances/${encodeURIComponent(id)}/${verb}`;
            const answer = await client.post(path, '{}');
            return new Fields(answer, `the answer to POST /v1/instances/{id}/${verb}`);
          },
        });
      }),
    );
}

const SHOWN = new Set(['MODEL', 'NAME', 'NEW WORK', 'BUSY', 'WAITING']);
