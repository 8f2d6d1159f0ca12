import type { Queue } from './queue';
import type { TaskDraft } from './task';

/** How much the fleet may hold at once. */
export interface FleetLimits {
  readonly liveTasks: number;
  /** Waiting tasks of one queue. */
  readonly queuedPerQueue: number;
  /** Bytes of input and metadata of all live tasks. */
  readonly livePayloadBytes: number;
}

/** A submission that is not taken, and why. */
export interface Refusal {
  readonly kind: 'rejected';
  readonly code: 'no_instance' | 'queue_full';
  readonly message: string;
}

/** Says no early: a task is never accepted that could not be kept, or that nobody could run. */
export function refusal(
  draft: TaskDraft,
  queue: Queue | undefined,
  load: { readonly liveTasks: number; readonly payloadBytes: number },
  limits: FleetLimits,
): Refusal | undefined {
  if (!queue || queue.instances.size === 0) {
    const message = `no instance is registered for ${draft.queue}`;
    return { kind: 'rejected', code: 'no_instance', message };
  }
  if (queue.waiting >= limits.queuedPerQueue) {
    return full(
      `${queue.waiting} tasks wait in ${draft.queue}; its limit is ${limits.queuedPerQueue}`,
    );
  }
  if (load.liveTasks >= limits.liveTasks) {
    return full(`${load.liveTasks} tasks are live; the limit is ${limits.liveTasks}`);
  }
  if (load.payloadBytes + draft.payloadBytes > limits.livePayloadBytes) {
    return full(
      `live tasks hold ${load.payloadBytes} bytes of input; with the ${draft.payloadBytes} of this ` +
        `one they would be above the limit of ${limits.livePayloadBytes}`,
    );
  }
  return undefined;
}

function full(message: string): Refusal {
  return { kind: 'rejected', code: 'queue_full', message };
}
