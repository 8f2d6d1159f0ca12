import type { Command } from 'commander';
import { nameText } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { Fields } from './fields';
import { formatOf, jsonText, tableText, type Column } from './output';

interface StrategyFlags extends ClientFlags {
  readonly model?: string;
}

const EXAMPLES = ['foresail strategy', 'foresail strategy shortest_queue --model llama'];

/** `foresail strategy`: shows how queues are placed, or chooses how. */
export function strategyCommand(): Command {
  return clientVerb('strategy', 'show or choose the strategy that places tasks', EXAMPLES)
    .argument('[name]', 'strategy to use from now on (default: show what is used)', nameText)
    .option('--model <name>', 'only the queue of this model', nameText)
    .action(
      guarded((name: string | undefined, flags: StrategyFlags) =>
        name === undefined ? show(flags) : choose(name, flags),
      ),
    );
}

async function show(flags: StrategyFlags): Promise<void> {
  const answer = await withClient(flags, (client) => client.get('/v1/queues'));
  const queues = new Fields(answer, 'the answer to GET /v1/queues').list('queues');
  const wanted = queues.filter(
    (queue) => flags.model === undefined || queue.text('model') === flags.model,
  );
  if (flags.model !== undefined && wanted.length === 0) {
    const message = `there is no queue of the model ${flags.model}; "foresail queues" lists them`;
    throw new CommandFailure(EXIT.failed, message);
  }
  const rows = wanted.map((queue) => ({
    model: queue.text('model'),
    strategy: queue.text('strategy'),
  }));
  const builtIn = await builtInNames();
  const asJson = formatOf(flags.output) === 'json';
  process.stdout.write(
    asJson
      ? jsonText({ queues: rows, built_in: builtIn })
      : `${tableText(rows, COLUMNS, 'there is no queue yet')}\n` +
          `to choose from: ${builtIn.join(', ')}, and those of FORESAIL_STRATEGY_FILES\n`,
  );
}

async function choose(name: string, { model, ...flags }: StrategyFlags): Promise<void> {
  const body = JSON.stringify({ name, ...(model === undefined ? {} : { model_name: model }) });
  const answer = await withClient(flags, (client) => client.post('/scheduler/set', body));
  const fields = new Fields(answer, 'the answer to POST /scheduler/set');
  // The protocol answers an unknown name with 200; for a script it is a wrong argument.
  if (fields.text('status') !== 'success') {
    throw new CommandFailure(EXIT.usage, fields.text('message'));
  }
  const queues = model === undefined ? 'queues without a strategy of their own' : `queue ${model}`;
  const asJson = formatOf(flags.output) === 'json';
  const text = `${queues}: placed by ${name} from now on\n`;
  process.stdout.write(asJson ? jsonText(answer) : text);
}

interface Row {
  readonly model: string;
  readonly strategy: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { head: 'MODEL', value: ({ model }) => model },
  { head: 'STRATEGY', value: ({ strategy }) => strategy },
];

async function builtInNames(): Promise<readonly string[]> {
  const { BUILT_IN } = await import('../strategies/strategy.registry.js');
  return BUILT_IN.map((create) => create().name);
}
