import type { Task, TaskKind } from './task';
import type { TaskId } from './units';

/** Live tasks by the names under which the outside speaks of them. */
export class TaskDirectory {
  private readonly byId = new Map<TaskId, Task>();
  private readonly byClientId = new Map<string, Task>();
  private bytes = 0;

  get all(): ReadonlyMap<TaskId, Task> {
    return this.byId;
  }

  /** Bytes of input and metadata of all of them. */
  get payloadBytes(): number {
    return this.bytes;
  }

  ofClient(kind: TaskKind, clientId: string): Task | undefined {
    return this.byClientId.get(keyOf(kind, clientId));
  }

  /** By our own id or the client's. */
  find(kind: TaskKind, ref: string): Task | undefined {
    return this.byId.get(ref as TaskId) ?? this.ofClient(kind, ref);
  }

  add(task: Task): void {
    this.byId.set(task.id, task);
    if (task.clientId !== null) this.byClientId.set(keyOf(task.kind, task.clientId), task);
    this.bytes += task.payloadBytes;
  }

  /** @returns false when it was not here */
  delete(task: Task): boolean {
    if (!this.byId.delete(task.id)) return false;
    if (task.clientId !== null) this.byClientId.delete(keyOf(task.kind, task.clientId));
    this.bytes -= task.payloadBytes;
    return true;
  }
}

function keyOf(kind: TaskKind, clientId: string): string {
  return `${kind}/${clientId}`;
}
