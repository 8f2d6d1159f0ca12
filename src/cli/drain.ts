import type { Command } from 'commander';
import { clientVerb, type ClientFlags } from './client-verb';
import { callEachInstance } from './each-instance';
import { guarded } from './exit';

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
        return callEachInstance(flags, {
          ids,
          heads: ['MODEL', 'NAME', 'NEW WORK', 'BUSY', 'WAITING'],
          call: (client, path) => client.post(`${path}/${verb}`, '{}'),
        });
      }),
    );
}
