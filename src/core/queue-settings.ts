import { isBatchKey, type QueueKey, type StrategyName } from './units';

/** What an operator may set for one queue, or for all that have no setting of their own. */
export interface QueueSettings {
  readonly strategy: StrategyName;
  /** Weight of the predicted service time in the order of the waiting line; 0 is first come first served. */
  readonly orderG: number;
  /** Tasks that may be at an instance above its slots. */
  readonly prefetch: number;
  /** Tasks that may wait; above it submissions are refused. */
  readonly limit: number;
  /** Longest run of one attempt in ms, of tasks that bring no limit of their own. */
  readonly attemptTimeoutMs: number;
  /** True: tasks are taken and kept, and none is placed. What runs goes on. */
  readonly paused: boolean;
}

/** What is set anew. Null: no longer set here, so that what holds for every queue holds again. */
export type SettingsChange = {
  readonly [Setting in keyof QueueSettings]?: QueueSettings[Setting] | null;
};

/**
 * Who has set what: for one queue, for every queue, and what holds where nobody has. Each setting
 * stands for itself: a queue with a strategy of its own still follows a change of the order of all.
 */
export class SettingsBook {
  private readonly changes = new Map<QueueKey | null, SettingsChange>();

  /** @param batchStrategy of queues of jobs that have none of their own, whatever every queue has */
  constructor(
    private readonly defaults: QueueSettings,
    private readonly batchStrategy: StrategyName,
  ) {}

  /** What holds for that queue; for `null`, for every queue without settings of its own. */
  of(key: QueueKey | null): QueueSettings {
    const ofAll = changed(this.defaults, this.changes.get(null));
    if (key === null) return ofAll;
    const ofKind = isBatchKey(key) ? { ...ofAll, strategy: this.batchStrategy } : ofAll;
    return changed(ofKind, this.changes.get(key));
  }

  /** True while something is set for that queue itself. */
  has(key: QueueKey): boolean {
    return Object.values(this.changes.get(key) ?? {}).some((value) => value !== null);
  }

  /** Takes note of what was set; what is not named stays as it is. */
  change(key: QueueKey | null, change: SettingsChange): void {
    this.changes.set(key, { ...this.changes.get(key), ...change });
  }
}

function changed(base: QueueSettings, change: SettingsChange = {}): QueueSettings {
  return {
    strategy: change.strategy ?? base.strategy,
    orderG: change.orderG ?? base.orderG,
    prefetch: change.prefetch ?? base.prefetch,
    limit: change.limit ?? base.limit,
    attemptTimeoutMs: change.attemptTimeoutMs ?? base.attemptTimeoutMs,
    paused: change.paused ?? base.paused,
  };
}
