import { Heap } from 'heap-js';
import type { Task } from './task';
import type { Instant } from './units';

/** A task that stands aside. */
interface Backoff {
  readonly task: Task;
  /** As it was on joining: the heap must not see it change. */
  readonly dueAt: Instant;
}

/** Where a task stands among those of its priority: the smaller, the sooner it gets its turn. In ms. */
export function orderKey({ submittedAt, prediction }: Task, g: number): number {
  return submittedAt + g * prediction.serviceTime.mean;
}

/** Negative when the one gets its turn before the other: of two that stand alike, the older one. */
function byTurn(one: Task, other: Task, g: number): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  const difference = orderKey(one, g) - orderKey(other, g);
  if (difference !== 0 || one.id === other.id) return difference;
  // Ids are ordered by time.
  return one.id < other.id ? -1 : 1;
}

/** True when the one gets its turn before the other. */
export function isBefore(one: Task, other: Task, g: number): boolean {
  return byTurn(one, other, g) < 0;
}

/** Tasks that wait for their turn, in whatever way they are kept. */
export type Line = Pick<WaitingLine, keyof WaitingLine>;

/** Tasks that have left may stay in the heaps up to this number before these are built anew. */
const SLACK = 64;

/**
 * Tasks that wait, best first: higher priority, then the smaller `submittedAt + g × predicted
 * service time` (both in ms). g = 0 is first come, first served; the age is in the key, so nothing
 * starves. A task in backoff stands aside until its `notBefore`.
 *
 * There may be very many, so nothing is made for a task that is ready: what orders it never changes,
 * and whoever leaves stays in the heap until it comes up.
 */
export class WaitingLine {
  /** In the order of joining. */
  private readonly members = new Set<Task>();
  private readonly aside = new Map<Task, Backoff>();
  private readonly ready = new Heap<Task>((one, other) => byTurn(one, other, this.g));
  private readonly due = new Heap<Backoff>(byDue);

  constructor(private g: number) {}

  /** How many tasks wait, those in backoff included. */
  get size(): number {
    return this.members.size;
  }

  has(task: Task): boolean {
    return this.members.has(task);
  }

  add(task: Task): void {
    this.members.add(task);
    if (task.notBefore === null) this.ready.push(task);
    else this.setAside({ task, dueAt: task.notBefore });
  }

  /** @returns false when it was not here */
  remove(task: Task): boolean {
    if (!this.members.delete(task)) return false;
    this.aside.delete(task);
    if (this.ready.length + this.due.length > 2 * this.members.size + SLACK) this.rebuild();
    return true;
  }

  /** The task whose turn it is, left in line; undefined while all are in backoff. */
  head(now: Instant): Task | undefined {
    for (let next = this.nextBackoff(); next && next.dueAt <= now; next = this.nextBackoff()) {
      this.due.pop();
      this.aside.delete(next.task);
      this.ready.push(next.task);
    }
    let first = this.ready.peek();
    while (first && !this.isReady(first)) {
      this.ready.pop();
      first = this.ready.peek();
    }
    return first;
  }

  /**
   * Who gets a turn before the task does, in the order of joining: those before it in line, but not
   * those whose backoff ends after its own. None for a task that is not here. Costs O(n).
   */
  before(task: Task, now: Instant): Task[] {
    if (!this.members.has(task)) return [];
    const ready = Math.max(now, this.aside.get(task)?.dueAt ?? now);
    const before: Task[] = [];
    for (const other of this.members) {
      const readyAt = this.aside.get(other)?.dueAt ?? now;
      if (isBefore(other, task, this.g) && readyAt <= ready) before.push(other);
    }
    return before;
  }

  /** When the first backoff ends; undefined when none is in backoff. */
  nextDue(): Instant | undefined {
    return this.nextBackoff()?.dueAt;
  }

  /** Orders everybody anew by another `g`. */
  reorder(g: number): void {
    this.g = g;
    this.rebuild();
  }

  /** Everybody in line, in the order of joining. */
  tasks(): IterableIterator<Task> {
    return this.members.values();
  }

  private setAside(backoff: Backoff): void {
    this.aside.set(backoff.task, backoff);
    this.due.push(backoff);
  }

  private isReady(task: Task): boolean {
    return this.members.has(task) && !this.aside.has(task);
  }

  /** Who comes back first, those left out who have left or stand aside anew. */
  private nextBackoff(): Backoff | undefined {
    let first = this.due.peek();
    while (first && this.aside.get(first.task) !== first) {
      this.due.pop();
      first = this.due.peek();
    }
    return first;
  }

  private rebuild(): void {
    this.ready.init([...this.members].filter((task) => this.isReady(task)));
    this.due.init([...this.aside.values()]);
  }
}

function byDue(one: Backoff, other: Backoff): number {
  return one.dueAt - other.dueAt;
}
