import type { Distribution } from './distribution';
import type { Resources } from './resources';
import type { DispatchId, InstanceId, Instant, QueueKey, StrategyName, TaskId } from './units';

/** What a task asks for: a model's answer, a shell job, or only the name of a worker. */
export type TaskKind = 'model' | 'batch' | 'placement';

/**
 * ```
 *            submit                    confirmed            known to run
 *   (none) ─────────▶ queued ──────▶ dispatching ──────▶ dispatched ──────▶ running ◀──▶ paused
 *                      │  ▲ reserved      │                  │                │            │
 *                      │  └───────────────┴── absent, lost ──┴────────────────┴────────────┤
 *                      │                                                                   │
 *                      │                  stop or time limit ──▶ stopping ◀────────────────┤
 *                      ▼                                             │                     ▼
 *                  cancelled        cancelled · timed_out ◀──────────┘       succeeded · failed
 * ```
 * A placement is `dispatched` from the first: its client brings it to the worker. `released` ends it,
 * since its outcome is not ours to know. Terminal states never change.
 */
export type TaskState =
  | 'queued'
  | 'dispatching'
  | 'dispatched'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'timed_out'
  | 'released';

/** Every state, live ones first. */
export const TASK_STATES = [
  'queued',
  'dispatching',
  'dispatched',
  'running',
  'paused',
  'stopping',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'released',
] as const satisfies readonly TaskState[];

/** States that never change again. */
export type TerminalState = 'succeeded' | 'failed' | 'cancelled' | 'timed_out' | 'released';

const TERMINAL: ReadonlySet<TaskState> = new Set<TerminalState>([
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'released',
]);

/** True when the task's record can never change again. */
export function isTerminal(state: TaskState): state is TerminalState {
  return TERMINAL.has(state);
}

/** True when an instance holds (or may hold) the task: neither waiting nor ended. */
export function isActive(state: TaskState): boolean {
  return state !== 'queued' && !isTerminal(state);
}

/** Every legal move (RELIABILITY_MODEL, section 3). The database holds the same list. */
export const TRANSITIONS: readonly (readonly [from: TaskState | null, to: TaskState])[] = [
  [null, 'queued'],
  [null, 'dispatching'],
  [null, 'dispatched'],
  ['queued', 'dispatching'],
  ['queued', 'cancelled'],
  ['queued', 'failed'],
  ['queued', 'succeeded'],
  ['dispatching', 'dispatched'],
  ['dispatching', 'running'],
  ['dispatching', 'queued'],
  ['dispatching', 'stopping'],
  ['dispatching', 'succeeded'],
  ['dispatching', 'failed'],
  ['dispatched', 'running'],
  ['dispatched', 'queued'],
  ['dispatched', 'stopping'],
  ['dispatched', 'succeeded'],
  ['dispatched', 'failed'],
  ['dispatched', 'released'],
  ['running', 'paused'],
  ['running', 'queued'],
  ['running', 'stopping'],
  ['running', 'succeeded'],
  ['running', 'failed'],
  ['paused', 'running'],
  ['paused', 'queued'],
  ['paused', 'stopping'],
  ['paused', 'succeeded'],
  ['paused', 'failed'],
  ['stopping', 'cancelled'],
  ['stopping', 'timed_out'],
  ['stopping', 'succeeded'],
  ['stopping', 'failed'],
];

const LEGAL: ReadonlySet<string> = new Set(TRANSITIONS.map(([from, to]) => `${from ?? ''}>${to}`));

/** True when a task may move from one state to the other; `null` is "not yet submitted". */
export function isLegalMove(from: TaskState | null, to: TaskState): boolean {
  return LEGAL.has(`${from ?? ''}>${to}`);
}

/** Why a task is `failed`. */
export type FailureKind = 'exit' | 'worker_error' | 'lost' | 'attempts_exhausted' | 'start_error';

/**
 * One try to run a task. `live`: it may finish the task. `lost`: its worker is believed gone, yet
 * a late success counts. `abandoned`: the task is finished without it, but it still occupies its
 * worker. `ended`: over.
 */
