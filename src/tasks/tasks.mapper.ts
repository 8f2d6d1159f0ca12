import { SchedulerError } from '../core/errors';
import type { Plain } from '../http/dto-fields';
import { withMember } from '../http/json-text';
import type { Page } from '../http/page';
import type { ListedTask } from '../persistence/task-list.repository';
import type { Timeline } from '../persistence/tasks.repository';
import type { TaskListDto, TaskSummaryDto } from './dto/task-list.dto';
import type { AttemptDto, TaskDto, TaskEventDto } from './dto/task.dto';
import type { TaskView } from './task-view';

type AttemptRow = Row<Timeline['attempts'][number]>;
type EventRow = Row<Timeline['events'][number]>;

/** A row as plain data. */
type Row<T> = Readonly<Pick<T, keyof T>>;

/** A timeline of plain rows. */
interface PlainTimeline {
  readonly attempts: readonly AttemptRow[];
  readonly events: readonly EventRow[];
}

/** @throws {SchedulerError} unknown_task */
export function known(ref: string, view: TaskView | undefined): TaskView {
  if (view) return view;
  throw new SchedulerError('unknown_task', `there is no task ${JSON.stringify(ref)}`);
}

/** A `TaskDto` as JSON text: the result is set in as it is stored. */
export function taskAnswer(view: TaskView, { attempts, events }: PlainTimeline): string {
  const answer: Plain<Omit<TaskDto, 'result'>> = {
    id: view.id,
    client_task_id: view.clientId,
    kind: view.kind,
    model: view.queueName,
    state: view.state,
    instance_id: view.instanceId,
    submitted_at: new Date(view.submittedWallMs).toISOString(),
    finished_at: isoTime(view.finishedWallMs),
    execution_ms: view.executionMs,
    prediction: { method: view.prediction.method, service_ms: view.prediction.meanMs },
    failure: view.failure,
    attempts: attempts.map(attemptAnswer),
    events: events.map(eventAnswer),
  };
  return withMember(answer, 'result', view.result ?? 'null');
}

/** A page of the list of tasks. */
export function taskListAnswer({ items, nextCursor }: Page<ListedTask>): Plain<TaskListDto> {
  return { tasks: items.map(summaryAnswer), next_cursor: nextCursor };
}

/** Why a task is cancelled, as its event says it. */
export function cancellation(caller: string, reason: string | null | undefined): string {
  return `cancelled by ${caller}${reason ? `: ${reason}` : ''}`;
}

function summaryAnswer(task: ListedTask): Plain<TaskSummaryDto> {
  const { failureKind: kind, failureMessage: message } = task;
  return {
    id: task.id,
    client_task_id: task.clientId,
    kind: task.kind,
    model: task.queueName,
    state: task.state,
    instance_id: task.instanceId,
    attempt: task.attemptNo,
    submitted_at: new Date(task.submittedMs).toISOString(),
    started_at: isoTime(task.startedAt),
    finished_at: isoTime(task.finishedAt),
    execution_ms: task.executionMs,
    wait_ms: task.waitMs,
    failure: kind && { kind, message: message ?? '' },
  };
}

function attemptAnswer(attempt: AttemptRow): Plain<AttemptDto> {
  return {
    attempt: attempt.attemptNo,
    dispatch_id: attempt.dispatchId,
    instance_id: attempt.instanceId,
    state: attempt.state,
    remote_id: attempt.remoteId,
    reserved_at: attempt.reservedAt.toISOString(),
    sent_at: isoTime(attempt.sentAt),
    running_since: isoTime(attempt.runningSince),
    ended_at: isoTime(attempt.endedAt),
    execution_ms: attempt.executionMs,
  };
}

function eventAnswer(event: EventRow): Plain<TaskEventDto> {
  return {
    seq: event.seq,
    type: event.type,
    from: event.fromState,
    to: event.toState,
    attempt: event.attemptNo,
    instance_id: event.instanceId,
    at: event.at.toISOString(),
    message: event.message,
  };
}

function isoTime(time: Date | number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
