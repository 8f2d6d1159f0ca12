import type { HostTraits, InstanceKind, WorkerProtocol } from '../core/instance';
import type { DispatchId, TaskId } from '../core/units';

/** Where an attempt is sent, and in which words. */
export interface Target {
  readonly kind: InstanceKind;
  readonly host: string;
  readonly port: number;
  readonly protocol: WorkerProtocol;
  /** The way there, of a batch host. */
  readonly traits: HostTraits;
}

/** What is sent: one attempt of one task. */
export interface StartRequest {
  readonly taskId: TaskId;
  readonly dispatchId: DispatchId;
  /** The model. */
  readonly queueName: string;
  /** JSON text, passed on exactly as it is; of a job, what to run. */
  readonly taskInput: string;
  /** JSON text of an object; the two ids above are added to it, the rest stays as it is. */
  readonly metadata: string;
}

/** Why a worker did not take an attempt that it could have taken. */
export type Refusal = 'busy' | 'unwanted' | 'unreachable';

/** What a start led to. */
export type StartResult =
  /** The worker has it, under this id. */
  | { readonly kind: 'accepted'; readonly remoteId: string }
  /**
   * The worker certainly does not have it, and there is nothing wrong with the task. `busy`: it is
   * there and has no room now; `unwanted`: it does not want us, or not this; `unreachable`: it is
   * not there. Not to be tried there before `retryAfterMs`, when it said so.
   */
  | {
      readonly kind: 'refused';
      readonly because: Refusal;
      readonly reason: string;
      readonly retryAfterMs: number | null;
    }
  /** The worker says that the task itself is wrong: no other attempt helps. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** It may have arrived: the connection, the time or the sense of the answer was lost. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Starts attempts somewhere else. */
export interface Executor {
  /** Never called twice for one attempt. Failures of the other side are results, not errors. */
  start(target: Target, request: StartRequest): Promise<StartResult>;
}

/** Injection token of the executor. */
export const EXECUTOR = Symbol('Executor');
