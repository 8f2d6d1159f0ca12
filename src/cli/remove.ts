import type { Command } from 'commander';
import { clientVerb, type ClientFlags } from './client-verb';
import { callEachInstance } from './each-instance';
import { guarded } from './exit';

const EXAMPLES = ['foresail drain h1 && foresail remove h1'];

const NOTES = `
It has to be drained, and to have no task left: "foresail instances ID --watch" shows when it is idle.
Stop what runs there first: an agent or a worker that goes on registers again, still drained.
`;

/** `foresail remove`: takes drained instances out of service. */
export function removeCommand(): Command {
  return clientVerb('remove', 'take drained instances out of service', EXAMPLES, NOTES)
    .argument('<id...>', 'the instances: id, own name, or host:port')
    .action(
      guarded((ids: readonly string[], flags: ClientFlags) =>
        callEachInstance(flags, {
          ids,
          heads: ['MODEL', 'NAME'],
          call: (client, path) => client.delete(path),
        }),
      ),
    );
}
