import type { Held } from '../core/backlog';
import type { Task } from '../core/task';
import type { DispatchId } from '../core/units';
import { FETCH_RESULT, type EndReport } from './early-reports';

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

/** True when the report ends the attempt: an abandoned one needs no result. */
export function isEnd({ attempt }: Held, { result }: EndReport): boolean {
  return result !== FETCH_RESULT || attempt.state === 'abandoned';
}

/** True when the report names another attempt of the task than the one that it was taken for. */
export function isOfAnother({ attempt }: Held, { dispatchId }: Report): boolean {
  return dispatchId !== null && dispatchId !== attempt.dispatchId;
}
