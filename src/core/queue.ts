import type { Held } from './backlog';
import { Census } from './census';
import type { Instance, Readiness } from './instance';
import { NeedsLine } from './needs-line';
import { Plan } from './plan';
import { PredictionErrors } from './prediction-errors';
import type { QueueSettings } from './queue-settings';
import { RankIndex } from './rank-index';
import type { Resources } from './resources';
import { SpeedScale } from './speed';
import { TagIndex } from './tag-index';
import { isRanked, type PlacementStrategy } from './strategy';
import type { Decision, Outcome, Task, TaskKind } from './task';
import { isBatchKey, isPlacementKey, type InstanceId, type Instant, type QueueKey } from './units';
import { WaitingLine, type Line } from './waiting-line';

/** `<kind>/<name>`. */
export function queueKey(kind: TaskKind, name: string): QueueKey {
  return `${kind}/${name}` as QueueKey;
}

/** The one queue of all batch jobs, and of the hosts that run them. */
export const BATCH_QUEUE = queueKey('batch', 'default');

/** The one queue of all placements, and of the workers at which they are. */
export const PLACEMENT_QUEUE = queueKey('placement', 'default');

/** The name in a queue's key, as in the model that it serves. */
export function queueName(key: QueueKey): string {
  return key.slice(key.indexOf('/') + 1);
}

/** A queue's key in words for people: `model "llama-3-8b"`. */
export function queueInWords(key: QueueKey): string {
  return `${key.slice(0, key.indexOf('/'))} ${JSON.stringify(queueName(key))}`;
}

/** A task that came: when, and how long it was predicted to run at speed 1. */
export interface Arrival {
  readonly at: Instant;
  readonly lengthMs: number;
}

/** Enough to know what tasks are like, and few enough to know what they are like now. */
const ARRIVALS_KEPT = 31;
/** Late binding takes who has a free slot, and behind those who has room for a task sent ahead. */
const LATE_TIERS: Partial<Record<Readiness, number>> = { free: 0, ahead: 1 };
/** Early binding makes no difference between them. */
const EARLY_TIERS: Partial<Record<Readiness, number>> = { free: 0, ahead: 0, busy: 0 };

/**
 * What waits for one model or pool, and the instances that serve it. Tasks without an instance
 * stand in `line`; tasks that an early-binding strategy has bound stand in their instance's line.
 */
export class Queue {
  readonly instances = new Map<InstanceId, Instance>();
  readonly line: Line;
  /** The same line by what jobs need, in a queue of jobs; null in any other. */
  readonly jobs: NeedsLine | null;
  /** Workers with a free place by their tags and load, in the queue of placements; else null. */
  readonly workers: TagIndex<Instance> | null;
  readonly plan = new Plan(this.instances, (instance) => this.rank(instance));
  /** How its instances stand towards its next task, as of the last refresh of each. */
  readonly census = new Census();
  /** Instances that could be given one of the tasks that are bound to them now. */
  readonly due = new Set<Instance>();
  /** Instances that a ranked strategy may choose, in its order. */
  private ranked = new RankIndex<Instance>();
  /** How fast its instances are, one beside the other. */
  private readonly speeds = new SpeedScale();
  /** How wrong the predictions of its tasks lately were. */
  readonly errors = new PredictionErrors();
  /** When jobs are to be looked at again though nothing happens. */
  lookAgainAt: Instant | undefined;
  /** The last tasks that came, in no order. */
  readonly latest: Arrival[] = [];
  private waitingTasks = 0;
  private joins = 0;

  constructor(
    readonly key: QueueKey,
    public settings: QueueSettings,
    public strategy: PlacementStrategy,
    private readonly demand: Resources,
  ) {
    this.jobs = isBatchKey(key) ? new NeedsLine(settings.orderG) : null;
    this.line = this.jobs ?? new WaitingLine(settings.orderG);
    this.workers = isPlacementKey(key) ? new TagIndex() : null;
  }

  /** True for a queue of one model: its tasks are alike, so it can be said where one would start. */
  private get isOfModel(): boolean {
    return this.jobs === null && this.workers === null;
  }

  /** Tasks that wait, bound to an instance or not. */
  get waiting(): number {
    return this.waitingTasks;
  }

