import { Option, type Command } from 'commander';
import { systemIds } from '../ops/system';
import { UnreachableError, type ApiClient } from './api-client';
import { nameText, numberFrom } from './arguments';
import { clientVerb, withClient } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { Fields } from './fields';
import { jsonObjectText } from './json-argument';
import { formatOf, jsonText, recordText } from './output';
import { submitBatch, type BatchFlags } from './submit-batch';
import { assertTimeoutWaits, finish } from './task';

interface SubmitFlags extends BatchFlags {
  readonly model?: string;
  readonly batch?: string;
  readonly input: string;
  readonly metadata: string;
  readonly taskId?: string;
  readonly wait?: true;
  readonly timeout?: number;
}

const EXAMPLES = [
  `foresail submit --model llama --input '{"prompt": "Why is the sky blue?"}' --wait`,
  `foresail submit --model llama --input @prompt.json --metadata '{"predicted_ms": 1200}'`,
  'jq -c .prompt in.json | foresail submit --model llama --input - --task-id order-4711',
  'foresail submit --batch jobs.json',
];

const NOTES = `
A model's task is waited for with --wait, a batch of jobs unless --detach is given: a bar shows how many have
ended, and the exit code is 1 when not all succeeded. "foresail jobs generate" writes a file to start from.
`;

/** `foresail submit`: hands a task, or a file of jobs, to the scheduler. */
export function submitCommand(): Command {
  return clientVerb('submit', 'submit a task for a model, or a batch of jobs', EXAMPLES, NOTES)
    .option('--model <name>', 'model that is to do it', nameText)
    .option('--input <json>', 'input: a JSON object, @file, or - for standard input', '{}')
    .option('--metadata <json>', 'facts to predict its running time from; read like --input', '{}')
    .option(
      '--task-id <id>',
      'your own id; a repeat returns the same task (default: new)',
      nameText,
    )
    .option('--wait', 'wait until it has ended; exits with 1 if it did not succeed')
    .option('--timeout <seconds>', 'wait no longer than this', numberFrom(0, 1e7))
    .addOption(
      new Option(
        '--batch <file>',
        'submit the jobs in this file, or - for standard input',
      ).conflicts(['model', 'input', 'metadata', 'taskId', 'wait', 'timeout']),
    )
    .option('--detach', 'with --batch: do not wait for their ends')
    .action(guarded(submit));
}

async function submit(flags: SubmitFlags): Promise<void> {
  if (flags.batch !== undefined) {
    await submitBatch(flags.batch, flags);
    return;
  }
  const { model } = flags;
  if (model === undefined)
    throw new CommandFailure(EXIT.usage, 'say --model NAME, or --batch FILE');
  if (flags.detach === true) throw new CommandFailure(EXIT.usage, '--detach goes with --batch');
  assertTimeoutWaits(flags);
  if (flags.input === '-' && flags.metadata === '-') {
    throw new CommandFailure(EXIT.usage, 'only one of --input and --metadata can be -');
  }
  const input = await jsonObjectText('--input', flags.input);
  const metadata = await jsonObjectText('--metadata', flags.metadata);
  // An id of our own makes a submission whose answer was lost findable, and a repeat harmless.
  const taskId = flags.taskId ?? systemIds.next();
  // Spliced and not parsed: the numbers in it must reach the service as they were written.
  const body =
    `{"model_name":${JSON.stringify(model)},"task_id":${JSON.stringify(taskId)},` +
    `"task_input":${input},"metadata":${metadata}}`;
  await withClient(flags, async (client) => {
    const receipt = await handOver(client, taskId, body);
    if (flags.wait === true) {
      await finish(client, taskId, flags);
    } else if (formatOf(flags.output) === 'json') process.stdout.write(jsonText(receipt.raw));
    else process.stdout.write(receiptText(receipt));
  });
}

async function handOver(client: ApiClient, taskId: string, body: string): Promise<Fields> {
  try {
    const answer = await client.post('/queue/submit', body);
    return new Fields(answer, 'the answer to POST /queue/submit');
  } catch (error) {
    if (!(error instanceof UnreachableError) || error.refused) throw error;
    const doubt = 'the answer was lost: the task may have been taken all the same';
    const remedy = `see "foresail task ${taskId}", or submit again with --task-id ${taskId}`;
    const message = `${error.message}\n${doubt}; ${remedy}`;
    throw new CommandFailure(EXIT.unreachable, message, { cause: error });
  }
}

function receiptText(receipt: Fields): string {
  return recordText([
    ['task', receipt.text('task_id')],
    ['instance', receipt.optionalText('scheduled_ti')],
  ]);
}