export type AttemptState = 'live' | 'lost' | 'abandoned' | 'ended';

/** What a task was expected to see at an instance, in ms from the decision. */
export interface Expectation {
  /** Mean time until it starts. */
  readonly waitMs: number;
  /** Mean time until its run ends: the wait, and its predicted time at the speed of the instance. */
  readonly completionMs: number;
}

/** Why a task went where it went, and what it was expected to see there: as the strategy chose. */
export interface Decision extends Expectation {
  readonly strategy: StrategyName;
  readonly decidedAt: Instant;
  /** How many instances could have been chosen, the chosen one included. */
  readonly candidates: number;
  /** What the strategy would have taken instead; null when there was nothing else, or it did not say. */
  readonly runnerUp: (Expectation & { readonly instanceId: InstanceId }) | null;
  /** How many other instances of the queue could not be chosen, by reason. */
  readonly unfitBecause: Readonly<Record<string, number>>;
}

/** One try to run a task on one instance. */
export interface Attempt {
  readonly taskId: TaskId;
  /** Counts from 1 within the task. */
  readonly no: number;
  readonly dispatchId: DispatchId;
  readonly instanceId: InstanceId;
  /** The instance's registration when this was reserved: a restarted worker may reuse its ids. */
  readonly registration: number;
  /** Of the instance when this was reserved: what runs for `t` ms there is `t × speed` of work. */
  readonly speed: number;
  /** Null where it was reserved before this was recorded. */
  readonly decision: Decision | null;
  readonly reservedAt: Instant;
  state: AttemptState;
  /** The id that the worker gave to it, once known. */
  remoteId: string | null;
  /** When the request to the worker went out. */
  sentAt: Instant | null;
  /** When it began to occupy a slot, as far as known. */
  runningSince: Instant | null;
  endedAt: Instant | null;
  /** The worker is through with it, and only its result is still to be fetched: takes no slot. */
  vacated: boolean;
  /** How long the worker says that it ran, in ms; null where it did not say, or nothing possible. */
  executionMs: number | null;
}

/** How long a task will run on an instance of speed 1, and who says so. */
export interface Prediction {
  readonly serviceTime: Distribution;
  /** `metadata`, `lookup`, `default`, …: the source that answered. */
  readonly method: string;
}

/** What a batch job needs beside resources. Jobs with equal needs may share one object. */
export interface JobNeeds {
  /** Labels that its host must have, by name. */
  readonly labels: Readonly<Record<string, string>>;
  /** The tool that it runs, which says from which licence pool it draws; `""`: none in particular. */
  readonly tool: string;
  /** Tokens that it draws from that pool while it is at a host, where there is such a pool. */
  readonly tokens: number;
  /** How often it is tried again after an end that was not a success, its host's loss included. */
  readonly retryLimit: number;
}

/** What is fixed when a task is submitted. */
export interface TaskDraft {
  readonly id: TaskId;
  readonly kind: TaskKind;
  /** The id that the client chose, unique within its kind. */
  readonly clientId: string | null;
  readonly queue: QueueKey;
  /** Higher goes first, above every other order. */
  readonly priority: number;
  readonly submittedAt: Instant;
  readonly prediction: Prediction;
  readonly demand: Resources;
  /** What it needs beside that; null for whatever is no batch job. */
  readonly job: JobNeeds | null;
  /** Time limit of one attempt in ms, from its sending; `Infinity`: none. */
  readonly attemptTimeoutMs: number;
  /** How many attempts may lose their worker before the task fails; a job has its own limit. */
  readonly maxAttempts: number;
  /** Bytes of input and metadata, which count against the limit of live payload. */
  readonly payloadBytes: number;
}

/** A draft of which nobody has said yet how long it will run. */
export type TaskRequest = Omit<TaskDraft, 'prediction'>;

