/**
 * What can go wrong, in the words of the domain. Each dialect maps every code to its own answer;
 * a new code that a dialect forgot does not compile.
 *
 * - `invalid_input`: the request itself is wrong; `details.faults` lists each fault.
 * - `malformed_body`: the body is not JSON at all.
 * - `body_too_large`: the body, or one task of it, is above its limit.
 * - `unsupported_content`: a content type or content encoding that is not read here.
 * - `unauthenticated`, `forbidden`: no valid key; or a key, host or origin that may not do this.
 * - `unknown_route`, `method_not_allowed`: the path is nobody's; or the method is wrong (`details.allow`).
 * - `unknown_task`, `unknown_instance`, `unknown_queue`, `unknown_strategy`, `unknown_licence_pool`:
 *   a name that leads nowhere.
 * - `unreachable_instance`: an instance that does not answer, or not properly.
 * - `wrong_model`: a registration that did not hold what it promised.
 * - `refused_by_instance`: the instance has understood what it was asked, and does not do it.
 * - `no_instance`: no instance that could ever take the task is registered.
 * - `unsatisfiable`: instances are registered, but none of them could ever hold the task.
 * - `no_capacity`: nothing is free now (only where a dialect does not wait).
 * - `queue_full`: a limit on waiting work is reached.
 * - `forbidden_transition`: the state of the task or instance does not allow the action.
 * - `duplicate_task`: the client's id belongs to a task already (answered with that task).
 * - `rejected_by_store`: the database refused this one row.
 * - `store_unavailable`: PostgreSQL is away, or its answer is unknown.
 * - `not_leading`: this process is a standby, or has just lost its term.
 * - `internal`: a defect of ours; it is logged with its stack, and no detail is shown.
 */
export type ErrorCode =
  | 'invalid_input'
  | 'malformed_body'
  | 'body_too_large'
  | 'unsupported_content'
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown_route'
  | 'method_not_allowed'
  | 'unknown_task'
  | 'unknown_instance'
  | 'unknown_queue'
  | 'unknown_strategy'
  | 'unknown_licence_pool'
  | 'unreachable_instance'
  | 'wrong_model'
  | 'refused_by_instance'
  | 'no_instance'
  | 'unsatisfiable'
  | 'no_capacity'
  | 'queue_full'
  | 'forbidden_transition'
  | 'duplicate_task'
  | 'rejected_by_store'
  | 'store_unavailable'
  | 'not_leading'
  | 'internal';

/** One thing that is wrong with an input. */
export interface Fault {
  /** Where: `['body', 'port']`, `['query', 'task_id']`, `['body', 'tasks', 3, 'task_input']`. */
  readonly loc: readonly (string | number)[];
  /** What is wrong, naming the value and what would be allowed. */
  readonly msg: string;
  /** Kind of the fault: `missing`, `type`, `range`, `length`, `enum`, `value`. */
  readonly type: string;
}

/** Machine-readable companions of a message. */
export interface ErrorDetails {
  readonly faults?: readonly Fault[];
  /** Methods that the path does take (`method_not_allowed`). */
  readonly allow?: readonly string[];
  /** Whole seconds after which a repeat makes sense. */
  readonly retryAfterSeconds?: number;
  /** Counts per reason why instances were not feasible. */
  readonly because?: Readonly<Record<string, number>>;
  /** Values that would have been accepted. */
  readonly allowed?: readonly string[];
}

/**
 * The one error class of the scheduler. The message names the thing, the value and what would be
 * allowed, and may be shown to the caller; code inside never names HTTP.
 */
export class SchedulerError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SchedulerError';
  }
}

/** True for a `SchedulerError`, of that code when one is given. */
export function isSchedulerError(error: unknown, code?: ErrorCode): error is SchedulerError {
  return error instanceof SchedulerError && (code === undefined || error.code === code);
}
