import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  isTerminal,
  TASK_STATES,
  type FailureKind,
  type TaskKind,
  type TaskState,
  type TerminalState,
} from '../core/task';
import type { InstanceId, TaskId } from '../core/units';
import { answered } from './store';

/** Which tasks are listed: those to which everything that is named here applies. */
export interface TaskListFilter {
  readonly states?: readonly TaskState[];
  readonly kind?: TaskKind;
  readonly queueName?: string;
  /** Where the newest attempt is or was. */
  readonly instanceId?: InstanceId;
  /** Submitted then or later. */
  readonly submittedFrom?: Date;
  /** Submitted earlier. */
  readonly submittedBefore?: Date;
}

/** Place of a task in the list: when it was submitted, in Unix ms with fractions, and its id. */
export type TaskListKey = readonly [submittedMs: number, id: string];

/** A task as lists show it. Durations are ms. */
export interface ListedTask {
  readonly id: TaskId;
  readonly kind: TaskKind;
  readonly clientId: string | null;
  readonly queueName: string;
  readonly state: TaskState;
  /** Of the newest attempt. */
  readonly instanceId: InstanceId | null;
  readonly attemptNo: number;
  /** Unix ms, with fractions. */
  readonly submittedMs: number;
  /** When an attempt first occupied a slot. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** By the worker's word. */
  readonly executionMs: number | null;
  /** From the submission to the start. */
  readonly waitMs: number | null;
  readonly failureKind: FailureKind | null;
  readonly failureMessage: string | null;
}

/**
 * Tasks as the record has them, live and finished ones, newest first. The record of a live task is
 * at most one commit behind memory; one snapshot shows every task once.
 */
@Injectable()
export class TaskListRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * @param behind the place after which to begin; absent: from the newest on
   * @throws {StoreUnavailableError}
   */
  async newest(
    filter: TaskListFilter,
    behind: TaskListKey | undefined,
    limit: number,
  ): Promise<readonly ListedTask[]> {
    const { text, values } = statementOf(filter, behind, limit);
    return answered(() => this.dataSource.query<ListedTask[]>(text, values));
  }
}

/** Live tasks, said in the words of the index that lists have of each kind. */
export const LISTED_LIVE = 'finished_at IS NULL AND max_attempts > 0';

/** Rows that one index finds in order. */
interface Shelf {
  /** What holds of them, written so that the index may be used. */
  readonly where: string;
  /** Kinds of which there may be any. */
  readonly kinds: readonly TaskKind[];
  /** The index has a kind in front; `unless_led`: so have others a queue or an instance. */
  readonly byKind: boolean | 'unless_led';
}

const LIVE_STATES = TASK_STATES.filter((state) => !isTerminal(state));
const TERMINAL_STATES = TASK_STATES.filter(isTerminal);
const KINDS: readonly TaskKind[] = ['model', 'batch', 'placement'];

const ENDED = 'finished_at IS NOT NULL';
/** Not the state by name: the planner would take it for a second, independent rarity. */
const AS_ASKED = `failure_kind IS NULL AND state <> 'succeeded'`;
const FINISHED: Shelf = { where: ENDED, kinds: KINDS, byKind: 'unless_led' };
const ENDED_AS = {
  succeeded: { ...FINISHED, where: `${ENDED} AND state = 'succeeded'` },
  failed: { where: `${ENDED} AND failure_kind IS NOT NULL`, kinds: KINDS, byKind: false },
  cancelled: {
    where: `${ENDED} AND stop_reason = 'cancelled' AND ${AS_ASKED}`,
    kinds: KINDS,
    byKind: false,
  },
  timed_out: {
    where: `${ENDED} AND stop_reason = 'timed_out' AND ${AS_ASKED}`,
    kinds: KINDS,
    byKind: false,
  },
  released: { where: `${ENDED} AND state = 'released'`, kinds: ['placement'], byKind: true },
} as const satisfies Record<TerminalState, Shelf>;

