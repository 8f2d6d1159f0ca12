import type { Task, TaskKind } from './task';

/**
 * Tasks by the ids that their clients chose, which are unique within a kind. A map of each kind, and
 * not one by kind and id: that would keep a name of its own for every task.
 */
export class ClientIds {
  private readonly byKind: Readonly<Record<TaskKind, Map<string, Task>>> = {
    model: new Map(),
    batch: new Map(),
    placement: new Map(),
  };

  get(kind: TaskKind, clientId: string): Task | undefined {
    return this.byKind[kind].get(clientId);
  }

  /** A task without such an id is not kept here. */
  add(task: Task): void {
    if (task.clientId !== null) this.byKind[task.kind].set(task.clientId, task);
  }

  delete({ kind, clientId }: Task): void {
    if (clientId !== null) this.byKind[kind].delete(clientId);
  }
}
