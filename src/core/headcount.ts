import type { Instant, TaskId } from './units';

/** What a worker says of the tasks that it has. */
export interface Figures {
  readonly currentTasks: number;
  /** Their ids, as their clients chose them; null: it only counts them. */
  readonly taskIds: ReadonlySet<string> | null;
}

/**
 * How many tasks a worker has, by its own word and by ours (contracts/dtask.md). A bare count cannot
 * say which placements it includes: those that are younger than `landing` when it arrives are counted
 * beside it. One may be counted twice for so long, none is forgotten sooner.
 */
export class Headcount {
  private reported = 0;
  /** Placements that no figures include yet, in the order in which they were made. */
  private readonly landing = new Map<TaskId, Instant>();
  private namesTasks = false;
  /** The newest figures: when they were sent, by the worker's clock, and when they came. */
  private newest: { readonly sentAtMs: number; readonly at: Instant } | undefined;

  /** Tasks that take one of its places. */
  get occupied(): number {
    return this.reported + this.landing.size;
  }

  /** True when its last figures named its tasks. */
  get isExact(): boolean {
    return this.namesTasks;
  }

  /** True while no figures include the placement. */
  isLanding(task: TaskId): boolean {
    return this.landing.has(task);
  }

  /**
   * False for figures that newer ones have overtaken, by the worker's own clock. When nothing newer
   * has come for a while, that clock was set back.
   * @param patienceMs how long that takes
   */
  isNews(sentAtMs: number, now: Instant, patienceMs: number): boolean {
    const { newest } = this;
    const isOlder = newest !== undefined && sentAtMs < newest.sentAtMs;
    if (isOlder && now - newest.at < patienceMs) return false;
    this.newest = { sentAtMs, at: now };
    return true;
  }

  /** A task was placed there. */
  place(task: TaskId, now: Instant): void {
    this.landing.set(task, now);
  }

  /** The placement is over. One that the figures include stays counted until newer ones come. */
  letGo(task: TaskId): void {
    this.landing.delete(task);
  }

  /**
   * New figures have come.
   * @param bornBefore placements from before this instant have arrived, or never will
   */
  hear({ currentTasks, taskIds }: Figures, bornBefore: Instant): void {
    this.namesTasks = taskIds !== null;
    this.reported = Math.max(currentTasks, taskIds?.size ?? 0);
    for (const [task, at] of this.landing) {
      // In their order: whoever comes later is younger.
      if (at > bornBefore) break;
      this.landing.delete(task);
    }
  }

  /** The figures include that placement, however young it is. */
  confirm(task: TaskId): void {
    this.landing.delete(task);
  }
}