/** Every shelf is looked through in its own order, for one page at most; then they are merged. */
function statementOf(
  filter: TaskListFilter,
  behind: TaskListKey | undefined,
  limit: number,
): { readonly text: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const common = conditionsOf(filter, behind, given);
  const most = given(limit);
  const questions = shelvesFor(filter).flatMap((shelf) => questionsTo(shelf, filter));
  const parts = questions.map(
    (question) => `(
      SELECT ${COLUMNS}, submitted_at FROM tasks
       WHERE ${[question, ...common].join(' AND ')}
       ORDER BY submitted_at DESC, id DESC LIMIT ${most})`,
  );
  const text = `
    SELECT * FROM (${parts.join(' UNION ALL ')}) listed
     ORDER BY submitted_at DESC, id DESC LIMIT ${most}`;
  return { text, values };
}

/** The shelves that hold what is asked for. */
function shelvesFor({ states = TASK_STATES }: TaskListFilter): readonly Shelf[] {
  const asked = new Set(states);
  const live = LIVE_STATES.filter((state) => asked.has(state));
  const ends = TERMINAL_STATES.filter((state) => asked.has(state));
  const hasAllEnds = ends.length === TERMINAL_STATES.length;
  return [
    ...(live.length === 0 ? [] : [liveShelf(live)]),
    ...(hasAllEnds ? [FINISHED] : ends.map((state) => ENDED_AS[state])),
  ];
}

function liveShelf(states: readonly TaskState[]): Shelf {
  const names = states.map((state) => `'${state}'`).join(', ');
  const among = states.length === LIVE_STATES.length ? '' : ` AND state IN (${names})`;
  if (states.includes('queued')) {
    return { where: `${LISTED_LIVE}${among}`, kinds: KINDS, byKind: true };
  }
  // Said once more in a way that an index can tell: most of many live tasks have no instance yet.
  const where = `finished_at IS NULL AND instance_id IS NOT NULL${among}`;
  return { where, kinds: KINDS, byKind: false };
}

/** What is asked of a shelf, once, or kind by kind. */
function questionsTo(shelf: Shelf, filter: TaskListFilter): readonly string[] {
  const { kind, queueName, instanceId } = filter;
  const isLed = queueName !== undefined || instanceId !== undefined;
  const byKind = shelf.byKind === 'unless_led' ? !isLed : shelf.byKind;
  if (kind === undefined && !byKind) return [shelf.where];
  const kinds = shelf.kinds.filter((one) => kind === undefined || one === kind);
  return kinds.length === 0 ? ['false'] : kinds.map((one) => `${shelf.where} AND kind = '${one}'`);
}

function conditionsOf(
  { queueName, instanceId, submittedFrom, submittedBefore }: TaskListFilter,
  behind: TaskListKey | undefined,
  given: (value: unknown) => string,
): readonly string[] {
  const conditions: string[] = [];
  if (queueName !== undefined) conditions.push(`queue_name = ${given(queueName)}`);
  if (instanceId !== undefined) conditions.push(`instance_id = ${given(instanceId)}`);
  if (submittedFrom) conditions.push(`submitted_at >= ${given(submittedFrom)}`);
  if (submittedBefore) conditions.push(`submitted_at < ${given(submittedBefore)}`);
  if (behind) {
    const [submittedMs, id] = behind;
    const at = `to_timestamp(${given(submittedMs)}::float8 / 1000)`;
    conditions.push(`(submitted_at, id) < (${at}, ${given(id)}::uuid)`);
  }
  return conditions;
}

const COLUMNS = `
  id, kind, client_task_id AS "clientId", queue_name AS "queueName", state,
  instance_id AS "instanceId", attempt_no AS "attemptNo",
  date_part('epoch', submitted_at) * 1000 AS "submittedMs",
  started_at AS "startedAt", finished_at AS "finishedAt", execution_ms AS "executionMs",
  date_part('epoch', started_at - submitted_at) * 1000 AS "waitMs",
  failure_kind AS "failureKind", failure_message AS "failureMessage"`;
