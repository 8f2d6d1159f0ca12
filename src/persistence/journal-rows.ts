import { quantilesOf } from '../core/distribution';
import { queueName } from '../core/queue';
import {
  isTerminal,
  type Attempt,
  type AttemptState,
  type Change,
  type FailureKind,
  type Task,
  type TaskEvent,
  type TaskEventType,
  type TaskKind,
  type TaskState,
} from '../core/task';
import type { DispatchId, InstanceId, Instant, TaskId } from '../core/units';

/** Payloads as raw JSON text, kept as they were sent. */
export interface JournalPayload {
  readonly taskInput: string;
  readonly metadata: string;
}

/** A new task: its changes, the first being its entry, and what it carries. */
export interface NewTask {
  readonly changes: readonly Change[];
  readonly payload: JournalPayload;
}

/** What is written once, when a task is accepted. */
export interface BirthRow {
  readonly id: TaskId;
  readonly kind: TaskKind;
  readonly clientTaskId: string | null;
  readonly queueName: string;
  readonly priority: number;
  readonly taskInput: string;
  readonly metadata: string;
  readonly payloadBytes: number;
  readonly predictionMethod: string;
  /** PostgreSQL's text form of `float8[]`. */
  readonly predictionLevels: string;
  readonly predictionQuantiles: string;
  readonly maxAttempts: number;
  /** JSON text; null for whatever is no batch job. */
  readonly job: string | null;
  readonly attemptTimeoutMs: number;
  readonly demandSlots: number;
  readonly demandCpu: number;
  readonly demandMemoryGb: number;
  readonly demandGpuMemoryGb: number;
  readonly submittedAt: Instant;
}

/** Where a task stands: of several in one flush, the last one is written. */
export interface StandingRow {
  readonly id: TaskId;
  readonly state: TaskState;
  readonly attemptNo: number;
  readonly retries: number;
  readonly eventSeq: number;
  readonly notBefore: Instant | null;
  /** Of the newest attempt; null leaves the one that is recorded. */
  readonly instanceId: InstanceId | null;
  readonly avoidInstanceId: InstanceId | null;
  readonly stopReason: string | null;
  readonly failureKind: FailureKind | null;
  readonly failureMessage: string | null;
  /** Raw JSON text; set by the change that ends the task. */
  readonly result: string | null;
  /** The first one recorded stays. */
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly executionMs: number | null;
}

/** An attempt at one moment: of several in one flush, the last one is written. */
export interface AttemptRow {
  readonly taskId: TaskId;
  readonly attemptNo: number;
  readonly dispatchId: DispatchId;
  readonly instanceId: InstanceId;
  readonly registration: number;
  readonly speed: number;
  /** JSON text; null leaves the one that is recorded. */
  readonly decision: string | null;
  readonly state: AttemptState;
  readonly remoteId: string | null;
  readonly reservedAt: Instant;
  readonly sentAt: Instant | null;
  readonly runningSince: Instant | null;
  readonly endedAt: Instant | null;
  readonly executionMs: number | null;
  readonly vacated: boolean;
}

/** A step or a note; `seq` null is numbered by the database. */
export interface EventRow {
  readonly taskId: TaskId;
  readonly seq: number | null;
  readonly type: TaskEventType;
  readonly from: TaskState | null;
  readonly to: TaskState | null;
  readonly attemptNo: number;
  readonly instanceId: InstanceId | null;
  readonly at: number;
  readonly message: string;
  readonly operator: string | null;
}

/** What one call to the journal says about one task, as it was at the time of the call. */
export interface TaskRows {
  readonly taskId: TaskId;
  readonly birth: BirthRow | null;
  /** Null for a trace on a task whose record is final. */
  readonly standing: StandingRow | null;
  readonly attempts: readonly AttemptRow[];
  readonly events: readonly EventRow[];
  /** About how many bytes all of this takes on the wire. */
  readonly bytes: number;
}

/** Bytes of a row without its texts: ids, numbers, timestamps. */
const ROW_BYTES = 150;

/** The rows of one task for changes of that task, copied now: the live objects go on changing. */
export function rowsOf(
  changes: readonly Change[],
  task: Task,
  payload: JournalPayload | null,
  result: string | null,
): TaskRows {
  const attempts = newestOf(changes.flatMap((change) => change.attempts));
  const recordIsFinal = isTerminal(task.state) && changes.every(({ event }) => event.to === null);
  // Of a final record others may have left traces since: the database numbers what comes now.
  const numbered = changes.map(({ event }) => eventRow(event));
  const events = recordIsFinal ? numbered.map((row) => ({ ...row, seq: null })) : numbered;
  return {
    taskId: task.id,
    birth: payload && birthRow(task, payload),
    standing: recordIsFinal ? null : standingRow(task, attempts, result),
    attempts,
    events,
    bytes: bytesOf(events, payload ? task.payloadBytes : 0, result),
  };
}

/** The rows of a task that is not recorded yet. */
export function rowsOfNew({ changes, payload }: NewTask): TaskRows {
  const task = changes[0]?.task;
  if (!task || changes.some((change) => change.task !== task)) {
    throw new Error('a submission is the changes of one task');
  }
  return rowsOf(changes, task, payload, null);
}

/** The rows of a note on a task that has left memory. */
export function noteRows(event: TaskEvent): TaskRows {
  const events = [eventRow(event)];
  const bytes = bytesOf(events, 0, null);
  return { taskId: event.taskId, birth: null, standing: null, attempts: [], events, bytes };
}

