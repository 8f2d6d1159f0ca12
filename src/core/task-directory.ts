import { ClientIds } from './client-ids';
import type { Task, TaskKind } from './task';
import type { QueueKey, TaskId } from './units';

/** Live tasks by the names under which the outside speaks of them. */
export class TaskDirectory {
  private readonly byId = new Map<TaskId, Task>();
  private readonly clientIds = new ClientIds();
  private readonly counts = new Map<QueueKey, number>();
  private bytes = 0;

  get all(): ReadonlyMap<TaskId, Task> {
    return this.byId;
  }

  /** Bytes of input and metadata of all of them. */
  get payloadBytes(): number {
    return this.bytes;
  }

  ofClient(kind: TaskKind, clientId: string): Task | undefined {
    return this.clientIds.get(kind, clientId);
  }

  /** By our own id or the client's. */
  find(kind: TaskKind, ref: string): Task | undefined {
    const task = this.byId.get(ref as TaskId) ?? this.ofClient(kind, ref);
    return task?.kind === kind ? task : undefined;
  }

  /** How many belong to that queue, wherever they are. */
  countIn(queue: QueueKey): number {
    return this.counts.get(queue) ?? 0;
  }

  add(task: Task): void {
    this.byId.set(task.id, task);
    this.clientIds.add(task);
    this.count(task.queue, 1);
    this.bytes += task.payloadBytes;
  }

  /** @returns false when it was not here */
  delete(task: Task): boolean {
    if (!this.byId.delete(task.id)) return false;
    this.clientIds.delete(task);
    this.count(task.queue, -1);
    this.bytes -= task.payloadBytes;
    return true;
  }

  private count(queue: QueueKey, change: 1 | -1): void {
    const count = this.countIn(queue) + change;
    if (count > 0) this.counts.set(queue, count);
    else this.counts.delete(queue);
  }
}
