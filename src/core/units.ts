/** Marks a plain type so that values of different meaning cannot be mixed up. */
type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** A duration in milliseconds, fractions allowed. */
export type Millis = Brand<number, 'Millis'>;
/** An instant in milliseconds on a `Clock`: monotonic in the live process, simulated in a simulation. */
export type Instant = Brand<number, 'Instant'>;
/** Our own id of a task (UUID v7). */
export type TaskId = Brand<string, 'TaskId'>;
/** Our own id of an instance (UUID). */
export type InstanceId = Brand<string, 'InstanceId'>;
/** Id of one attempt, sent to the worker so that it can recognise a repeat. */
export type DispatchId = Brand<string, 'DispatchId'>;
/** Name of a placement strategy, as in `earliest` or `shortest_queue`. */
export type StrategyName = Brand<string, 'StrategyName'>;
/** `<kind>/<name>`: what waits for one model, pool or tag set. Kinds are separate capacity. */
export type QueueKey = Brand<string, 'QueueKey'>;

export const millis = (value: number): Millis => value as Millis;
export const instant = (value: number): Instant => value as Instant;
export const taskId = (value: string): TaskId => value as TaskId;
export const instanceId = (value: string): InstanceId => value as InstanceId;
export const dispatchId = (value: string): DispatchId => value as DispatchId;
export const strategyName = (value: string): StrategyName => value as StrategyName;

/** True for the key of a queue of jobs on hosts. */
export function isBatchKey(key: QueueKey): boolean {
  return key.startsWith('batch/');
}

/** True for the key of a queue of workers that only ask for placement. */
export function isPlacementKey(key: QueueKey): boolean {
  return key.startsWith('placement/');
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** True for a UUID as ours are written: lower case only, since ids are compared as text. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The instant `duration` after `from`. */
export const after = (from: Instant, duration: number): Instant => instant(from + duration);

/** A list that is known to have at least one item. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** Narrows a list to a non-empty one. */
export function isNonEmpty<T>(list: readonly T[]): list is NonEmpty<T> {
  return list.length > 0;
}

/** Characters that the name of a queue, as of the model that it serves, may have. */
export const LONGEST_QUEUE_NAME = 256;