/** Two sets of rows of one task as one: the later standing, the newest attempts, every event. */
export function merge(earlier: TaskRows, later: TaskRows): TaskRows {
  return {
    taskId: earlier.taskId,
    birth: earlier.birth,
    standing: mergeStandings(earlier.standing, later.standing),
    attempts: mergeAttempts(earlier.attempts, later.attempts),
    events: [...earlier.events, ...later.events],
    bytes: earlier.bytes + later.bytes,
  };
}

/** How many rows of the database these are. */
export function rowCount({ standing, attempts, events }: TaskRows): number {
  return (standing ? 1 : 0) + attempts.length + events.length;
}

function birthRow(task: Task, { taskInput, metadata }: JournalPayload): BirthRow {
  const { levels, values } = quantilesOf(task.prediction.serviceTime);
  return {
    id: task.id,
    kind: task.kind,
    clientTaskId: task.clientId,
    queueName: queueName(task.queue),
    priority: task.priority,
    taskInput,
    metadata,
    payloadBytes: task.payloadBytes,
    predictionMethod: task.prediction.method,
    predictionLevels: arrayText(levels),
    predictionQuantiles: arrayText(values),
    maxAttempts: task.maxAttempts,
    job: task.job && JSON.stringify(task.job),
    attemptTimeoutMs: task.attemptTimeoutMs,
    demandSlots: task.demand.slots,
    demandCpu: task.demand.cpu,
    demandMemoryGb: task.demand.memoryGb,
    demandGpuMemoryGb: task.demand.gpuMemoryGb,
    submittedAt: task.submittedAt,
  };
}

function standingRow(
  task: Task,
  attempts: readonly AttemptRow[],
  result: string | null,
): StandingRow {
  const newest = attempts.find(({ attemptNo }) => attemptNo === task.attemptNo);
  const began = attempts.find(({ runningSince }) => runningSince !== null);
  const isOver = isTerminal(task.state);
  const ended = attempts.findLast(({ executionMs }) => executionMs !== null);
  return {
    id: task.id,
    state: task.state,
    attemptNo: task.attemptNo,
    retries: task.retries,
    eventSeq: task.eventSeq,
    notBefore: task.notBefore,
    instanceId: newest?.instanceId ?? null,
    avoidInstanceId: task.avoid,
    stopReason: task.stopReason,
    failureKind: task.failure?.kind ?? null,
    failureMessage: task.failure?.message ?? null,
    result: isOver ? result : null,
    startedAt: began?.runningSince ?? null,
    finishedAt: task.finishedAt,
    executionMs: (isOver ? ended?.executionMs : null) ?? null,
  };
}

function attemptRow(attempt: Attempt): AttemptRow {
  return {
    taskId: attempt.taskId,
    attemptNo: attempt.no,
    dispatchId: attempt.dispatchId,
    instanceId: attempt.instanceId,
    registration: attempt.registration,
    speed: attempt.speed,
    decision: decisionText(attempt),
    state: attempt.state,
    remoteId: attempt.remoteId,
    reservedAt: attempt.reservedAt,
    sentAt: attempt.sentAt,
    runningSince: attempt.runningSince,
    endedAt: attempt.endedAt,
    executionMs: attempt.executionMs,
    vacated: attempt.vacated,
  };
}

/** Recorded with the reservation, before which nothing is sent. */
function decisionText({ decision, sentAt }: Attempt): string | null {
  return decision === null || sentAt !== null ? null : JSON.stringify(decision);
}

function eventRow(event: TaskEvent): EventRow {
  return {
    taskId: event.taskId,
    seq: event.seq,
    type: event.type,
    from: event.from,
    to: event.to,
    attemptNo: event.attemptNo,
    instanceId: event.instanceId,
    at: event.wallMs,
    message: event.message,
    operator: event.operator,
  };
}

/** Each attempt once, as it is now, lower numbers first. */
function newestOf(attempts: readonly Attempt[]): readonly AttemptRow[] {
  if (attempts.length < 2) return attempts.map(attemptRow);
  const byNo = new Map(attempts.map((attempt) => [attempt.no, attempt]));
  return [...byNo.values()].map(attemptRow).sort(byAttemptNo);
}

function mergeStandings(
  earlier: StandingRow | null,
  later: StandingRow | null,
): StandingRow | null {
  if (!earlier || !later) return later ?? earlier;
  return {
    ...later,
    instanceId: later.instanceId ?? earlier.instanceId,
    startedAt: earlier.startedAt ?? later.startedAt,
    executionMs: later.executionMs ?? earlier.executionMs,
    result: later.result ?? earlier.result,
  };
}

function mergeAttempts(
  earlier: readonly AttemptRow[],
  later: readonly AttemptRow[],
): readonly AttemptRow[] {
  if (earlier.length === 0) return later;
  const byNo = new Map(earlier.map((row) => [row.attemptNo, row]));
  for (const row of later) {
    const decision = row.decision ?? byNo.get(row.attemptNo)?.decision ?? null;
    byNo.set(row.attemptNo, { ...row, decision });
  }
  return [...byNo.values()].sort(byAttemptNo);
}

function byAttemptNo(a: AttemptRow, b: AttemptRow): number {
  return a.attemptNo - b.attemptNo;
}

function bytesOf(events: readonly EventRow[], payload: number, result: string | null): number {
  const messages = events.reduce((sum, { message }) => sum + message.length, 0);
  return ROW_BYTES * (2 + events.length) + payload + messages + (result?.length ?? 0);
}

function arrayText(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}
