import { Option, type Command } from 'commander';
import { systemRandom } from '../ops/system';
import type { ApiClient } from './api-client';
import { nameText, numberFrom } from './arguments';
import { clientVerb, withClient } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { asIs, instanceNames, type NameOf } from './instance-names';
import {
  durationText,
  formatOf,
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
  assertTimeoutWaits(flags);
  if (flags.wait === true) {
    await withClient(flags, (client) => finish(client, id, flags));
    return;
  }
  await show(flags, async (client) => viewOf(client, await fetchTask(client, id), flags));
}

/** How a task is waited for and printed. */
export interface FinishFlags {
  readonly wait?: true;
  readonly timeout?: number;
  readonly output?: OutputFormat;
}

/** @throws {CommandFailure} usage, for a `--timeout` that would bound nothing */
export function assertTimeoutWaits({ wait, timeout }: FinishFlags): void {
  if (timeout === undefined || wait === true) return;
  throw new CommandFailure(EXIT.usage, '--timeout bounds --wait, which was not given');
}

/**
 * Waits for the end of a task and prints it: whole in JSON, in short for people.
 * @throws {CommandFailure} failed, for any other end of the task than success
 */
export async function finish(client: ApiClient, id: string, flags: FinishFlags): Promise<void> {
  const task = await waitForEnd(client, id, timing(flags));
  print(await viewOf(client, task, flags), flags.output);
  assertSucceeded(task);
}

function timing({ timeout }: FinishFlags): Parameters<typeof waitForEnd>[2] {
  return { random: systemRandom, ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }) };
}

async function viewOf(client: ApiClient, task: TaskRecord, flags: FinishFlags): Promise<View> {
  const nameOf = formatOf(flags.output) === 'table' ? await instanceNames(client) : asIs;
  return { json: task.raw, text: () => taskText(task, nameOf) };
}

function assertSucceeded({ state, failure }: TaskRecord): void {
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
function taskText(task: TaskRecord, nameOf: NameOf): string {
  const { submittedAt, finishedAt, executionMs, predictedMs, predictedBy } = task;
  const record = recordText([
    ['id', task.id],
    ['your id', task.clientTaskId],
    ['model', task.model],
    ['state', task.state, paintState],
    ['instance', task.instanceId && nameOf(task.instanceId)],
    ['submitted', instantText(submittedAt)],
    ['finished', finishedAt === null ? null : instantText(finishedAt)],
    ['predicted', predictedBy === 'none' ? null : `${durationText(predictedMs)} (${predictedBy})`],
    ['ran for', executionMs === null ? null : durationText(executionMs)],
    ...decisionEntries(task, nameOf),
    ...waitingEntries(task, nameOf),
    ['failure', task.failure],
  ]);
  const events = tableText(task.events, eventColumns(submittedAt), 'nothing has happened yet');
  const result = task.result ?? null;
  const shown = result === null ? '' : `\nresult:\n${jsonText(result)}`;
  return `${record}\n${events}${shown}`;
}

/** Why its newest attempt went where it went. */
function decisionEntries({ attempts }: TaskRecord, nameOf: NameOf): readonly Entry[] {
  const decision = attempts.at(-1)?.decision ?? null;
  if (decision === null) return [];
  const { strategy, candidates, runnerUp, decidedAt, unfitBecause } = decision;
  const among = candidates === 1 ? 'the only candidate' : `one of ${candidates} candidates`;
  return [
    ['chosen by', `${strategy} at ${instantText(decidedAt)}, ${among}`],
    ['expected', expectationText(decision)],
    ['runner-up', runnerUp && `${nameOf(runnerUp.instanceId)}, ${expectationText(runnerUp)}`],
    ['unfit because', countsText(unfitBecause)],
  ];
}

function expectationText({ waitMs, completionMs }: ExpectationRecord): string {
  return `start after ${durationText(waitMs)}, end after ${durationText(completionMs)}`;
}

/** Every instance of the queue has a reason: without one there is no instance. */
const NOBODY_SERVES = 'no instance serves the queue';

/** Why it waits, where it will run, and when. */
function waitingEntries(
  { waiting, forecast, attempts }: TaskRecord,
  nameOf: NameOf,
): readonly Entry[] {
  const runs = attempts.some(
    ({ state, runningSince }) => state === 'live' && runningSince !== null,
  );
  const ahead = waiting?.ahead ?? null;
  const planned = waiting?.plannedInstanceId ?? null;
  return [
    ['waits because', waiting && (countsText(waiting.because) ?? NOBODY_SERVES)],
    ['ahead of it', ahead === null ? null : `${ahead} tasks`],
    ['planned on', planned && nameOf(planned)],
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