  /** Puts a task that has no instance yet in line, and plans it. */
  join(task: Task, now: Instant): void {
    this.waitingTasks++;
    const { submittedAt: at, prediction } = task;
    this.latest[this.joins++ % ARRIVALS_KEPT] = { at, lengthMs: prediction.serviceTime.mean };
    this.line.add(task);
    this.plan.put(task, now);
  }

  /**
   * Moves a task from the queue's line into the line of the instance that it is bound to. It was
   * its turn, so its backoff is over.
   */
  bind(task: Task, instance: Instance, decision: Decision, now: Instant): void {
    this.line.remove(task);
    task.notBefore = null;
    task.decision = decision;
    instance.line.add(task);
    this.markDue(instance);
    this.plan.putOn(task, instance, now);
  }

  /** The instance that the task is bound to, while it stands in its line. */
  boundTo(task: Task): Instance | undefined {
    const planned = task.plannedOn === null ? undefined : this.instances.get(task.plannedOn);
    return planned?.line.has(task) ? planned : undefined;
  }

  /** Takes a bound task back into the queue's line; its plan stays until it is bound again. */
  unbind(task: Task, instance: Instance): void {
    if (!instance.line.remove(task)) return;
    task.decision = null;
    this.markDue(instance);
    this.line.add(task);
  }

  /** Takes the task out of whichever line it stands in; `taker` is who gets it, if anybody. */
  leave(task: Task, taker: Instance | undefined, now: Instant): void {
    const bound = this.boundTo(task);
    const wasHere = bound ? bound.line.remove(task) : this.line.remove(task);
    if (wasHere) this.waitingTasks--;
    if (bound) this.markDue(bound);
    task.decision = null;
    if (taker) this.plan.exchange(task, taker, now);
    else this.plan.drop(task, now);
  }

  /**
   * Changes the settings; by a new strategy, what was bound early waits in the queue's line again.
   * Every instance has to be refreshed afterwards.
   */
  configure(settings: QueueSettings, strategy: PlacementStrategy | undefined): void {
    const reordered = settings.orderG !== this.settings.orderG;
    this.settings = settings;
    if (reordered) {
      this.line.reorder(settings.orderG);
      for (const instance of this.instances.values()) instance.line.reorder(settings.orderG);
    }
    if (!strategy) return;
    this.strategy = strategy;
    this.ranked = new RankIndex();
    for (const instance of this.instances.values()) this.unbindAll(instance);
  }

  /** Tasks that are bound to the instance wait in the queue's line again; its plan moves. */
  setFree(instance: Instance, now: Instant): void {
    this.unbindAll(instance);
    const planned = [...instance.backlog.plannedTasks()];
    for (const task of planned) this.plan.drop(task, now);
    for (const task of planned) this.plan.put(task, now);
  }

  /** What is planned on instances that can keep nothing gets another plan: there is one that can. */
  replanStranded(now: Instant): void {
    if (!this.isOfModel) return;
    for (const instance of this.instances.values()) {
      if (!instance.heldOn && instance.backlog.plannedCount > 0) this.setFree(instance, now);
    }
  }

  /** Plans the tasks that wait, when the first instance has joined. */
  planAll(now: Instant): void {
    if (this.instances.size > 1) return;
    for (const task of this.line.tasks()) this.plan.put(task, now);
  }

  /** Takes the instance into the queue; whatever is bound to it will wait in the queue's order. */
  attach(instance: Instance): void {
    instance.line.reorder(this.settings.orderG);
    this.instances.set(instance.id, instance);
    this.speeds.join(instance.learnedSpeed);
    this.setSpeed(instance);
  }

  /** Takes the instance out of the queue; what waited for it waits for the others. */
  detach(instance: Instance, now: Instant): void {
    this.unbindAll(instance);
    const planned = [...instance.backlog.plannedTasks()];
    for (const task of planned) this.plan.drop(task, now);
    if (this.instances.delete(instance.id)) this.speeds.leave(instance.learnedSpeed);
    this.plan.forget(instance);
    this.note(instance, null);
    for (const task of planned) this.plan.put(task, now);
  }

