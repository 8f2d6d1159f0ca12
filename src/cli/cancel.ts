import type { Command } from 'commander';
import { nameText } from './arguments';
import { clientVerb, type ClientFlags } from './client-verb';
import { callEach } from './each';
import { guarded } from './exit';
import { Fields } from './fields';
import { paintState } from './output';

interface CancelFlags extends ClientFlags {
  readonly reason?: string;
}

const EXAMPLES = [
  'foresail cancel order-4711 order-4712 --reason "wrong prompt"',
  `foresail tasks --state queued --all -o json | jq -r '.[].id' | xargs foresail cancel`,
];

const NOTES = `
A task that waits is cancelled at once. One that runs is "stopping" until its worker has let go of
it. One that has ended is refused, and so is one that is not known; the others are cancelled all
the same, and the exit code is 1.
`;

/** `foresail cancel`: ends tasks before their time. */
export function cancelCommand(): Command {
  return clientVerb('cancel', 'cancel tasks', EXAMPLES, NOTES)
    .argument('<id...>', 'ids of the tasks: your own, or those that the scheduler gave them')
    .option('--reason <text>', 'why, for the history of the tasks', nameText)
    .action(
      guarded((ids: readonly string[], { reason, ...flags }: CancelFlags) =>
        callEach(flags, {
          ids,
          name: 'task',
          columns: [{ head: 'STATE', value: (task) => task.text('state'), paint: paintState }],
          call: async (client, id) => {
            const path = `/v1/tasks/${encodeURIComponent(id)}/cancel`;
            const answer = await client.post(path, JSON.stringify({ reason }));
            return new Fields(answer, 'the answer to POST /v1/tasks/{id}/cancel');
          },
        }),
      ),
    );
}
