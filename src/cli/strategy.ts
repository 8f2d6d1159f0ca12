import type { Command } from 'commander';
import type { ApiClient } from './api-client';
import { nameText } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { Fields } from './fields';
import { print, tableText, type Column, type View } from './output';

interface StrategyFlags extends ClientFlags {
  readonly model?: string;
}

/** What goes back to the strategy of every queue without one of its own. */
const DEFAULT = 'default';

const EXAMPLES = [
  'foresail strategy',
  'foresail strategy shortest_queue --model llama',
  'foresail strategy default --model llama',
];

/** `foresail strategy`: shows how queues are placed and how they could be, or chooses how. */
export function strategyCommand(): Command {
  return clientVerb('strategy', 'show or choose the strategy that places tasks', EXAMPLES)
    .argument('[name]', 'strategy to use from now on (default: show what is used)', nameText)
    .option('--model <name>', 'only the queue of this model', nameText)
    .action(
      guarded(async (name: string | undefined, flags: StrategyFlags) => {
        const work = (client: ApiClient): Promise<View> =>
          name === undefined ? look(client, flags) : choose(client, name, flags);
        print(await withClient(flags, work), flags.output);
      }),
    );
}

async function look(client: ApiClient, { model }: StrategyFlags): Promise<View> {
  const wanted = await queuesOf(client, model);
  const known = new Fields(await client.get('/v1/strategies'), 'the answer to GET /v1/strategies');
  const strategies = known.list('strategies');
  const usual = known.text('default');
  const json = {
    queues: wanted.map((queue) => ({
      model: queue.text('model'),
      strategy: queue.text('strategy'),
    })),
    strategies: strategies.map(({ raw }) => raw),
    default: usual,
  };
  const text = (): string =>
    `${tableText(wanted, QUEUE_COLUMNS, 'there is no queue yet')}\n` +
    tableText(strategies, strategyColumns(usual), '');
  return { json, text };
}

function choose(client: ApiClient, name: string, { model }: StrategyFlags): Promise<View> {
  return model === undefined ? chooseUsual(client, name) : chooseFor(client, name, model);
}

/** A queue can be set up before its first instance; here a model that is not there is a slip. */
async function chooseFor(client: ApiClient, name: string, model: string): Promise<View> {
  await queuesOf(client, model);
  const settings = JSON.stringify({ strategy: name === DEFAULT ? null : name });
  const answer = await client.patch(`/v1/queues/${encodeURIComponent(model)}`, settings);
  const used = new Fields(answer, 'the answer to PATCH /v1/queues/{model}').text('strategy');
  return { json: answer, text: () => `queue ${model}: placed by ${used} from now on\n` };
}

async function chooseUsual(client: ApiClient, name: string): Promise<View> {
  if (name === DEFAULT) {
    const message = `"${DEFAULT}" is for one queue: say with --model which; or name a strategy`;
    throw new CommandFailure(EXIT.usage, message);
  }
  const answer = await client.post('/scheduler/set', JSON.stringify({ name }));
  const fields = new Fields(answer, 'the answer to POST /scheduler/set');
  // The protocol answers an unknown name with 200; for a script it is a wrong argument.
  if (fields.text('status') !== 'success') {
    throw new CommandFailure(EXIT.usage, fields.text('message'));
  }
  const text = `queues without a strategy of their own: placed by ${name} from now on\n`;
  return { json: answer, text: () => text };
}

/** @throws {CommandFailure} failed, when there is no queue of that model */
async function queuesOf(client: ApiClient, model: string | undefined): Promise<readonly Fields[]> {
  const answer = await client.get('/v1/queues');
  const queues = new Fields(answer, 'the answer to GET /v1/queues').list('queues');
  const wanted = queues.filter((queue) => model === undefined || queue.text('model') === model);
  if (model === undefined || wanted.length > 0) return wanted;
  const message =
    `there is no queue of the model ${model}; "foresail queues" lists them, ` +
    'and "foresail queues set" sets one up';
  throw new CommandFailure(EXIT.failed, message);
}

const QUEUE_COLUMNS: readonly Column<Fields>[] = [
  { head: 'MODEL', value: (queue) => queue.text('model') },
  { head: 'PLACED BY', value: (queue) => queue.text('strategy') },
];

function strategyColumns(usual: string): readonly Column<Fields>[] {
  return [
    { head: 'STRATEGY', value: (strategy) => strategy.text('name') },
    { head: 'BINDS', value: (strategy) => strategy.text('binding') },
    { head: '', value: (strategy) => (strategy.text('name') === usual ? 'default' : '') },
  ];
}
