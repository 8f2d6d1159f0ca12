import { SchedulerError } from '../core/errors';
import type { Forecast, Outlook, Waiting } from '../core/forecast';
import type { Plain } from '../http/dto-fields';
import { withMember } from '../http/json-text';
import type { Decision, Expectation } from '../core/task';
import type { Page } from '../http/page';
import type { ListedTask } from '../persistence/task-list.repository';
import type { Timeline } from '../persistence/tasks.repository';
import type { TaskListDto, TaskSummaryDto } from './dto/task-list.dto';
import type { DecisionDto, ExpectationDto } from './dto/decision.dto';
import type { AttemptDto, ForecastDto, TaskDto, TaskEventDto, WaitingDto } from './dto/task.dto';
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
export function taskAnswer(
  view: TaskView,
  { waiting, forecast }: Outlook,
  { attempts, events }: PlainTimeline,
): string {
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
    waiting: waiting && waitingAnswer(waiting),
    forecast: forecast && forecastAnswer(forecast),
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

function waitingAnswer({ because, plannedOn, ahead }: Waiting): Plain<WaitingDto> {
  return { because, planned_instance_id: plannedOn, ahead };
}

function forecastAnswer({ start, end }: Forecast): Plain<ForecastDto> {
  return {
    start_p50: forecastTime(start.p50),
    start_p90: forecastTime(start.p90),
    end_p50: forecastTime(end.p50),
    end_p90: forecastTime(end.p90),
  };
}

/** The last instant whose year has four digits in ISO 8601, Unix ms. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A long line of long tasks may reach beyond what a date can say. */
function forecastTime(instant: number): string {
  return new Date(Math.min(instant, END_OF_TIME)).toISOString();
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
    decision: attempt.decision && decisionAnswer(attempt.decision),
  };
}

function decisionAnswer({ runnerUp, ...decision }: Decision): Plain<DecisionDto> {
  return {
    strategy: decision.strategy,
    decided_at: new Date(decision.decidedAt).toISOString(),
    candidates: decision.candidates,
    ...expectationAnswer(decision),
    runner_up: runnerUp && { instance_id: runnerUp.instanceId, ...expectationAnswer(runnerUp) },
    unfit_because: decision.unfitBecause,
  };
}

function expectationAnswer({ waitMs, completionMs }: Expectation): Plain<ExpectationDto> {
  return { wait_ms: waitMs, completion_ms: completionMs };
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
