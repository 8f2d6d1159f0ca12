import type { AttemptIndex } from './attempt-index';
import { BackfillRound } from './backfill';
import type { Held } from './backlog';
import type { Chronicle } from './chronicle';
import type { LicencePools } from './licences';
import { decide, type Destination, type Placement } from './placement';
import type { Clock, Ids, Random } from './ports';
import type { Instance } from './instance';
import type { Queue } from './queue';
import { isRanked } from './strategy';
import type { Attempt, Change, Decision, Task } from './task';
import { dispatchId, type Instant, type StrategyName } from './units';

/** How jobs on hosts are placed. */
export interface BatchOptions {
  /** Strategy of a queue of jobs for which none was set. */
  readonly strategy: StrategyName;
  /** How long a job without a limit is taken to run when a reservation is made, in ms. */
  readonly assumedLimitMs: number;
}

/** One try to place something. */
export interface Step {
  readonly placed: boolean;
  readonly changes: readonly Change[];
}

const NOT_PLACED: Step = { placed: false, changes: [] };

/** Reserves capacity for tasks that wait, or binds them to an instance. */
export class Placer {
  /** @param occupy called with each attempt that takes its place at an instance */
  constructor(
    private readonly chronicle: Chronicle,
    private readonly attempts: AttemptIndex,
    private readonly licences: LicencePools,
    private readonly options: {
      readonly clock: Clock;
      readonly random: Random;
      readonly ids: Ids;
      readonly batch: BatchOptions;
    },
    private readonly occupy: (held: Held) => void,
  ) {}

  /**
   * Places what waits in the queue, one task with each call: bound ones first, then by the line. It
   * holds for one synchronous block, in which nobody else changes anything.
   */
  round(queue: Queue): () => Step {
    if (queue.jobs === null) return () => this.placeNext(queue);
    const { licences, now, options } = this;
    const { assumedLimitMs } = options.batch;
    const outset = { licences, now, assumedLimitMs };
    const round = new BackfillRound(queue, queue.jobs, outset, options.random);
    return () => {
      const start = round.next();
      queue.lookAgainAt = round.lookAgainAt;
      return start ? this.placed(queue, start, this.reserve(queue, start.task, start)) : NOT_PLACED;
    };
  }

  private placeNext(queue: Queue): Step {
    const bound = this.placeBound(queue);
    if (bound.placed) return bound;
    const task = queue.line.head(this.now);
    return task ? this.place(queue, task) : NOT_PLACED;
  }

  /** The first task that is bound to an instance with a free slot. */
  private placeBound(queue: Queue): Step {
    for (const instance of queue.due) {
      const task = instance.line.head(this.now);
      if (!task) continue;
      const reason = 'the instance it was bound to is free';
      const change = this.reserve(queue, task, { instance, reason, decision: task.decision });
      return { placed: true, changes: [change] };
    }
    return NOT_PLACED;
  }

  /** Places that task if it can be placed now. */
  place(queue: Queue, task: Task): Step {
    const placement = this.decide(queue, task);
    if (placement.kind === 'waiting') return NOT_PLACED;
    if (placement.kind === 'now') {
      return this.placed(queue, placement, this.reserve(queue, task, placement));
    }
    queue.bind(task, placement.instance, placement.decision, this.now);
    return this.placed(queue, placement);
  }

  /** A strategy that keeps a cursor moves on. */
  private placed(queue: Queue, { instance, reason }: Destination, ...changes: Change[]): Step {
    if (!isRanked(queue.strategy)) queue.strategy.placed?.({ instanceId: instance.id, reason });
    return { placed: true, changes };
  }

  /** An early choice weighs waits, and the task's own plan is no work ahead of it. */
  private decide(queue: Queue, task: Task): Placement {
    const { random } = this.options;
    if (queue.strategy.binding === 'late') return decide(queue, task, this.now, random);
    queue.plan.drop(task, this.now);
    const placement = decide(queue, task, this.now, random);
    if (placement.kind === 'waiting') queue.plan.put(task, this.now);
    return placement;
  }

  /** Gives a placement its place: nothing is sent, since its client brings it there. */
  settle(task: Task, instance: Instance): Change {
    const attempt = this.attemptAt(task, instance, null);
    attempt.sentAt = this.now;
    attempt.runningSince = this.now;
    task.attempts = [attempt];
    this.hold({ attempt, task });
    const { occupied, slots } = instance;
    return this.chronicle.begin(task, `least load: ${occupied} of ${slots} places taken`, attempt);
  }

  private reserve(queue: Queue, task: Task, destination: Destination): Change {
    const { instance, reason, decision } = destination;
    const attempt = this.attemptAt(task, instance, decision);
    queue.leave(task, instance, this.now);
    task.attempts = [...this.pruneEnded(task), attempt];
    task.notBefore = null;
    this.hold({ attempt, task });
    return this.chronicle.move(task, 'dispatching', 'reserved', reason, [attempt]);
  }

  private hold(held: Held): void {
    this.attempts.add(held);
    this.occupy(held);
  }

  private attemptAt(task: Task, instance: Instance, decision: Decision | null): Attempt {
    return {
      taskId: task.id,
      no: ++task.attemptNo,
      dispatchId: dispatchId(this.options.ids.next()),
      instanceId: instance.id,
      registration: instance.registration,
      speed: instance.speed,
      decision,
      reservedAt: this.now,
      state: 'live',
      remoteId: null,
      sentAt: null,
      runningSince: null,
      endedAt: null,
      vacated: false,
      executionMs: null,
    };
  }

  /** Attempts that are over need not be kept; the lost ones still count. */
  private pruneEnded(task: Task): readonly Attempt[] {
    for (const { state, dispatchId: id } of task.attempts) {
      if (state === 'ended') this.attempts.delete(id);
    }
    return task.attempts.filter(({ state }) => state !== 'ended');
  }

  private get now(): Instant {
    return this.options.clock.now();
  }
}
