import type { Declined } from './admission';
import type { Course } from './course';
import type { Figures } from './headcount';
import type { Instance } from './instance';
import type { Placer } from './placer';
import type { Clock } from './ports';
import type { Queue } from './queue';
import { isOneSlot } from './resources';
import { liveAttempt, type Attempt, type Change, type Task } from './task';
import { instant } from './units';

/** How placements are counted and kept (contracts/dtask.md). */
export interface PlacementOptions {
  /** Silence of a worker after which nothing is placed there, in ms. */
  readonly suspectMs: number;
  /** Time for a placement to arrive at its worker and be counted there, in ms. */
  readonly landingMs: number;
  /** Age at which a placement is let go that nobody has released, in ms. */
  readonly retentionMs: number;
  /** Placements that may be live at once. */
  readonly most: number;
}

/** What placements need from the fleet around them. */
export interface PlacementGrounds {
  /** The queue of placements, while there is one. */
  queue(): Queue | undefined;
  /** Why the fleet does not take it; undefined when it does. */
  declined(task: Task): Declined | undefined;
  /** The task is one of the fleet's from now on. */
  enter(task: Task): void;
  /** Something has changed at the worker. */
  refresh(worker: Instance): void;
}

/** What became of a placement. Rejections are values, since they are expected. */
export type Placing =
  | { readonly kind: 'placed'; readonly changes: readonly Change[] }
  /** Nobody fits now. It was not taken, and may be tried again. */
  | { readonly kind: 'unplaced' }
  | Declined;

/**
 * Places of workers whose clients bring the work there themselves: nothing is sent, nobody says how a
 * task ended, and the worker may have other clients.
 */
export class Placements {
  /** Those that take a place, oldest first. */
  private readonly live = new Set<Task>();
  /** Of these the ones that no worker names, and that hold nothing beside their place. */
  private readonly unnamed = new Set<Task>();

  constructor(
    private readonly grounds: PlacementGrounds,
    private readonly placer: Placer,
    private readonly course: Course,
    private readonly clock: Clock,
    private readonly options: PlacementOptions,
  ) {}

  /** How many take a place. */
  get count(): number {
    return this.live.size;
  }

  /** Gives the task a place at the worker of least load that has all of these tags. */
  place(task: Task, tags: readonly string[]): Placing {
    const declined = this.grounds.declined(task) ?? this.full();
    if (declined) return declined;
    const worker = this.choose(task, tags);
    if (!worker) return { kind: 'unplaced' };
    this.grounds.enter(task);
    return { kind: 'placed', changes: [this.placer.settle(task, worker)] };
  }

  /**
   * Lets the oldest placement go, when there are as many as may be, of those that no worker will ever
   * name: it has long been over, most likely.
   */
  makeRoom(): readonly Change[] {
    if (this.live.size < this.options.most) return [];
    const [oldest] = this.unnamed;
    const why = `let go early: ${this.live.size} placements are live, and that is the limit`;
    return oldest ? this.release(oldest, why) : [];
  }

  /**
   * A worker has said which tasks it has. Placements that it should have by now, and does not name,
   * are over; those above the limit are so when it is heard again.
   * @param limit most that end in this call; 0: nothing can be recorded now
   */
  heard(worker: Instance, figures: Figures, limit: number): readonly Change[] {
    const { headcount } = worker;
    if (!headcount) throw new Error(`${worker.name} is a ${worker.kind}, and has no headcount`);
    const landed = instant(this.clock.now() - this.options.landingMs);
    const changes: Change[] = [];
    const { taskIds } = figures;
    for (const { task, attempt } of taskIds ? [...worker.backlog.held] : []) {
      this.unnamed.delete(task);
      const isNamed = taskIds?.has(task.clientId ?? '') === true;
      const isYoung = headcount.isLanding(task.id) && attempt.reservedAt > landed;
      if (isNamed) headcount.confirm(task.id);
      else if (!isYoung && changes.length < limit)
        changes.push(...this.release(task, `${worker.name} does not have it any more`));
    }
    headcount.hear(figures, landed);
    this.grounds.refresh(worker);
    return changes;
  }

  /** Ends placements that are past their retention and that no worker names, so many at most. */
  expire(limit: number): readonly Change[] {
    const bornBefore = this.clock.now() - this.options.retentionMs;
    const changes: Change[] = [];
    for (const task of this.live) {
      const attempt = liveAttempt(task);
      if (changes.length >= limit || !attempt || attempt.reservedAt > bornBefore) break;
      if (this.isNamed(task, attempt)) continue;
      changes.push(...this.course.released({ task, attempt }, 'its retention is over'));
    }
    return changes;
  }

  /** Ends the placement, if it is not over. */
  release(task: Task, why: string): readonly Change[] {
    const attempt = liveAttempt(task);
    return attempt ? this.course.released({ task, attempt }, why) : [];
  }

  /** Ends what is placed at the worker, so many at most. */
  releaseAt(worker: Instance, why: string, limit: number): readonly Change[] {
    const held = [...worker.backlog.held].slice(0, limit);
    return held.flatMap(({ task }) => this.release(task, why));
  }

  /** It takes a place from now on. */
  took(task: Task, worker: Instance): void {
    this.live.add(task);
    if (isOneSlot(task.demand) && worker.headcount?.isExact !== true) this.unnamed.add(task);
  }

  /** It takes no place any more. */
  gaveUp(task: Task): void {
    this.live.delete(task);
    this.unnamed.delete(task);
  }

  /** True while the worker says that it has the task. */
  private isNamed({ id }: Task, { instanceId }: Attempt): boolean {
    const { headcount } = this.grounds.queue()?.instances.get(instanceId) ?? {};
    return headcount?.isExact === true && !headcount.isLanding(id);
  }

  private choose(task: Task, tags: readonly string[]): Instance | undefined {
    const now = this.clock.now();
    const { suspectMs } = this.options;
    const isPlain = isOneSlot(task.demand);
    const accept = (worker: Instance): boolean =>
      now - worker.lastContact < suspectMs && (isPlain || worker.hasRoom(task.demand));
    return this.grounds.queue()?.workers?.least(tags, accept);
  }

  private full(): Declined | undefined {
    const { most } = this.options;
    if (this.live.size < most) return undefined;
    const message = `${this.live.size} placements are live; the limit is ${most}`;
    return { kind: 'rejected', code: 'queue_full', message };
  }
}
