import { Option, type Command } from 'commander';
import { systemRandom } from '../ops/system';
import { nameText, numberFrom } from './arguments';
import { clientVerb, withClient } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import {
  durationText,
  instantText,
  jsonText,
  paintState,
  print,
  recordText,
  tableText,
  type Column,
  type Entry,
  type OutputFormat,
  type View,
} from './output';
import { show, watchable, type WatchFlags } from './show';
import {
  fetchTask,
  type EventRecord,
  type ExpectationRecord,
  type ForecastRecord,
  type TaskRecord,
} from './task-record';
import { waitForEnd } from './wait-for-end';

interface TaskFlags extends WatchFlags {
  readonly wait?: true;
  readonly timeout?: number;
}

const EXAMPLES = [
  'foresail task order-4711',
  'foresail task order-4711 --watch',
  'foresail task order-4711 --wait -o json',
];

/** `foresail task`: one task with everything that happened to it. */
export function taskCommand(): Command {
  return watchable(clientVerb('task', 'show a task, its history and its result', EXAMPLES))
    .argument('<id>', 'id of the task: your own, or the one that the scheduler gave it', nameText)
    .addOption(
      new Option('--wait', 'wait until it has ended; exits with 1 if it did not succeed').conflicts(
        'watch',
      ),
    )
    .option('--timeout <seconds>', 'wait no longer than this', numberFrom(0, 1e7))
    .action(guarded(showTask));
}

async function showTask(id: string, flags: TaskFlags): Promise<void> {
  if (flags.wait !== true) {
    await show(flags, async (client) => viewOf(await fetchTask(client, id)));
    return;
  }
  const task = await withClient(flags, (client) => waitForEnd(client, id, timing(flags)));
  printTask(task, flags.output);
  assertSucceeded(task);
}

/** How long to wait for the end of a task, by `--timeout`. */
export function timing({
  timeout,
}: {
  readonly timeout?: number;
}): Parameters<typeof waitForEnd>[2] {
  return { random: systemRandom, ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }) };
}

/** Prints a task on standard output, whole in JSON, in short for people. */
export function printTask(task: TaskRecord, asked: OutputFormat | undefined): void {
  print(viewOf(task), asked);
}

function viewOf(task: TaskRecord): View {
  return { json: task.raw, text: () => taskText(task) };
}

/** @throws {CommandFailure} failed, for any other end of the task than success */
export function assertSucceeded({ state, failure }: TaskRecord): void {
  if (state === 'succeeded') return;
  const why = failure === null ? '' : `: ${failure}`;
  throw new CommandFailure(EXIT.failed, `the task ${WORDS.get(state) ?? `is ${state}`}${why}`);
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['failed', 'failed'],
  ['cancelled', 'was cancelled'],
  ['timed_out', 'took too long'],
]);

/** A task in lines for people: what it is, what happened, what came of it. */
export function taskText(task: TaskRecord): string {
  const { submittedAt, finishedAt, executionMs, predictedMs, predictedBy } = task;
  const record = recordText([
    ['id', task.id],
    ['your id', task.clientTaskId],
    ['model', task.model],
    ['state', task.state, paintState],
    ['instance', task.instanceId],
    ['submitted', instantText(submittedAt)],
    ['finished', finishedAt === null ? null : instantText(finishedAt)],
    ['predicted', `${durationText(predictedMs)} (${predictedBy})`],
    ['ran for', executionMs === null ? null : durationText(executionMs)],
    ...decisionEntries(task),
    ...waitingEntries(task),
    ['failure', task.failure],
  ]);
  const events = tableText(task.events, eventColumns(submittedAt), 'nothing has happened yet');
  const result = task.result ?? null;
  const shown = result === null ? '' : `\nresult:\n${jsonText(result)}`;
  return `${record}\n${events}${shown}`;
}

/** Why its newest attempt went where it went. */
function decisionEntries({ attempts }: TaskRecord): readonly Entry[] {
  const decision = attempts.at(-1)?.decision ?? null;
  if (decision === null) return [];
  const { strategy, candidates, runnerUp, decidedAt, unfitBecause } = decision;
  const among = candidates === 1 ? 'the only candidate' : `one of ${candidates} candidates`;
  return [
    ['chosen by', `${strategy} at ${instantText(decidedAt)}, ${among}`],
    ['expected', expectationText(decision)],
    ['runner-up', runnerUp && `${runnerUp.instanceId}, ${expectationText(runnerUp)}`],
    ['unfit because', countsText(unfitBecause)],
  ];
}

function expectationText({ waitMs, completionMs }: ExpectationRecord): string {
  return `start after ${durationText(waitMs)}, end after ${durationText(completionMs)}`;
}

/** Why it waits, where it will run, and when. */
function waitingEntries({ waiting, forecast, attempts }: TaskRecord): readonly Entry[] {
  const runs = attempts.some(
    ({ state, runningSince }) => state === 'live' && runningSince !== null,
  );
  const ahead = waiting?.ahead ?? null;
  return [
    ['waits because', countsText(waiting?.because ?? [])],
    ['ahead of it', ahead === null ? null : `${ahead} tasks`],
    ['planned on', waiting?.plannedInstanceId ?? null],
    ['will start', forecast === null || runs ? null : spanText(forecast.start)],
    ['will end', forecast === null ? null : spanText(forecast.end)],
  ];
}

/** Null when there is nothing to count. */
function countsText(
  counts: readonly (readonly [reason: string, instances: number])[],
): string | null {
  if (counts.length === 0) return null;
  return counts.map(([reason, instances]) => `${reason} (${instances})`).join(', ');
}

function spanText({ p50, p90 }: ForecastRecord['start']): string | null {
  if (p50 === null) return null;
  const late = p90 === null ? '' : `, with 90 % certainty by ${instantText(p90)}`;
  return `about ${instantText(p50)}${late}`;
}

function eventColumns(submittedAt: number): readonly Column<EventRecord>[] {
  return [
    {
      head: 'AFTER',
      align: 'right',
      value: ({ at }) => durationText(Math.max(0, at - submittedAt)),
    },
    { head: 'EVENT', value: ({ type }) => type },
    { head: 'STATE', value: ({ to }) => to ?? '', paint: paintState },
    {
      head: 'ATTEMPT',
      align: 'right',
      value: ({ attempt }) => (attempt === 0 ? '' : String(attempt)),
    },
    { head: 'WHY', value: ({ message }) => message },
  ];
}
