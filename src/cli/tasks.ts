import { InvalidArgumentError, Option, type Command } from 'commander';
import { TASK_STATES } from '../core/task';
import { isoTime } from '../http/iso-time';
import type { ApiClient } from './api-client';
import { nameText, wholeFrom } from './arguments';
import { clientVerb, withClient } from './client-verb';
import { guarded } from './exit';
import type { Fields } from './fields';
import { asIs, instanceNames, type NameOf } from './instance-names';
import {
  durationText,
  formatOf,
  instantText,
  listView,
  paintState,
  writeJsonList,
  type Column,
  type View,
} from './output';
import { fetchList, pagesOf, type ListQuery } from './pages';
import { show, watchable, type WatchFlags } from './show';

interface TasksFlags extends WatchFlags {
  readonly state?: string;
  readonly kind?: string;
  readonly model?: string;
  readonly instance?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly all?: true;
}

const USUAL_LIMIT = 100;

const EXAMPLES = [
  'foresail tasks --since 24h --state failed',
  'foresail tasks --model llama --state live --watch',
  'foresail tasks --all --since 7d -o json > week.json',
];

const NOTES = `
States: ${TASK_STATES.join(', ')};
and live (not ended) and finished (ended, in whatever way).
Times: a duration back from now (90s, 30m, 24h, 7d), or a date (2026-11-21, 2026-11-21T10:00).
`;

/** `foresail tasks`: tasks that are live or have ended, newest first. */
export function tasksCommand(): Command {
  return watchable(clientVerb('tasks', 'list tasks, the newest first', EXAMPLES, NOTES))
    .option('--state <state,...>', 'only those in these states', nameText)
    .option('--model <name>', 'only those for this model', nameText)
    .option('--instance <id>', 'only those that this instance has or had', nameText)
    .option('--kind <kind>', 'only model, batch or placement tasks', nameText)
    .option('--since <time>', 'only those submitted since then', moment)
    .option('--until <time>', 'only those submitted before then', moment)
    .option('--limit <number>', 'most tasks that are listed', wholeFrom(1, 1e9), USUAL_LIMIT)
    .addOption(new Option('--all', 'list all of them, however many').conflicts('limit'))
    .action(guarded(list));
}

async function list(flags: TasksFlags): Promise<void> {
  if (flags.watch !== undefined || formatOf(flags.output) === 'table') {
    await show(flags, (client) => look(client, flags));
    return;
  }
  // A whole history may be larger than memory: each page is written before the next is asked for.
  await withClient(flags, (client) => writeJsonList(itemsOf(client, flags)));
}

async function* itemsOf(client: ApiClient, flags: TasksFlags): AsyncGenerator {
  for await (const { items } of pagesOf(client, queryOf(flags))) {
    yield* items.map(({ raw }) => raw);
  }
}

async function look(client: ApiClient, flags: TasksFlags): Promise<View> {
  const { items, hasMore } = await fetchList(client, queryOf(flags));
  const asTable = formatOf(flags.output) === 'table';
  const nameOf = asTable ? await instanceNames(client) : asIs;
  const { json, text } = listView(items, taskColumns(nameOf), 'no task is like that');
  const note = hasMore ? `there are more; --limit tells how many are listed, or --all\n` : '';
  return { json, text: () => text() + note };
}

function queryOf(flags: TasksFlags): ListQuery {
  const { state, kind, model, instance, since, until, limit, all } = flags;
  return {
    path: '/v1/tasks',
    name: 'tasks',
    filters: {
      ...{ state, kind, queue: model, instance },
      createdAfter: since,
      createdBefore: until,
    },
    limit: all === true ? Infinity : limit,
  };
}

/** The table of tasks. */
export function taskColumns(nameOf: NameOf): readonly Column<Fields>[] {
  const instanceOf = (task: Fields): string => {
    const id = task.optionalText('instance_id');
    return id === null ? '–' : nameOf(id);
  };
  return [
    { head: 'SUBMITTED', value: (task) => instantText(Date.parse(task.text('submitted_at'))) },
    { head: 'TASK', value: nameOfTask },
    { head: 'MODEL', value: (task) => task.text('model') },
    { head: 'STATE', value: (task) => task.text('state'), paint: paintState },
    { head: 'WAITED', align: 'right', value: (task) => timeIn(task, 'wait_ms') },
    { head: 'RAN FOR', align: 'right', value: (task) => timeIn(task, 'execution_ms') },
    { head: 'ATTEMPT', align: 'right', value: (task) => String(task.number('attempt')) },
    { head: 'INSTANCE', value: instanceOf },
    { head: 'FAILURE', value: (task) => task.optionalObject('failure')?.text('message') ?? '' },
  ];
}

/** The client's own id, where it has one; that of a job is only the key of its submission. */
function nameOfTask(task: Fields): string {
  const own = task.text('kind') === 'batch' ? null : task.optionalText('client_task_id');
  return own ?? task.text('id');
}

function timeIn(task: Fields, field: string): string {
  const ms = task.optionalNumber(field);
  return ms === null ? '–' : durationText(ms);
}

/** A time for the service, for an option: it reads durations back from its own now. */
function moment(text: string): string {
  if (/^\d+[smhd]$/.test(text)) return text;
  // A bare date would be midnight in Greenwich; people mean their own.
  const at = isoTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw new InvalidArgumentError(
    'a duration like 24h, or a date like 2026-11-21 or 2026-11-21T10:00, is needed',
  );
}
