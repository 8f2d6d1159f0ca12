import { isTerminal, TASK_STATES, type TaskState } from '../core/task';
import type { ApiClient } from './api-client';
import { CommandFailure, EXIT } from './exit';
import { Fields } from './fields';

/** A task as `GET /v1/tasks/{id}` tells it; instants are Unix ms. */
export interface TaskRecord {
  /** The whole answer. */
  readonly raw: unknown;
  /** The scheduler's own id. */
  readonly id: string;
  readonly clientTaskId: string | null;
  readonly model: string;
  readonly state: TaskState;
  readonly isTerminal: boolean;
  readonly instanceId: string | null;
  readonly submittedAt: number;
  readonly finishedAt: number | null;
  /** Running time by its worker's word, ms. */
  readonly executionMs: number | null;
  /** Predicted running time at speed 1, ms. */
  readonly predictedMs: number;
  readonly predictedBy: string;
  /** Why it failed, in words. */
  readonly failure: string | null;
  /** Null unless it waits. */
  readonly waiting: WaitingRecord | null;
  /** When it will start and end; null when it has ended, and where nothing can be said. */
  readonly forecast: ForecastRecord | null;
  readonly attempts: readonly AttemptRecord[];
  readonly events: readonly EventRecord[];
  readonly result: unknown;
}

/** Why a task waits. */
export interface WaitingRecord {
  /** How many instances cannot take it now, by reason. */
  readonly because: readonly (readonly [reason: string, instances: number])[];
  readonly plannedInstanceId: string | null;
  /** Tasks before it in its line. */
  readonly ahead: number | null;
}

/** Instants are Unix ms: as likely before as after p50, nine times of ten before p90. */
export interface ForecastRecord {
  readonly start: { readonly p50: number | null; readonly p90: number | null };
  readonly end: { readonly p50: number | null; readonly p90: number | null };
}

/** One try to run a task; instants are Unix ms. */
export interface AttemptRecord {
  readonly state: string;
  /** When it began to take a slot. */
  readonly runningSince: number | null;
  readonly endedAt: number | null;
  /** Why it went where it went; null where that is not known. */
  readonly decision: DecisionRecord | null;
}

/** Why a task went where it went, and what was expected there. The instant is Unix ms. */
export interface DecisionRecord extends ExpectationRecord {
  readonly strategy: string;
  readonly decidedAt: number;
  readonly candidates: number;
  readonly runnerUp: (ExpectationRecord & { readonly instanceId: string }) | null;
  /** How many other instances could not be chosen, by reason. */
  readonly unfitBecause: readonly (readonly [reason: string, instances: number])[];
}

/** What a task was expected to see at an instance, in ms from the decision. */
export interface ExpectationRecord {
  readonly waitMs: number;
  readonly completionMs: number;
}

/** One thing that happened to a task; the instant is Unix ms. */
export interface EventRecord {
  readonly at: number;
  readonly type: string;
  readonly to: string | null;
  readonly attempt: number;
  readonly message: string;
}

/**
 * Asks for a task by any of its ids.
 * @throws {RefusedError} 404 when there is no such task
 * @throws {CommandFailure} when nobody answers, or not in the expected form
 */
export async function fetchTask(client: ApiClient, id: string): Promise<TaskRecord> {
  return readTask(await client.get(`/v1/tasks/${encodeURIComponent(id)}`));
}

function readTask(answer: unknown): TaskRecord {
  const task = new Fields(answer, 'the answer to GET /v1/tasks/{id}');
  const state = stateOf(task.text('state'));
  const prediction = task.object('prediction');
  const failure = task.optionalObject('failure');
  return {
    raw: answer,
    id: task.text('id'),
    // That of a job is only the key of its submission.
    clientTaskId: task.text('kind') === 'batch' ? null : task.optionalText('client_task_id'),
    model: task.text('model'),
    state,
    isTerminal: isTerminal(state),
    instanceId: task.optionalText('instance_id'),
    submittedAt: instantOf(task.text('submitted_at')),
    finishedAt: optionalInstant(task.optionalText('finished_at')),
    executionMs: task.optionalNumber('execution_ms'),
    predictedMs: prediction.number('service_ms'),
    predictedBy: prediction.text('method'),
    failure: failure && `${failure.text('message')} (${failure.text('kind')})`,
    waiting: readWaiting(task.optionalObject('waiting')),
    forecast: readForecast(task.optionalObject('forecast')),
    attempts: task.list('attempts').map(readAttempt),
    events: task.list('events').map(readEvent),
    result: task.any('result'),
  };
}

function readWaiting(waiting: Fields | null): WaitingRecord | null {
  if (waiting === null) return null;
  return {
    because: waiting.object('because').numbers(),
    plannedInstanceId: waiting.optionalText('planned_instance_id'),
    ahead: waiting.optionalNumber('ahead'),
  };
}

function readForecast(forecast: Fields | null): ForecastRecord | null {
  if (forecast === null) return null;
  const at = (name: string): number | null => optionalInstant(forecast.optionalText(name));
  return {
    start: { p50: at('start_p50'), p90: at('start_p90') },
    end: { p50: at('end_p50'), p90: at('end_p90') },
  };
}

function readAttempt(attempt: Fields): AttemptRecord {
  return {
    state: attempt.text('state'),
    runningSince: optionalInstant(attempt.optionalText('running_since')),
    endedAt: optionalInstant(attempt.optionalText('ended_at')),
    decision: readDecision(attempt.optionalObject('decision')),
  };
}

function readDecision(decision: Fields | null): DecisionRecord | null {
  if (decision === null) return null;
  const runnerUp = decision.optionalObject('runner_up');
  return {
    strategy: decision.text('strategy'),
    decidedAt: instantOf(decision.text('decided_at')),
    candidates: decision.number('candidates'),
    ...readExpectation(decision),
    runnerUp: runnerUp && {
      instanceId: runnerUp.text('instance_id'),
      ...readExpectation(runnerUp),
    },
    unfitBecause: decision.object('unfit_because').numbers(),
  };
}

function readExpectation(expectation: Fields): ExpectationRecord {
  return {
    waitMs: expectation.number('wait_ms'),
    completionMs: expectation.number('completion_ms'),
  };
}

function readEvent(event: Fields): EventRecord {
  return {
    at: instantOf(event.text('at')),
    type: event.text('type'),
    to: event.optionalText('to'),
    attempt: event.number('attempt'),
    message: event.text('message'),
  };
}

function stateOf(text: string): TaskState {
  const known = TASK_STATES.find((state) => state === text);
  if (known !== undefined) return known;
  const states = TASK_STATES.join(', ');
  throw new CommandFailure(EXIT.failed, `the task has the state "${text}"; known are ${states}`);
}

function instantOf(text: string): number {
  const unixMs = Date.parse(text);
  if (!Number.isNaN(unixMs)) return unixMs;
  throw new CommandFailure(EXIT.failed, `"${text}" of the answer is no instant in ISO 8601`);
}

function optionalInstant(text: string | null): number | null {
  return text === null ? null : instantOf(text);
}
