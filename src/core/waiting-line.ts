import { Heap } from 'heap-js';
import type { Task } from './task';
import { instant, type Instant, type TaskId } from './units';

interface Place {
  readonly task: Task;
  readonly key: number;
  /** Its backoff as it was on joining: the heap must not see it change. */
  readonly dueAt: Instant | null;
  readonly order: number;
  inLine: boolean;
}

/** Where a task stands among those of its priority: the smaller, the sooner it gets its turn. In ms. */
export function orderKey({ submittedAt, prediction }: Task, g: number): number {
  return submittedAt + g * prediction.serviceTime.mean;
}

/** True when the one gets its turn before the other: of two that stand alike, whoever came first. */
export function isBefore(one: Task, other: Task, g: number): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  const difference = orderKey(one, g) - orderKey(other, g);
  // Ids are ordered by time.
  return difference === 0 ? one.id < other.id : difference < 0;
}

/** Tasks that wait for their turn, in whatever way they are kept. */
export type Line = Pick<WaitingLine, keyof WaitingLine>;

/** Places that may be left behind before the heaps are built anew. */
const SLACK = 64;

/**
 * Tasks that wait, best first: higher priority, then the smaller `submittedAt + g × predicted
 * service time` (both in ms). g = 0 is first come, first served; the age is in the key, so nothing
 * starves. A task in backoff stands aside until its `notBefore`.
 */
export class WaitingLine {
  private readonly places = new Map<TaskId, Place>();
  private readonly ready = new Heap<Place>(byTurn);
  private readonly aside = new Heap<Place>(byNotBefore);
  private order = 0;

  constructor(private g: number) {}

  /** How many tasks wait, those in backoff included. */
  get size(): number {
    return this.places.size;
  }

  has(task: Task): boolean {
    return this.places.has(task.id);
  }

  add(task: Task): void {
    const dueAt = task.notBefore;
    const key = orderKey(task, this.g);
    const place = { task, key, dueAt, order: this.order++, inLine: true };
    this.places.set(task.id, place);
    (dueAt === null ? this.ready : this.aside).push(place);
  }

  /** @returns false when it was not here */
  remove(task: Task): boolean {
    const place = this.places.get(task.id);
    if (!place) return false;
    place.inLine = false;
    this.places.delete(task.id);
    if (this.ready.length + this.aside.length > 2 * this.places.size + SLACK) this.rebuild();
    return true;
  }

  /** The task whose turn it is, left in line; undefined while all are in backoff. */
  head(now: Instant): Task | undefined {
    for (let due = live(this.aside); due && isDue(due, now); due = live(this.aside)) {
      this.aside.pop();
      this.ready.push(due);
    }
    return live(this.ready)?.task;
  }

  /**
   * Who gets a turn before the task does, in the order of joining: those before it in line, but not
   * those whose backoff ends after its own. None for a task that is not here. Costs O(n).
   */
  before(task: Task, now: Instant): Task[] {
    const own = this.places.get(task.id);
    if (!own) return [];
    const ready = instant(Math.max(now, own.dueAt ?? now));
    const before: Task[] = [];
    for (const place of this.places.values()) {
      if (byTurn(place, own) < 0 && isDue(place, ready)) before.push(place.task);
    }
    return before;
  }

  /** When the first backoff ends; undefined when none is in backoff. */
  nextDue(): Instant | undefined {
    return live(this.aside)?.dueAt ?? undefined;
  }

  /** Orders everybody anew by another `g`. */
  reorder(g: number): void {
    this.g = g;
    const tasks = [...this.tasks()];
    this.places.clear();
    this.ready.init([]);
    this.aside.init([]);
    for (const task of tasks) this.add(task);
  }

  /** Everybody in line, in the order of joining. */
  *tasks(): IterableIterator<Task> {
    for (const place of this.places.values()) yield place.task;
  }

  private rebuild(): void {
    const places = [...this.places.values()];
    const waitsAside = new Set(this.aside.toArray());
    this.ready.init(places.filter((place) => !waitsAside.has(place)));
    this.aside.init(places.filter((place) => waitsAside.has(place)));
  }
}

function isDue({ dueAt }: Place, now: Instant): boolean {
  return dueAt === null || dueAt <= now;
}

function live(heap: Heap<Place>): Place | undefined {
  let place = heap.peek();
  while (place && !place.inLine) {
    heap.pop();
    place = heap.peek();
  }
  return place;
}

function byTurn(a: Place, b: Place): number {
  return b.task.priority - a.task.priority || a.key - b.key || a.order - b.order;
}

function byNotBefore(a: Place, b: Place): number {
  return (a.dueAt ?? 0) - (b.dueAt ?? 0) || a.order - b.order;
}
