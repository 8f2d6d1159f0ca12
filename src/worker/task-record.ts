import type { Clock } from '../core/ports';
import type { Instant } from '../core/units';
import { jsonText } from '../http/json-text';
import type { EngineOutcome, EngineTask, ServiceEstimate } from './engine';
import { reportFault } from './reportable';

/** What an enqueue was answered, and is answered again when the same attempt is repeated. */
export interface Receipt {
  /** This worker's own id of the task. */
  readonly remoteId: string;
  /** Tasks waiting for a replica when the answer was made. */
  readonly queueSize: number;
  /** Unix time, ms. */
  readonly enqueuedWallMs: number;
}

/** How the execution of a task went. */
export interface Execution {
  readonly ok: boolean;
  /** JSON text of the result object; null for a failure. */
  readonly resultJson: string | null;
  /** Why it failed; null for a success. */
  readonly error: string | null;
  /** What the engine knows of it, for the metadata of the report. */
  readonly facts: Readonly<Record<string, number>>;
  readonly replicaId: string;
  /** Unix times, ms. */
  readonly startedWallMs: number;
  readonly finishedWallMs: number;
  /** Durations on the monotonic clock, ms. */
  readonly waitMs: number;
  readonly executionMs: number;
}

/** Where a task is. A finished execution is shown only when it is settled (in the ledger). */
export type TaskPhase =
  | { readonly kind: 'queued'; readonly task: EngineTask }
  | {
      readonly kind: 'running';
      readonly replicaId: string;
      readonly startedAt: Instant;
      readonly startedWallMs: number;
    }
  | { readonly kind: 'settled'; readonly execution: Execution };

/** The ids and the size of a task that is about to be queued. */
export interface TaskIdentity {
  readonly receipt: Receipt;
  /** The scheduler's id of the task, when the caller told it. */
  readonly taskId: string | null;
  /** The scheduler's id of this attempt, when the caller told it. */
  readonly dispatchId: string | null;
  /** Size of input and metadata as JSON text, in characters. */
  readonly size: number;
}

/** One attempt of a task at this worker: `queued`, then `running`, then `settled`. */
export class TaskRecord {
  private current: TaskPhase;

  constructor(
    readonly identity: TaskIdentity,
    task: EngineTask,
    readonly estimate: ServiceEstimate,
    private readonly enqueuedAt: Instant,
  ) {
    this.current = { kind: 'queued', task };
  }

  get remoteId(): string {
    return this.identity.receipt.remoteId;
  }

  get phase(): TaskPhase {
    return this.current;
  }

  /** Gives the task to a replica, and forgets the input: from here on only the engine holds it. */
  start(replicaId: string, clock: Clock): EngineTask {
    if (this.current.kind !== 'queued') throw this.impossible('start');
    const { task } = this.current;
    this.current = {
      kind: 'running',
      replicaId,
      startedAt: clock.now(),
      startedWallMs: clock.wallMs(),
    };
    return task;
  }

  /** What became of the execution, measured now; the phase stays `running` until it is settled. */
  finish(outcome: EngineOutcome, clock: Clock): Execution {
    if (this.current.kind !== 'running') throw this.impossible('finish');
    const { replicaId, startedAt, startedWallMs } = this.current;
    return {
      ...endOf(outcome),
      replicaId,
      startedWallMs,
      finishedWallMs: clock.wallMs(),
      waitMs: startedAt - this.enqueuedAt,
      executionMs: clock.now() - startedAt,
    };
  }

  /** From here on the execution is shown to others. */
  settle(execution: Execution): void {
    if (this.current.kind !== 'running') throw this.impossible('settle');
    this.current = { kind: 'settled', execution };
  }

  /** Milliseconds since the start, 0 while queued. */
  elapsedMs(now: Instant): number {
    return this.current.kind === 'running' ? now - this.current.startedAt : 0;
  }

  /** Milliseconds between arrival and start; so far, while queued. */
  waitMs(now: Instant): number {
    switch (this.current.kind) {
      case 'queued':
        return now - this.enqueuedAt;
      case 'running':
        return this.current.startedAt - this.enqueuedAt;
      case 'settled':
        return this.current.execution.waitMs;
    }
  }

  private impossible(step: string): Error {
    return new Error(`task ${this.remoteId} is ${this.current.kind} and cannot ${step}`);
  }
}

type ExecutionEnd = Pick<Execution, 'ok' | 'resultJson' | 'error' | 'facts'>;

/**
 * An outcome as it is told. A result that is nothing but an error is what a failure looks like in a
 * report, so it is one here as well; a result that no report can carry is another.
 */
function endOf(outcome: EngineOutcome): ExecutionEnd {
  if (!outcome.ok) return failure(outcome.error);
  const { result, facts = {} } = outcome;
  const { error, ...others } = result;
  if (typeof error === 'string' && Object.keys(others).length === 0) return failure(error);
  const resultJson = jsonText(result);
  const fault = reportFault(resultJson);
  if (fault !== undefined) return failure(`the result cannot be reported: ${fault}`);
  return { ok: true, resultJson, error: null, facts };
}

function failure(message: string): ExecutionEnd {
  return { ok: false, resultJson: null, error: sendable(message), facts: {} };
}

/** Longest message of a failure, in characters. */
const LONGEST_MESSAGE = 10_000;

/** Without NUL and halves of surrogate pairs: a report that holds them would be refused whole. */
function sendable(message: string): string {
  const cut = message.slice(0, LONGEST_MESSAGE);
  return cut.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
}
