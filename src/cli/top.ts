import type { Command } from 'commander';
import { isActive, TASK_STATES } from '../core/task';
import type { ApiClient } from './api-client';
import { wholeFrom } from './arguments';
import { clientVerb } from './client-verb';
import { guarded } from './exit';
import { Fields } from './fields';
import { instanceColumns } from './instances';
import { durationText, formatOf, recordText, tableText, type Column, type View } from './output';
import { fetchList } from './pages';
import { strategyOf } from './queue-text';
import { show, watchable, type WatchFlags } from './show';
import { taskColumns } from './tasks';

interface TopFlags extends WatchFlags {
  readonly rows: number;
}

const USUAL_ROWS = 10;
/** Tasks that an instance has. */
const ACTIVE = TASK_STATES.filter(isActive).join(',');

const EXAMPLES = ['foresail top', 'foresail top --rows 30 --watch 5', 'foresail top -o json'];

const NOTES = `
On a terminal it looks again every 2 s until Ctrl-C. Instances that get no new work come first, then
those with the most work; tasks are the newest ones that an instance has.
`;

/** `foresail top`: the fleet and its work on one screen. */
export function topCommand(): Command {
  return watchable(clientVerb('top', 'watch queues, instances and active tasks', EXAMPLES, NOTES))
    .option(
      '--rows <number>',
      'most instances, and most tasks, that are shown',
      wholeFrom(1, 1_000),
      USUAL_ROWS,
    )
    .action(guarded(top));
}

function top(flags: TopFlags): Promise<void> {
  const isScreen = process.stdout.isTTY && formatOf(flags.output) === 'table';
  const watched = isScreen ? { watch: true as const, ...flags } : flags;
  return show(watched, (client) => look(client, flags.rows));
}

async function look(client: ApiClient, rows: number): Promise<View> {
  const active = { path: '/v1/tasks', name: 'tasks', filters: { state: ACTIVE }, limit: rows };
  const [queues, batchQueue, { items: instances }, { items: tasks }] = await Promise.all([
    client.get('/v1/queues'),
    client.get('/v1/batch-queue'),
    fetchList(client, { path: '/v1/instances', name: 'instances' }),
    fetchList(client, active),
  ]);
  const shown = [...instances].sort(byNeed).slice(0, rows);
  const seen: Seen = {
    queues: new Fields(queues, 'the answer to GET /v1/queues').list('queues'),
    batchQueue: new Fields(batchQueue, 'the answer to GET /v1/batch-queue'),
    ...{ instances, shown, tasks },
  };
  return {
    json: {
      queues: seen.queues.map(({ raw }) => raw),
      batch_queue: batchQueue,
      instances: shown.map(({ raw }) => raw),
      tasks: tasks.map(({ raw }) => raw),
    },
    text: () => screenOf(seen),
  };
}

/** What one look has found. */
interface Seen {
  readonly queues: readonly Fields[];
  readonly batchQueue: Fields;
  readonly instances: readonly Fields[];
  /** Those of the instances that are shown. */
  readonly shown: readonly Fields[];
  readonly tasks: readonly Fields[];
}

function byNeed(one: Fields, other: Fields): number {
  return (
    Number(isUnfit(other)) - Number(isUnfit(one)) ||
    other.number('waiting') - one.number('waiting') ||
    other.number('occupied') - one.number('occupied')
  );
}

function isUnfit(instance: Fields): boolean {
  return instance.optionalText('unfit_because') !== null;
}

function screenOf({ queues, batchQueue, instances, shown, tasks }: Seen): string {
  const names = new Map(instances.map((one) => [one.text('id'), one.text('name')]));
  const fit = new Set(instances.filter((one) => !isUnfit(one)).map((one) => one.text('id')));
  const lines = [...queues.map((queue) => lineOf(queue, fit)), ...batchLines(batchQueue)];
  const hidden = instances.length - shown.length;
  return [
    summaryOf(instances, lines),
    tableText(lines, QUEUE_COLUMNS, 'there is no queue yet'),
    tableText(shown, instanceColumns(Date.now()), 'no instance is registered') +
      (hidden > 0 ? `and ${hidden} more\n` : ''),
    tableText(
      tasks,
      taskColumns((id) => names.get(id) ?? id),
      'no instance has a task',
    ),
  ].join('\n');
}

/** A queue as it stands on the screen. */
interface Line {
  readonly name: string;
  readonly strategy: string;
  readonly waiting: number;
  readonly running: number;
  /** Where it is shortest, in ms; null where nobody knows. */
  readonly waitMs: number | null;
}

/** @param fit the instances that get new work: how long a task waits elsewhere, nobody knows */
function lineOf(queue: Fields, fit: ReadonlySet<string>): Line {
  const instances = queue.list('instances').filter((one) => fit.has(one.text('instance_id')));
  const waits = instances.map((instance) => instance.number('wait_ms'));
  return {
    ...standingOf(queue),
    name: queue.text('model'),
    waitMs: waits.length === 0 ? null : Math.min(...waits),
  };
}

/** Batch jobs have one queue, which is there whether anybody uses it or not. */
function batchLines(queue: Fields): readonly Line[] {
  const line = { ...standingOf(queue), name: '(batch jobs)', waitMs: null };
  return line.waiting + line.running === 0 ? [] : [line];
}

function standingOf(queue: Fields): Pick<Line, 'strategy' | 'waiting' | 'running'> {
  return {
    strategy: strategyOf(queue),
    waiting: queue.number('waiting'),
    running: queue.number('running'),
  };
}

const QUEUE_COLUMNS: readonly Column<Line>[] = [
  { head: 'QUEUE', value: ({ name }) => name },
  { head: 'STRATEGY', value: ({ strategy }) => strategy },
  { head: 'WAITING', align: 'right', value: ({ waiting }) => String(waiting) },
  { head: 'RUNNING', align: 'right', value: ({ running }) => String(running) },
  {
    head: 'SHORTEST WAIT',
    align: 'right',
    value: ({ waitMs }) => (waitMs === null ? '–' : durationText(waitMs)),
  },
];

/** Placements are counted where they are: at the workers. */
function summaryOf(instances: readonly Fields[], lines: readonly Line[]): string {
  const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);
  const unfit = instances.filter(isUnfit).length;
  return recordText([
    ['instances', `${instances.length}${unfit === 0 ? '' : `, ${unfit} of them without new work`}`],
    ['slots', String(total(instances.map((one) => one.number('slots'))))],
    ['tasks there', String(total(instances.map((one) => one.number('occupied'))))],
    ['tasks waiting', `${total(lines.map(({ waiting }) => waiting))}, beside placements`],
  ]);
}
