import type { Instance } from './instance';
import type { InstanceId } from './units';

/** Instances by the names under which the outside speaks of them. */
export class InstanceDirectory {
  private readonly byId = new Map<InstanceId, Instance>();
  /** Without workers: nothing is sent there, and one may have the name of a host. */
  private readonly byAddress = new Map<string, Instance>();
  /** Names are the workers' own: nobody keeps two of them from having the same. */
  private readonly byName = new Map<string, readonly Instance[]>();

  get all(): ReadonlyMap<InstanceId, Instance> {
    return this.byId;
  }

  get(id: InstanceId): Instance | undefined {
    return this.byId.get(id);
  }

  add(instance: Instance): void {
    this.byId.set(instance.id, instance);
    if (instance.kind !== 'worker') this.byAddress.set(instance.address, instance);
    this.putName(instance);
  }

  delete(instance: Instance): void {
    this.byId.delete(instance.id);
    if (this.byAddress.get(instance.address) === instance) this.byAddress.delete(instance.address);
    this.dropName(instance);
  }

  /** The instance goes by another name from now on. */
  rename(instance: Instance, name: string): void {
    if (instance.name === name) return;
    this.dropName(instance);
    instance.name = name;
    this.putName(instance);
  }

  /**
   * By our own id, `host:port` or the instance's own name; undefined also when several have that
   * name. Those in service come first.
   */
  find(ref: string): Instance | undefined {
    const called = this.called(ref);
    const inService = called.filter(({ removed }) => !removed);
    const [instance, ...namesakes] = inService.length > 0 ? inService : called;
    return namesakes.length === 0 ? instance : undefined;
  }

  /** Whoever that may be: one by our own id or `host:port`, all that have it for their own name. */
  called(ref: string): readonly Instance[] {
    const one = this.byId.get(ref as InstanceId) ?? this.byAddress.get(ref);
    return one ? [one] : (this.byName.get(ref) ?? []);
  }

  private putName(instance: Instance): void {
    this.byName.set(instance.name, [...(this.byName.get(instance.name) ?? []), instance]);
  }

  private dropName(instance: Instance): void {
    const others = (this.byName.get(instance.name) ?? []).filter((one) => one !== instance);
    if (others.length > 0) this.byName.set(instance.name, others);
    else this.byName.delete(instance.name);
  }
}
