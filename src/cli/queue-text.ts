import colors from 'picocolors';
import type { Fields } from './fields';
import { durationText, recordText, tableText, type Column } from './output';

/** One line of the table of queues: an instance of a queue, the queue itself told on the first. */
interface Line {
  readonly queue: Fields | null;
  readonly instance: Fields | null;
  /** False when no instance of the queue gets new work: then nobody knows how long a task waits. */
  readonly moves: boolean;
}

/** All queues, with the wait that a task submitted now would see at each of their instances. */
export function queuesText(queues: readonly Fields[]): string {
  return tableText(
    queues.flatMap(linesOf),
    [...QUEUE_COLUMNS, ...WAIT_COLUMNS, UNFIT_COLUMN],
    NONE,
  );
}

const NONE = 'there is no queue yet';

function linesOf(queue: Fields): readonly Line[] {
  const [first, ...others] = queue.list('instances');
  const moves = isMoving(queue);
  return [
    { queue, instance: first ?? null, moves },
    ...others.map((instance) => ({ queue: null, instance, moves })),
  ];
}

function isMoving(queue: Fields): boolean {
  const unfit = unfitReasons(queue).reduce((total, [, count]) => total + count, 0);
  return unfit < queue.list('instances').length;
}

const QUEUE_COLUMNS: readonly Column<Line>[] = [
  { head: 'MODEL', value: ({ queue }) => queue?.text('model') ?? '' },
  { head: 'STRATEGY', value: ({ queue }) => (queue === null ? '' : strategyOf(queue)) },
  { head: 'WAITING', align: 'right', value: ({ queue }) => count(queue, 'waiting') },
  { head: 'RUNNING', align: 'right', value: ({ queue }) => count(queue, 'running') },
];

const WAIT_COLUMNS: readonly Column<Line>[] = [
  { head: 'INSTANCE', value: ({ instance }) => instance?.text('instance_name') ?? 'none' },
  { head: 'EXPECTED WAIT', align: 'right', value: (line) => waitText(line, 'wait_ms') },
  { head: '±', align: 'right', value: (line) => waitText(line, 'wait_error_ms') },
];

const UNFIT_COLUMN: Column<Line> = {
  head: 'NO NEW WORK',
  value: ({ queue }) => (queue === null ? '' : countsText(unfitReasons(queue))),
};

/** The strategy of a queue, and whether it is paused. */
export function strategyOf(queue: Fields): string {
  return queue.flag('paused') ? `${queue.text('strategy')} (paused)` : queue.text('strategy');
}

function count(queue: Fields | null, field: string): string {
  return queue === null ? '' : String(queue.number(field));
}

function waitText({ instance, moves }: Line, field: string): string {
  return instance === null || !moves ? '–' : durationText(instance.number(field));
}

/** One queue: its settings, its instances, and how its last tasks fared where that is told. */
export function queueText(queue: Fields): string {
  const paused = queue.flag('paused');
  const record = recordText([
    ['model', queue.text('model')],
    ['state', paused ? 'paused: nothing is placed' : 'open', paused ? colors.yellow : colors.green],
    ['strategy', queue.text('strategy')],
    ['order weight', String(queue.number('order_weight'))],
    ['prefetch', String(queue.number('prefetch'))],
    ['limit', `${queue.number('limit')} waiting tasks`],
    ['attempt timeout', durationText(queue.number('attempt_timeout_ms'))],
    ['waiting', String(queue.number('waiting'))],
    ['running', String(queue.number('running'))],
    ['no new work', unfitText(queue)],
  ]);
  const moves = isMoving(queue);
  const lines = queue.list('instances').map((instance) => ({ queue, instance, moves }));
  const waits = tableText(lines, WAIT_COLUMNS, 'it has no instance');
  const statistics = queue.optionalObject('statistics');
  return `${record}\n${waits}${statistics === null ? '' : `\n${statisticsText(statistics)}`}`;
}

/** How many of its instances get no new work, and why; null when all do. */
function unfitText(queue: Fields): string | null {
  const counts = countsText(unfitReasons(queue));
  return counts === '' ? null : `at instances: ${counts}`;
}

type Counts = readonly (readonly [reason: string, instances: number])[];

function unfitReasons(queue: Fields): Counts {
  return queue.optionalObject('unfit')?.numbers() ?? [];
}

function countsText(counts: Counts): string {
  return counts.map(([reason, count]) => `${reason} (${count})`).join(', ');
}

/** One line of the statistics: one of the times of one of the spans. */
interface Spread {
  readonly span: string;
  readonly time: string;
  readonly tasks: number;
  /** Null when there were no tasks. */
  readonly figures: Fields | null;
}

const SPANS = [
  ['last_tasks', 'last tasks'],
  ['last_hour', 'last hour'],
] as const;

const TIMES = [
  ['wait_ms', 'wait'],
  ['service_ms', 'service'],
  ['total_ms', 'total'],
] as const;

function statisticsText(statistics: Fields): string {
  const spreads = SPANS.flatMap(([field, span]) => {
    const stat = statistics.object(field);
    return TIMES.map(([name, time]): Spread => {
      return { span, time, tasks: stat.number('tasks'), figures: stat.optionalObject(name) };
    });
  });
  return tableText(spreads, SPREAD_COLUMNS, '');
}

const SPREAD_COLUMNS: readonly Column<Spread>[] = [
  { head: 'OVER', value: ({ span }) => span },
  { head: 'TASKS', align: 'right', value: ({ tasks }) => String(tasks) },
  { head: 'TIME', value: ({ time }) => time },
  ...(['mean', 'p50', 'p90', 'p95', 'p99', 'max'] as const).map((name): Column<Spread> => ({
    head: name.toUpperCase(),
    align: 'right',
    value: ({ figures }) => (figures === null ? '–' : durationText(figures.number(name))),
  })),
];
