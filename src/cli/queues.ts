import type { Command } from 'commander';
import type { ApiClient } from './api-client';
import { nameText, numberFrom, wholeFrom } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { Fields } from './fields';
import { print, type View } from './output';
import { queueText, queuesText } from './queue-text';
import { show, watchable, type WatchFlags } from './show';

const EXAMPLES = [
  'foresail queues --watch',
  'foresail queues llama',
  `foresail queues -o json | jq '.[] | {model, waiting}'`,
];

const NOTES = `
"foresail queues <model>" is short for "foresail queues show <model>".
`;

/** `foresail queues`: what waits, how long it will, and the settings of each queue. */
export function queuesCommand(): Command {
  const queues = watchable(
    clientVerb('queues', 'list the queues, show one, or change its settings', EXAMPLES, NOTES),
  )
    .argument('[model]', 'one queue, with statistics of its last tasks', nameText)
    .action(
      guarded((model: string | undefined, flags: WatchFlags) =>
        show(flags, (client) => (model === undefined ? list(client) : one(client, model))),
      ),
    );
  for (const verb of [showVerb(), setVerb(), pauseVerb(), resumeVerb()]) queues.addCommand(verb);
  return queues;
}

function showVerb(): Command {
  const description = 'show one queue, with statistics of its last tasks';
  return watchable(clientVerb('show', description, ['foresail queues show llama --watch']))
    .argument('<model>', 'its model', nameText)
    .action(
      guarded((model: string, flags: WatchFlags) => show(flags, (client) => one(client, model))),
    );
}

/** As for every queue again. */
const DEFAULT = 'default';

interface SetFlags extends ClientFlags {
  readonly strategy?: string;
  readonly orderWeight?: number | typeof DEFAULT;
  readonly prefetch?: number | typeof DEFAULT;
  readonly limit?: number | typeof DEFAULT;
  readonly attemptTimeout?: number | typeof DEFAULT;
}

const SET_EXAMPLES = [
  'foresail queues set llama --strategy shortest_queue',
  'foresail queues set llama --prefetch 1 --limit 1000 --attempt-timeout 600',
  'foresail queues set llama --strategy default',
];

const SET_NOTES = `
Each takes "default" too: the queue is then served as every queue without a setting of its own. A
queue may be set up before its first instance comes.
`;

/** A number for a setting, or the word for its default, for an option. */
function orDefault(read: (text: string) => number): (text: string) => number | typeof DEFAULT {
  return (text) => (text === DEFAULT ? DEFAULT : read(text));
}

function setVerb(): Command {
  return clientVerb(
    'set',
    'change settings of a queue, from its next task on',
    SET_EXAMPLES,
    SET_NOTES,
  )
    .argument('<model>', 'its model', nameText)
    .option(
      '--strategy <name>',
      'how its tasks are placed; "foresail strategy" lists them',
      nameText,
    )
    .option(
      '--order-weight <number>',
      'how far short tasks overtake long ones; 0: not at all',
      orDefault(numberFrom(0, 1_000)),
    )
    .option(
      '--prefetch <tasks>',
      'tasks at an instance beyond its slots',
      orDefault(wholeFrom(0, 1_000)),
    )
    .option('--limit <tasks>', 'most tasks that may wait', orDefault(wholeFrom(1, 10_000_000)))
    .option(
      '--attempt-timeout <seconds>',
      'longest run of a task',
      orDefault(numberFrom(0.001, 1_728_000)),
    )
    .action(guarded(change));
}

async function change(model: string, flags: SetFlags): Promise<void> {
  const { strategy, orderWeight, prefetch, limit, attemptTimeout } = flags;
  const settings = {
    ...{ strategy, prefetch, limit },
    order_weight: orderWeight,
    attempt_timeout_ms:
      typeof attemptTimeout === 'number' ? Math.round(attemptTimeout * 1_000) : attemptTimeout,
  };
  if (Object.values(settings).every((value) => value === undefined)) {
    const names = '--strategy, --order-weight, --prefetch, --limit, --attempt-timeout';
    throw new CommandFailure(EXIT.usage, `nothing to set; name at least one of ${names}`);
  }
  const answer = await withClient(flags, (client) =>
    client.patch(pathOf(model), JSON.stringify(settings, defaultAsNull)),
  );
  print(viewOf(answer, 'the answer to PATCH /v1/queues/{model}'), flags.output);
}

/** What the wire says for the default. */
function defaultAsNull(_: string, value: unknown): unknown {
  return value === DEFAULT ? null : value;
}

function pauseVerb(): Command {
  const description = 'place nothing more of a queue; it still takes tasks, and running ones end';
  return switchVerb('pause', description);
}

function resumeVerb(): Command {
  return switchVerb('resume', 'place the tasks of a paused queue again');
}

function switchVerb(verb: 'pause' | 'resume', description: string): Command {
  return clientVerb(verb, description, [`foresail queues ${verb} llama`])
    .argument('<model>', 'its model', nameText)
    .action(
      guarded(async (model: string, flags: ClientFlags) => {
        const answer = await withClient(flags, (client) =>
          client.post(`${pathOf(model)}/${verb}`, '{}'),
        );
        print(viewOf(answer, `the answer to POST /v1/queues/{model}/${verb}`), flags.output);
      }),
    );
}

async function list(client: ApiClient): Promise<View> {
  const answer = await client.get('/v1/queues');
  const queues = new Fields(answer, 'the answer to GET /v1/queues').list('queues');
  return { json: queues.map(({ raw }) => raw), text: () => queuesText(queues) };
}

async function one(client: ApiClient, model: string): Promise<View> {
  return viewOf(await client.get(pathOf(model)), 'the answer to GET /v1/queues/{model}');
}

function viewOf(answer: unknown, what: string): View {
  const queue = new Fields(answer, what);
  return { json: answer, text: () => queueText(queue) };
}

function pathOf(model: string): string {
  return `/v1/queues/${encodeURIComponent(model)}`;
}