/** A live task: its draft and where it stands. Only `Fleet` changes it. */
export interface Task extends TaskDraft {
  state: TaskState;
  /** Number of the newest attempt; 0 before the first. */
  attemptNo: number;
  /** How often a batch job was tried again. */
  retries: number;
  /** Attempts that are not over, oldest first; at most one of them is live. */
  attempts: readonly Attempt[];
  /** Not placed before this instant (backoff after a loss). */
  notBefore: Instant | null;
  /** Where it is planned, or bound, while it waits. */
  plannedOn: InstanceId | null;
  /** Why it is bound there; null unless it is bound. */
  decision: Decision | null;
  /** Preferably not there again: the instance that lost it last. */
  avoid: InstanceId | null;
  /** Why it is being stopped, or was. */
  stopReason: 'cancelled' | 'timed_out' | null;
  failure: { readonly kind: FailureKind; readonly message: string } | null;
  finishedAt: Instant | null;
  /** Sequence number of its newest event. */
  eventSeq: number;
}

/** Of a task that has none: the same for all of them, which may be very many. */
export const NO_ATTEMPTS: readonly Attempt[] = Object.freeze([]);

/**
 * A task as it enters: it waits, and nothing has happened to it yet.
 * @param queue its key, as the queue itself has it: all its tasks share that one string
 */
export function newTask(draft: TaskDraft, queue: QueueKey): Task {
  // Field by field: a spread this wide makes a slow object of several times the size.
  return {
    id: draft.id,
    kind: draft.kind,
    clientId: draft.clientId,
    queue,
    priority: draft.priority,
    submittedAt: draft.submittedAt,
    prediction: draft.prediction,
    demand: draft.demand,
    job: draft.job,
    attemptTimeoutMs: draft.attemptTimeoutMs,
    maxAttempts: draft.maxAttempts,
    payloadBytes: draft.payloadBytes,
    state: 'queued',
    attemptNo: 0,
    retries: 0,
    attempts: NO_ATTEMPTS,
    notBefore: null,
    plannedOn: null,
    decision: null,
    avoid: null,
    stopReason: null,
    failure: null,
    finishedAt: null,
    eventSeq: 0,
  };
}

/** True while the attempt takes a slot of its instance. */
export function occupies({ state, vacated }: Attempt): boolean {
  return !vacated && (state === 'live' || state === 'abandoned');
}

/** The live attempt of a task, if it has one. */
export function liveAttempt(task: Task): Attempt | undefined {
  return task.attempts.find((attempt) => attempt.state === 'live');
}

/** Steps change the state; notes only leave a trace (`from` and `to` are null). */
export type TaskEventType =
  | 'submitted'
  | 'reserved'
  | 'dispatched'
  | 'running'
  | 'requeued'
  | 'stopping'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'timed_out'
  | 'released'
  | 'paused'
  | 'resumed'
  | 'rerun'
  | 'vacated'
  | 'attempt_ended'
  | 'late_result'
  | 'foreign_result'
  | 'duplicate_result';

/** What happened to a task. The journal writes it, metrics count it, the log prints it. */
export interface TaskEvent {
  readonly taskId: TaskId;
  /** Counts from 1 within a live task; null for a note on a task that has left memory. */
  readonly seq: number | null;
  readonly type: TaskEventType;
  readonly from: TaskState | null;
  readonly to: TaskState | null;
  readonly attemptNo: number;
  readonly instanceId: InstanceId | null;
  /** Unix ms, for display. */
  readonly wallMs: number;
  readonly message: string;
  /** Who asked for it, in their own words; null when nobody did. */
  readonly operator: string | null;
}

/** One change of the fleet: the event, and the records as they stand right after it. */
export interface Change {
  readonly task: Task;
  /** Attempts that this change touched. */
  readonly attempts: readonly Attempt[];
  readonly event: TaskEvent;
}

/** How an attempt ended, as its worker (or our poll of it) says. */
export type Outcome = (
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: FailureKind; readonly message: string }
) & {
  /** Running time in ms by the worker's own word; null when unknown. */
  readonly executionMs: number | null;
};
