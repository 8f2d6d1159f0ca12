import { Heap } from 'heap-js';
import type { Task } from './task';
import type { Instant, TaskId } from './units';
import { isBefore, WaitingLine } from './waiting-line';

/** A placement that waits for a worker. */
export interface WaitingPlacement {
  readonly task: Task;
  readonly tags: readonly string[];
}

/** First come, first served among those of one priority. */
const ORDER_G = 0;

/**
 * Placements that nobody could take yet: higher priority first, then whoever came first. Those of equal
 * needs stand in one line, and when the first of them does not fit, none of them does. Others may
 * pass them.
 */
export class PlacementLine<W extends WaitingPlacement> {
  private readonly byNeeds = new Map<string, WaitingLine>();
  private readonly byTask = new Map<TaskId, W>();

  get size(): number {
    return this.byTask.size;
  }

  /** Everybody in line. */
  all(): readonly W[] {
    return [...this.byTask.values()];
  }

  add(waiting: W): void {
    const needs = needsOf(waiting);
    const line = this.byNeeds.get(needs) ?? new WaitingLine(ORDER_G);
    this.byNeeds.set(needs, line);
    line.add(waiting.task);
    this.byTask.set(waiting.task.id, waiting);
  }

  /** @returns false when it was not here */
  remove(waiting: W): boolean {
    if (!this.byTask.delete(waiting.task.id)) return false;
    const needs = needsOf(waiting);
    const line = this.byNeeds.get(needs);
    line?.remove(waiting.task);
    if (line?.size === 0) this.byNeeds.delete(needs);
    return true;
  }

  /**
   * Tries each in its turn, and lets those go that were served.
   * @param place serves one; false when it does not fit
   */
  serve(place: (waiting: W) => boolean, now: Instant): void {
    const heads = new Heap<W>((a, b) => (isBefore(a.task, b.task, ORDER_G) ? -1 : 1));
    const addHeadOf = (line: WaitingLine | undefined): void => {
      const head = line?.head(now);
      const waiting = head && this.byTask.get(head.id);
      if (waiting) heads.push(waiting);
    };
    for (const line of this.byNeeds.values()) addHeadOf(line);
    for (let next = heads.pop(); next; next = heads.pop()) {
      if (!place(next)) continue;
      const line = this.byNeeds.get(needsOf(next));
      this.remove(next);
      addHeadOf(line);
    }
  }
}

/** The same text for placements of which each fits where the other does. */
function needsOf({ task, tags }: WaitingPlacement): string {
  const { cpu, memoryGb, gpuMemoryGb } = task.demand;
  return JSON.stringify([cpu, memoryGb, gpuMemoryGb, ...new Set([...tags].sort())]);
}
