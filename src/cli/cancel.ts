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
A task that waits is not run any more. A worker that has the task already cannot be told to stop: the
task has ended all the same, its slot counts until the worker is through, and the result is dropped.
A task that has ended, or is not known, is refused; the others are cancelled, and the exit code is 1.
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
