import type { FailureKind, TaskKind, TaskState } from '../core/task';
import type { InstanceId, TaskId } from '../core/units';

/** A task as a query answers it, live or finished. */
export interface TaskView {
  readonly id: TaskId;
  readonly kind: TaskKind;
  readonly clientId: string | null;
  readonly queueName: string;
  readonly state: TaskState;
  /** Where it is, was, or is planned. */
  readonly instanceId: InstanceId | null;
  readonly attemptNo: number;
  /** Unix ms. */
  readonly submittedWallMs: number;
  /** Unix ms; null while it is live. */
  readonly finishedWallMs: number | null;
  /** Running time in ms by the worker's word. */
  readonly executionMs: number | null;
  /** Raw JSON text; null while it is live, without one, or when it is no longer kept. */
  readonly result: string | null;
  readonly failure: { readonly kind: FailureKind; readonly message: string } | null;
  readonly prediction: { readonly method: string; readonly meanMs: number };
}