  /** Compares how long a task ran, by its worker's word, with what was predicted of it. */
  learn({ attempt, task }: Held, { kind, executionMs }: Outcome): void {
    if (kind !== 'succeeded' || executionMs === null) return;
    this.errors.learn(task.prediction.serviceTime, executionMs * attempt.speed);
  }

  private unbindAll(instance: Instance): void {
    for (const task of [...instance.line.tasks()]) this.unbind(task, instance);
  }

  /** The instance says of itself that it is so fast. One that was taken out is asked, too. */
  declareSpeed(instance: Instance, declared: number): void {
    if (!this.instances.has(instance.id)) return;
    this.speeds.declare(instance.learnedSpeed, declared);
    this.setSpeed(instance);
  }

  /**
   * The attempt has ended at the instance.
   * @returns false when that says nothing of how fast the instance is
   */
  learnSpeed(instance: Instance, { attempt, task }: Held, outcome: Outcome): boolean {
    const { kind, executionMs } = outcome;
    const isSame = attempt.registration === instance.registration;
    // How long a job runs is guessed from other jobs, which says nothing of a host.
    const isMember = this.instances.has(instance.id) && isSame && this.isOfModel;
    if (kind !== 'succeeded' || executionMs === null || !isMember) return false;
    const predictedMs = task.prediction.serviceTime.quantile(0.5);
    this.speeds.learn(instance.learnedSpeed, predictedMs, executionMs);
    this.setSpeed(instance);
    return true;
  }

  private setSpeed(instance: Instance): void {
    instance.speed = this.speeds.of(instance.learnedSpeed);
  }

  /** Takes note of what changed at the instance: its place in the plan, and how ready it is. */
  refresh(instance: Instance, now: Instant): void {
    if (instance.removed) return;
    // One job may need half a host, another a hundredth: where they would start, no plan says.
    if (this.isOfModel) this.plan.refresh(instance, now);
    this.note(instance, this.readinessOf(instance, now));
  }

  /**
   * The instances among which the next task's is chosen, in the order of joining: by early binding
   * all that fit, by late binding those with a free slot, else those with room ahead.
   */
  candidates(): readonly Instance[] {
    const isEarly = this.strategy.binding === 'early';
    const wanted = this.census.of('free') > 0 ? 'free' : 'ahead';
    const candidates: Instance[] = [];
    for (const instance of this.instances.values()) {
      if (isEarly ? instance.isReady : instance.readiness === wanted) candidates.push(instance);
    }
    return candidates;
  }

  /**
   * The best instance for a ranked strategy, and the one that it would take without that.
   * @param accept only such ones
   */
  best(accept?: (instance: Instance) => boolean): readonly Instance[] {
    return this.ranked.first(2, accept);
  }

  private note(instance: Instance, readiness: Readiness | null): void {
    this.census.move(instance.readiness, readiness);
    instance.readiness = readiness;
    this.markDue(instance);
    this.rank(instance);
  }

  private markDue(instance: Instance): void {
    if (instance.isOpen && instance.line.size > 0) this.due.add(instance);
    else this.due.delete(instance);
  }

  private readinessOf(instance: Instance, now: Instant): Readiness {
    const unfit = instance.infeasible(this.demand, now);
    if (unfit !== undefined) return unfit;
    if (this.settings.paused) return 'paused';
    if (instance.hasRoom(this.demand)) return 'free';
    const isAhead = this.isOfModel && instance.mayPrefetch(this.settings.prefetch);
    return isAhead ? 'ahead' : 'busy';
  }

  private rank(instance: Instance): void {
    const { strategy, workers } = this;
    if (workers) {
      const rank = instance.readiness === 'free' ? instance.load : Infinity;
      if (instance.readiness === null) workers.delete(instance);
      else workers.set(instance, instance.traits.tags, rank);
      return;
    }
    // Who is first in rank is no answer where most hosts have no room for the job.
    if (!isRanked(strategy) || this.jobs !== null) return;
    const tiers = strategy.binding === 'late' ? LATE_TIERS : EARLY_TIERS;
    const tier = instance.readiness === null ? undefined : tiers[instance.readiness];
    if (tier === undefined) this.ranked.delete(instance);
    else this.ranked.set(instance, strategy.rank(instance), tier);
  }
}
