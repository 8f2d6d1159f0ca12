import { queueInWords, type Queue } from './queue';
import type { Change, Task, TaskRequest } from './task';

/** How much the fleet may hold at once. */
export interface FleetLimits {
  readonly liveTasks: number;
  /** Bytes of input and metadata of all live tasks. */
  readonly livePayloadBytes: number;
}

/** A submission that is not taken, and why. */
export interface Refusal {
  readonly kind: 'rejected';
  readonly code: 'no_instance' | 'queue_full';
  readonly message: string;
}

/** A submission that adds no task. Rejections are values, since they are expected. */
export type Declined =
  /** A task with that client id is live already. */
  { readonly kind: 'known'; readonly task: Task } | Refusal;

/** What became of a submission. */
export type Submission =
  | { readonly kind: 'accepted'; readonly task: Task; readonly changes: readonly Change[] }
  | Declined;

/** Says no early: a task is never accepted that could not be kept, or that nobody could run. */
export function refusal(
  request: TaskRequest,
  queue: Queue | undefined,
  load: { readonly liveTasks: number; readonly payloadBytes: number },
  limits: FleetLimits,
): Refusal | undefined {
  const isServed = queue !== undefined && queue.instances.size > 0;
  // A job may wait for the first host, and a client for the first worker.
  if (!isServed && request.kind === 'model') {
    const message = `no instance is registered for ${queueInWords(request.queue)}`;
    return { kind: 'rejected', code: 'no_instance', message };
  }
  if (queue && queue.waiting >= queue.settings.limit) {
    const { waiting, settings } = queue;
    const whom = queueInWords(request.queue);
    return full(`${waiting} tasks wait for ${whom}; the limit of its queue is ${settings.limit}`);
  }
  // Placements have a limit of their own.
  if (load.liveTasks >= limits.liveTasks && request.kind !== 'placement') {
    return full(`${load.liveTasks} tasks are live; the limit is ${limits.liveTasks}`);
  }
  if (load.payloadBytes + request.payloadBytes > limits.livePayloadBytes) {
    return full(
      `live tasks hold ${load.payloadBytes} bytes of input; with the ${request.payloadBytes} of this ` +
        `one they would be above the limit of ${limits.livePayloadBytes}`,
    );
  }
  return undefined;
}

function full(message: string): Refusal {
  return { kind: 'rejected', code: 'queue_full', message };
}
