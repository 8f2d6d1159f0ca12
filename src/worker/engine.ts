import type { JsonObject } from '../http/dto-fields';

/** What an engine gets to see of a task. */
export interface EngineTask {
  /** The scheduler's id of the task where it is known, else this worker's own: stable over retries. */
  readonly id: string;
  /** The scheduler's id of this attempt; null when the caller told none. */
  readonly dispatchId: string | null;
  /** The model that the worker served when the task came. */
  readonly model: string;
  readonly input: JsonObject;
  readonly metadata: JsonObject;
}

/** How one execution ended. A failure is a value: the message goes to whoever submitted the task. */
export type EngineOutcome =
  | {
      readonly ok: true;
      readonly result: JsonObject;
      /** What is known of the execution, by its name in the metadata of the report. */
      readonly facts?: Readonly<Record<string, number>>;
    }
  | { readonly ok: false; readonly error: string };

/** How long an execution will take, in real milliseconds: mean and standard deviation. */
export interface ServiceEstimate {
  readonly expectedMs: number;
  readonly errorMs: number;
}

/**
 * What executes tasks. One engine serves all replicas of a worker; `run` is called once per
 * execution and at most as often at the same time as there are replicas.
 */
export interface Engine {
  readonly name: string;
  /** Work per ms, 1 being the machine that predictions are made for; the scheduler plans with it. */
  readonly speed: number;
  /**
   * Why it can execute nothing at present, in words; null when it can. During an outage the worker
   * shows no replicas, so that no work is sent; what it has already waits inside `run`.
   */
  readonly outage: string | null;
  /**
   * Executes the task to its end. What it throws counts as a failure of the task, unless `signal`
   * was aborted: then the execution is given up and has no outcome.
   */
  run(task: EngineTask, signal: AbortSignal): Promise<EngineOutcome>;
  /** What `run` would take; reads only, answers at once, never throws. */
  estimate(task: EngineTask): ServiceEstimate;
  /** Lets go of what outlives single executions, and ends what is still under way. */
  close(): Promise<void>;
}
