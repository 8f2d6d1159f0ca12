import type { Command } from 'commander';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { guarded } from './exit';
import { Fields } from './fields';
import { durationText, formatOf, jsonText, tableText, type Column } from './output';

const EXAMPLES = ['foresail queues', `foresail queues -o json | jq '.[] | {model, waiting}'`];

/** `foresail queues`: what waits, and the wait that a task submitted now would see. */
export function queuesCommand(): Command {
  return clientVerb(
    'queues',
    'list the queues and the predicted waits at their instances',
    EXAMPLES,
  ).action(
    guarded(async (flags: ClientFlags) => {
      const answer = await withClient(flags, (client) => client.get('/v1/queues'));
      const queues = new Fields(answer, 'the answer to GET /v1/queues').list('queues');
      const text =
        formatOf(flags.output) === 'json'
          ? jsonText(queues.map(({ raw }) => raw))
          : tableText(queues.flatMap(linesOf), COLUMNS, 'there is no queue yet');
      process.stdout.write(text);
    }),
  );
}

/** One line of the table: an instance of a queue, the queue itself told on the first one. */
interface Line {
  readonly queue: Fields | null;
  readonly instance: Fields | null;
}

function linesOf(queue: Fields): readonly Line[] {
  const [first, ...others] = queue.list('instances');
  return [
    { queue, instance: first ?? null },
    ...others.map((instance) => ({ queue: null, instance })),
  ];
}

const COLUMNS: readonly Column<Line>[] = [
  { head: 'MODEL', value: ({ queue }) => queue?.text('model') ?? '' },
  { head: 'STRATEGY', value: ({ queue }) => queue?.text('strategy') ?? '' },
  {
    head: 'WAITING',
    align: 'right',
    value: ({ queue }) => (queue === null ? '' : String(queue.number('waiting'))),
  },
  { head: 'INSTANCE', value: ({ instance }) => instance?.text('instance_name') ?? 'none' },
  { head: 'EXPECTED WAIT', align: 'right', value: ({ instance }) => waitText(instance, 'wait_ms') },
  { head: '±', align: 'right', value: ({ instance }) => waitText(instance, 'wait_error_ms') },
];

function waitText(instance: Fields | null, field: string): string {
  return instance === null ? '–' : durationText(instance.number(field));
}
