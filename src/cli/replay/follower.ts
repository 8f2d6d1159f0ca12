import { setTimeout as sleep } from 'node:timers/promises';
import { Heap } from 'heap-js';
import type { ReplayTask } from './workload';

/** How one task ended, in seconds where times are known. */
export interface Ending {
  /** Its terminal state; `unknown` when the service does not know the task (any more). */
  readonly state: string;
  /** The instance that had it last; null when none had it. */
  readonly instanceId: string | null;
  /** From the submission to the beginning of the run. */
  readonly waitSeconds: number | null;
  readonly serviceSeconds: number | null;
  readonly predictedOverActual: number | null;
}

/** What following needs. */
export interface FollowerOptions {
  /** Asks the service for the end of a task; null while there is none. */
  readonly look: (task: ReplayTask) => Promise<Ending | null>;
  /** Told of each end once. */
  readonly ended: (task: ReplayTask, ending: Ending) => Promise<void>;
  /** Ends the following, whoever aborts it; the first failure here does. */
  readonly abort: AbortController;
}

/** Pause between two rounds of questions, ms. */
const ROUND_MS = 200;
/** How soon the same task is asked for again, ms. */
const AGAIN_MS = 500;
/** Questions per round: few while they find nothing, more while most of them find an end. */
const LEAST_SHARE = 10;
const LARGEST_SHARE = 320;

interface Followed {
  readonly task: ReplayTask;
  dueAt: number;
  readonly order: number;
}

/**
 * Waits for the end of many tasks by asking for them, the longest unasked first. The load on the
 * service stays low: 50 questions a second while nothing ends, and as many as tasks end otherwise.
 */
export class Follower {
  private readonly waiting = new Heap<Followed>((a, b) => a.dueAt - b.dueAt || a.order - b.order);
  private share = LEAST_SHARE;
  private taken = 0;
  private isComplete = false;

  constructor(private readonly options: FollowerOptions) {}

  /** Takes a task in; it is asked for a little later. */
  follow(task: ReplayTask): void {
    this.waiting.push({ task, dueAt: performance.now() + AGAIN_MS, order: this.taken });
    this.taken += 1;
  }

  /** No further tasks will come: `run` ends with the last of those there are. */
  complete(): void {
    this.isComplete = true;
  }

  /**
   * Follows until every task has ended. When it returns, nothing is under way any more.
   * @throws the reason of the abort: what `look` or `ended` threw, or what others aborted for
   */
  async run(): Promise<void> {
    const { signal } = this.options.abort;
    while (!this.isComplete || this.waiting.length > 0) {
      const round = this.dueNow();
      const ends = await Promise.all(round.map((followed) => this.ask(followed)));
      this.adapt(round.length, ends.filter(Boolean).length);
      signal.throwIfAborted();
      await sleep(ROUND_MS, undefined, { signal });
    }
  }

  private dueNow(): readonly Followed[] {
    const round: Followed[] = [];
    const now = performance.now();
    while (round.length < this.share && (this.waiting.peek()?.dueAt ?? Infinity) <= now) {
      const followed = this.waiting.pop();
      if (followed !== undefined) round.push(followed);
    }
    return round;
  }

  private async ask(followed: Followed): Promise<boolean> {
    const { look, ended, abort } = this.options;
    try {
      const ending = await look(followed.task);
      if (ending !== null) {
        await ended(followed.task, ending);
        return true;
      }
      followed.dueAt = performance.now() + AGAIN_MS;
      this.waiting.push(followed);
    } catch (error) {
      abort.abort(error);
    }
    return false;
  }

  private adapt(asked: number, ended: number): void {
    if (asked < this.share) return;
    const wanted = ended * 2 >= asked ? this.share * 2 : this.share / 2;
    this.share = Math.round(Math.min(LARGEST_SHARE, Math.max(LEAST_SHARE, wanted)));
  }
}
