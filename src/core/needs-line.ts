import type { Task } from './task';
import type { Instant, TaskId } from './units';
import { isBefore, WaitingLine, type Line } from './waiting-line';

/**
 * Jobs that wait, kept by what they need: those of equal needs stand in one line, since what holds of
 * the first of them holds of all. So a look at all jobs is a look at the first of each line.
 */
export class NeedsLine implements Line {
  private readonly byNeeds = new Map<string, WaitingLine>();
  private readonly standsIn = new Map<TaskId, WaitingLine>();

  constructor(private g: number) {}

  get size(): number {
    return this.standsIn.size;
  }

  /** The lines of equal needs, each with somebody in it. */
  get lines(): Iterable<WaitingLine> {
    return this.byNeeds.values();
  }

  has(task: Task): boolean {
    return this.standsIn.has(task.id);
  }

  add(task: Task): void {
    const needs = needsOf(task);
    const line = this.byNeeds.get(needs) ?? new WaitingLine(this.g);
    this.byNeeds.set(needs, line);
    this.standsIn.set(task.id, line);
    line.add(task);
  }

  remove(task: Task): boolean {
    const line = this.standsIn.get(task.id);
    if (!line?.remove(task)) return false;
    this.standsIn.delete(task.id);
    if (line.size === 0) this.byNeeds.delete(needsOf(task));
    return true;
  }

  head(now: Instant): Task | undefined {
    let first: Task | undefined;
    for (const line of this.lines) {
      const head = line.head(now);
      if (head && (!first || isBefore(head, first, this.g))) first = head;
    }
    return first;
  }

  before(task: Task, now: Instant): Task[] {
    if (!this.has(task)) return [];
    const ready = Math.max(now, task.notBefore ?? now);
    return [...this.tasks()].filter(
      (other) =>
        other !== task && (other.notBefore ?? now) <= ready && isBefore(other, task, this.g),
    );
  }

  nextDue(): Instant | undefined {
    let next: Instant | undefined;
    for (const line of this.lines) {
      const due = line.nextDue();
      if (due !== undefined && (next === undefined || due < next)) next = due;
    }
    return next;
  }

  reorder(g: number): void {
    this.g = g;
    for (const line of this.lines) line.reorder(g);
  }

  /** Everybody in line, one line of equal needs after the other. */
  *tasks(): IterableIterator<Task> {
    for (const line of this.lines) yield* line.tasks();
  }
}

/** The same text for jobs of which each could start where, and as long as, the other could. */
function needsOf({ demand, job, attemptTimeoutMs }: Task): string {
  const { slots, cpu, memoryGb, gpuMemoryGb } = demand;
  const labels = Object.entries(job?.labels ?? {}).sort();
  const needs = [slots, cpu, memoryGb, gpuMemoryGb, attemptTimeoutMs, job?.tool, job?.tokens];
  return JSON.stringify([needs, labels]);
}
