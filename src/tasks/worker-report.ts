import type { Task } from '../core/task';
import type { DispatchId } from '../core/units';
import type { EndReport } from './early-reports';

/** A worker says that it is through with something. */
export interface Report extends EndReport {
  /** Our id, the client's, or the one that the worker gave it. */
  readonly taskRef: string;
  /** Our id of the instance, its name, or `host:port`. */
  readonly instanceRef: string;
  readonly dispatchId: DispatchId | null;
}

/** What became of a report. */
export type ReportAnswer =
  | { readonly kind: 'recorded'; readonly task: Task }
  /** Known before; nothing changed. `totalMs` is from submission to the end, null while it is live. */
  | { readonly kind: 'repeated'; readonly totalMs: number | null }
  /** Kept until the worker's id is known. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'unknown_task' }
  | { readonly kind: 'unknown_instance' };
