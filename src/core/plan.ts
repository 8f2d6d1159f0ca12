import type { Instance } from './instance';
import { RankIndex } from './rank-index';
import type { Task } from './task';
import type { InstanceId, Instant } from './units';

/** Instances that can be planned on come first, the silent and empty ones only when nothing else is. */
const FIT = 0;
const UNFIT = 1;

/**
 * Where the waiting tasks of one queue would start. Each is virtually bound to the instance whose
 * work, waiting tasks included, is done first; the plan moves until the task is sent. Planning a
 * task costs O(log n): the instances are kept in the order of the time when they run dry.
 */
export class Plan {
  private readonly byDrain = new RankIndex<Instance>();

  /** @param changed called when another number of tasks is planned on an instance than before */
  constructor(
    private readonly instances: ReadonlyMap<InstanceId, Instance>,
    private readonly changed: (instance: Instance) => void,
  ) {}

  /** Takes note of what changed at the instance. */
  refresh(instance: Instance, now: Instant): void {
    if (instance.removed) return;
    const tier = instance.isFit ? FIT : UNFIT;
    this.byDrain.set(instance, instance.backlog.drainsAt(instance.pace, now), tier);
  }

  /** The instance has left the queue. */
  forget(instance: Instance): void {
    this.byDrain.delete(instance);
  }

  /** Plans the task on the instance that is through with its work first, if there is any. */
  put(task: Task, now: Instant): void {
    const instance = this.byDrain.least;
    if (instance) this.putOn(task, instance, now);
  }

  /** Plans the task on that instance, wherever it was planned before. */
  putOn(task: Task, instance: Instance, now: Instant): void {
    this.drop(task, now);
    task.plannedOn = instance.id;
    instance.backlog.plan(task);
    this.refresh(instance, now);
    this.changed(instance);
  }

  /** Takes the task out of the plan. */
  drop(task: Task, now: Instant): void {
    if (task.plannedOn === null) return;
    const instance = this.instances.get(task.plannedOn);
    task.plannedOn = null;
    if (!instance) return;
    instance.backlog.unplan(task);
    this.refresh(instance, now);
    this.changed(instance);
  }

  /**
   * Takes the task out because `taker` gets it. If it was planned elsewhere, a task that was
   * planned on the taker moves there instead, so that the plan stays as even as it was.
   */
  exchange(task: Task, taker: Instance, now: Instant): void {
    const planned = task.plannedOn === null ? undefined : this.instances.get(task.plannedOn);
    this.drop(task, now);
    if (!planned || planned === taker) return;
    const [moved] = taker.backlog.plannedTasks();
    if (moved && !taker.line.has(moved)) this.putOn(moved, planned, now);
  }
}
