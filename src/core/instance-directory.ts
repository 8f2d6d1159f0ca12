import type { Instance } from './instance';
import type { InstanceId } from './units';

/** Instances by the names under which the outside speaks of them. */
export class InstanceDirectory {
  private readonly byId = new Map<InstanceId, Instance>();
  private readonly byAddress = new Map<string, Instance>();
  private readonly byName = new Map<string, Instance>();

  get all(): ReadonlyMap<InstanceId, Instance> {
    return this.byId;
  }

  get(id: InstanceId): Instance | undefined {
    return this.byId.get(id);
  }

  add(instance: Instance): void {
    this.byId.set(instance.id, instance);
    this.byAddress.set(instance.address, instance);
    this.byName.set(instance.name, instance);
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
    this.byName.set(name, instance);
  }

  /** By our own id, `host:port` or the instance's own name; of namesakes the newest. */
  find(ref: string): Instance | undefined {
    return this.byId.get(ref as InstanceId) ?? this.byAddress.get(ref) ?? this.byName.get(ref);
  }

  private dropName(instance: Instance): void {
    if (this.byName.get(instance.name) === instance) this.byName.delete(instance.name);
  }
}
