import type { Held } from './backlog';
import type { TaskKind } from './task';
import type { DispatchId, InstanceId } from './units';

/** Finds attempts by the ids under which workers speak of them. */
export class AttemptIndex {
  /** Apart by kind: there may be very many placements, and few have a look at all of them. */
  private readonly byKind: Readonly<Record<TaskKind, Map<DispatchId, Held>>> = {
    model: new Map(),
    batch: new Map(),
    placement: new Map(),
  };
  /** Remote ids are not unique: a restarted worker may hand them out again. */
  private readonly byRemote = new Map<string, readonly Held[]>();

  get size(): number {
    const { model, batch, placement } = this.byKind;
    return model.size + batch.size + placement.size;
  }

  *all(): Iterable<Held> {
    for (const held of Object.values(this.byKind)) yield* held.values();
  }

  /** Those of tasks of one kind, in the order of their reservation. */
  of(kind: TaskKind): Iterable<Held> {
    return this.byKind[kind].values();
  }

  add(held: Held): void {
    this.byKind[held.task.kind].set(held.attempt.dispatchId, held);
    const { remoteId } = held.attempt;
    if (remoteId !== null) this.addRemote(remoteId, held);
  }

  /** Takes note that the worker has named the attempt, which may be over and forgotten by then. */
  named(held: Held, remoteId: string): void {
    if (held.attempt.remoteId === remoteId) return;
    if (held.attempt.remoteId !== null) this.dropRemote(held.attempt.remoteId, held);
    held.attempt.remoteId = remoteId;
    if (this.byDispatchId(held.attempt.dispatchId)) this.addRemote(remoteId, held);
  }

  delete(dispatchId: DispatchId): void {
    const held = this.byDispatchId(dispatchId);
    if (!held) return;
    this.byKind[held.task.kind].delete(dispatchId);
    if (held.attempt.remoteId !== null) this.dropRemote(held.attempt.remoteId, held);
  }

  byDispatchId(dispatchId: DispatchId): Held | undefined {
    const { model, batch, placement } = this.byKind;
    return model.get(dispatchId) ?? batch.get(dispatchId) ?? placement.get(dispatchId);
  }

  /** The newest attempt with that remote id; of that instance, when one is given. */
  byRemoteId(remoteId: string, instanceId?: InstanceId): Held | undefined {
    const known = this.byRemote.get(remoteId) ?? [];
    return known.findLast(
      ({ attempt }) => instanceId === undefined || attempt.instanceId === instanceId,
    );
  }

  private addRemote(remoteId: string, held: Held): void {
    const others = this.byRemote.get(remoteId) ?? [];
    this.byRemote.set(remoteId, [...others.filter((other) => other !== held), held]);
  }

  private dropRemote(remoteId: string, held: Held): void {
    const rest = (this.byRemote.get(remoteId) ?? []).filter((other) => other !== held);
    if (rest.length > 0) this.byRemote.set(remoteId, rest);
    else this.byRemote.delete(remoteId);
  }
}
