import { SchedulerError } from '../core/errors';
import { isTerminal, TASK_STATES, type TaskKind, type TaskState } from '../core/task';
import type { TaskListFilter } from '../persistence/task-list.repository';
import type { TaskListQueryDto } from './dto/task-list.dto';
import { isoTime } from '../http/iso-time';

/** What is asked of the list; an instance is still named as the caller names it. */
export interface TaskListQuestion extends Omit<TaskListFilter, 'instanceId'> {
  readonly instanceRef?: string;
}

const KINDS: readonly TaskKind[] = ['model', 'batch', 'placement'];
const LIVE: readonly TaskState[] = TASK_STATES.filter((state) => !isTerminal(state));
const FINISHED: readonly TaskState[] = TASK_STATES.filter(isTerminal);
const CHOICES: ReadonlyMap<string, readonly TaskState[]> = new Map([
  ...TASK_STATES.map((state) => [state, [state]] as const),
  ['live', LIVE] as const,
  ['finished', FINISHED] as const,
]);

const DURATION = /^(\d{1,12})(ms|s|m|h|d)$/;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
/** A date, or a time with its zone: a service has no local time that its callers know. */
const ZONED = /^[^T]*$|(?:Z|[+-]\d\d:\d\d)$/;

/**
 * What the query asks for. Times back are counted from `wallMs`, in Unix ms.
 * @throws {SchedulerError} invalid_input, naming the value and what is allowed
 */
export function questionOf(query: TaskListQueryDto, wallMs: number): TaskListQuestion {
  const { state, kind, queue, instance, createdAfter, createdBefore } = query;
  return {
    ...(state === undefined ? {} : { states: statesIn(state) }),
    ...(kind === undefined ? {} : { kind: kindIn(kind) }),
    ...(queue === undefined ? {} : { queueName: queue }),
    ...(instance === undefined ? {} : { instanceRef: instance }),
    ...(createdAfter === undefined
      ? {}
      : { submittedFrom: timeIn('createdAfter', createdAfter, wallMs) }),
    ...(createdBefore === undefined
      ? {}
      : { submittedBefore: timeIn('createdBefore', createdBefore, wallMs) }),
  };
}

function statesIn(text: string): readonly TaskState[] {
  const states = text.split(',').flatMap((name) => {
    const found = CHOICES.get(name.trim());
    if (found) return found;
    throw refused('state', `one or several of ${[...CHOICES.keys()].join(', ')}`, name, 'enum');
  });
  return [...new Set(states)];
}

function kindIn(text: string): TaskKind {
  const kind = KINDS.find((one) => one === text);
  if (kind) return kind;
  throw refused('kind', `one of ${KINDS.join(', ')}`, text, 'enum');
}

function timeIn(name: string, text: string, wallMs: number): Date {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit);
  const time = unitMs === undefined ? zonedTime(text) : wallMs - Number(count) * unitMs;
  // Nothing was submitted before 1970; a time so far back that no date holds it means the same.
  if (!Number.isNaN(time)) return new Date(Math.max(0, time));
  const allowed = 'an ISO 8601 time with its zone, or a time back from now as in 90s, 30m, 24h, 7d';
  throw refused(name, allowed, text, 'value');
}

function zonedTime(text: string): number {
  return ZONED.test(text) ? isoTime(text) : Number.NaN;
}

function refused(name: string, allowed: string, value: string, type: string): SchedulerError {
  const msg = `${name} must be ${allowed}; got ${JSON.stringify(value)}`;
  return new SchedulerError('invalid_input', msg, {
    faults: [{ loc: ['query', name], msg, type }],
  });
}
