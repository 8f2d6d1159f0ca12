import type { AddressRule } from '../outgoing/outgoing-address';

/** Limits of the calls to one task instance. Times are for a whole call, repeat included. */
export interface TaskInstanceOptions {
  /** Patience for a connection, in ms. */
  readonly connectMs: number;
  /** `/queue/enqueue` and `/queue/submit`, in ms. */
  readonly enqueueMs: number;
  /** `/status`, `/info` and `/queue/status`, in ms. */
  readonly statusMs: number;
  /** `/queue/predict`, in ms. */
  readonly predictMs: number;
  /** `/results` and what is under it, in ms. */
  readonly resultMs: number;
  /** `/models/start` and `/models/stop`, which may load a model, in ms. */
  readonly modelsMs: number;
  /** Connections that are kept to one instance at most. */
  readonly connections: number;
  /** Largest result of a task, in bytes of JSON text. */
  readonly resultLimitBytes: number;
  /** What is refused beyond the addresses that no worker can have. Default: nothing. */
  readonly addressRule?: AddressRule;
}

/** What holds where nothing else is said. */
export const TASK_INSTANCE_DEFAULTS: TaskInstanceOptions = {
  connectMs: 2_000,
  enqueueMs: 10_000,
  statusMs: 3_000,
  predictMs: 2_000,
  resultMs: 5_000,
  modelsMs: 60_000,
  connections: 8,
  resultLimitBytes: 1_048_576,
};

/** Injection token of the options: `Partial<TaskInstanceOptions>`. */
export const TASK_INSTANCE_OPTIONS = Symbol('TaskInstanceOptions');
