import type { Held } from './backlog';
import type { DispatchId, InstanceId } from './units';

/** Finds attempts by the ids under which workers speak of them. */
export class AttemptIndex {
  private readonly byDispatch = new Map<DispatchId, Held>();
  /** Remote ids are not unique: a restarted worker may hand them out again. */
  private readonly byRemote = new Map<string, readonly Held[]>();

  get size(): number {
    return this.byDispatch.size;
  }

  all(): Iterable<Held> {
    return this.byDispatch.values();
  }

  add(held: Held): void {
    this.byDispatch.set(held.attempt.dispatchId, held);
    const { remoteId } = held.attempt;
    if (remoteId !== null) this.addRemote(remoteId, held);
  }

  /** Takes note that the worker has named the attempt, which may be over and forgotten by then. */
  named(held: Held, remoteId: string): void {
    if (held.attempt.remoteId === remoteId) return;
    if (held.attempt.remoteId !== null) this.dropRemote(held.attempt.remoteId, held);
    held.attempt.remoteId = remoteId;
    if (this.byDispatch.has(held.attempt.dispatchId)) this.addRemote(remoteId, held);
  }

  delete(dispatchId: DispatchId): void {
    const held = this.byDispatch.get(dispatchId);
    if (!held) return;
    this.byDispatch.delete(dispatchId);
    if (held.attempt.remoteId !== null) this.dropRemote(held.attempt.remoteId, held);
  }

  byDispatchId(dispatchId: DispatchId): Held | undefined {
    return this.byDispatch.get(dispatchId);
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
