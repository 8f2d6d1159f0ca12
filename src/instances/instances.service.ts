import { Inject, Injectable, Logger } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock, Ids } from '../core/ports';
import { queueKey, queueName } from '../core/queue';
import { NOTHING } from '../core/resources';
import { instanceId } from '../core/units';
import type { WorkerIdentity } from '../executors/task-instance.client';
import { TaskInstanceError } from '../executors/task-instance.error';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { CLOCK, IDS } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InstancesRepository, type StoredInstance } from '../persistence/instances.repository';

/** Where a task instance is, and what it is said to serve. */
export interface Registration {
  readonly host: string;
  readonly port: number;
  /** Absent: whatever its own status names. */
  readonly modelName: string | undefined;
}

/** Brings instances into the fleet and takes them out, in memory and in the table. */
@Injectable()
export class InstancesService {
  private readonly logger = new Logger(InstancesService.name);

  constructor(
    private readonly fleet: Fleet,
    private readonly clients: TaskInstanceClients,
    private readonly repository: InstancesRepository,
    private readonly bell: WakeupBell,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * Registers a task instance after asking it who it is. The same address again is the same
   * instance, with what is known of it brought up to date.
   * @throws {SchedulerError} unreachable_instance, wrong_model, store_unavailable
   */
  async register(registration: Registration): Promise<Instance> {
    const { host, port } = registration;
    const identity = await this.identify(registration);
    const model = modelOf(registration, identity);
    const row = await this.repository.register({
      id: instanceId(this.ids.next()),
      kind: 'task_instance',
      queue: queueKey('model', model),
      host,
      port,
      name: identity.status.name,
      protocol: identity.protocol,
    });
    const instance = this.take(row, identity);
    this.logger.log({ msg: `registered ${instance.name} for ${model}`, instanceId: instance.id });
    this.bell.signal();
    return instance;
  }

  /**
   * Registers a task instance that cannot be asked yet: it is suspect until it answers.
   * @throws {SchedulerError} store_unavailable
   */
  async expect(registration: Required<Registration> & { modelName: string }): Promise<Instance> {
    const { host, port, modelName } = registration;
    const row = await this.repository.register({
      id: instanceId(this.ids.next()),
      kind: 'task_instance',
      queue: queueKey('model', modelName),
      host,
      port,
      name: `${host}:${port}`,
      protocol: 'enqueue',
    });
    return this.enter(row, { health: 'suspect', capacity: NOTHING });
  }

  /** True when an instance is in service there, for that model where one is named. */
  isServing({ host, port, modelName }: Registration): boolean {
    const address = `${host}:${port}`;
    const instance = this.fleet.findInstance(address);
    if (instance?.address !== address || !this.isInService(instance)) return false;
    return modelName === undefined || modelServed(instance) === modelName;
  }

  /**
   * Takes an instance out of service; its running tasks go on to their end and are recorded.
   * @returns undefined when no such instance is registered
   * @throws {SchedulerError} store_unavailable
   */
  async remove(ref: string): Promise<Instance | undefined> {
    const instance = this.fleet.findInstance(ref);
    if (!instance || !this.isInService(instance)) return undefined;
    await this.repository.markRemoved(instance.id);
    if (this.isInService(instance)) this.fleet.removeInstance(instance);
    this.logger.log({ msg: `removed ${instance.name}`, instanceId: instance.id });
    this.bell.signal();
    return instance;
  }

  /** It serves another model now: it, and whatever comes, belongs to that model's queue. */
  async moveTo(instance: Instance, model: string): Promise<void> {
    const queue = queueKey('model', model);
    this.fleet.moveInstance(instance, queue);
    await this.repository.setQueue(instance.id, queue);
  }

  /** It goes by another name now, as when it was expected by its address and says who it is. */
  async rename(instance: Instance, name: string): Promise<void> {
    this.fleet.updateInstance(instance, { name });
    await this.repository.setName(instance.id, name);
  }

  /** Every instance in service, by queue and name. */
  list(): readonly Instance[] {
    return [...this.fleet.instances.values()]
      .filter((instance) => !instance.removed)
      .sort((a, b) => compare(a.queue, b.queue) || compare(a.name, b.name) || compare(a.id, b.id));
  }

  /** Asked again after a pause: another request may have removed it meanwhile. */
  private isInService(instance: Instance): boolean {
    return !instance.removed && this.fleet.instances.has(instance.id);
  }

  private async identify({ host, port }: Registration): Promise<WorkerIdentity> {
    try {
      return await this.clients.for(host, port).identify();
    } catch (error) {
      if (!(error instanceof TaskInstanceError)) throw error;
      const { call, reason } = error;
      const message = `task instance ${host}:${port} cannot be reached: ${call}: ${reason}`;
      throw new SchedulerError('unreachable_instance', message, {}, { cause: error });
    }
  }

  private take(row: StoredInstance, { status }: WorkerIdentity): Instance {
    const capacity = { ...NOTHING, slots: status.slots };
    const instance = this.enter(row, { health: 'online', capacity });
    const { name, protocol, registration } = row;
    this.fleet.updateInstance(instance, {
      name,
      protocol,
      registration,
      capacity,
      health: 'online',
      lastContact: this.clock.now(),
      provesAbsence: status.dispatchIds,
      drainsItself: status.draining,
      speed: status.speed ?? 1,
    });
    return instance;
  }

  /** The instance of that row in the queue of that row: the one that is known, or a new one. */
  private enter(row: StoredInstance, seen: Pick<Instance, 'health' | 'capacity'>): Instance {
    const known = this.fleet.instances.get(row.id);
    const lastContact = this.clock.now();
    if (!known) return this.fleet.addInstance({ ...row, ...seen, lastContact });
    if (known.removed) this.fleet.reviveInstance(known);
    this.fleet.moveInstance(known, row.queue);
    return known;
  }
}

function modelOf({ host, port, modelName }: Registration, { status }: WorkerIdentity): string {
  const address = `${host}:${port}`;
  if (modelName === undefined) {
    if (status.model !== null) return status.model;
    throw new SchedulerError('wrong_model', `${address} serves no model yet; name one: model_name`);
  }
  if (status.model === null || status.model === modelName) return modelName;
  throw new SchedulerError(
    'wrong_model',
    `${address} serves ${JSON.stringify(status.model)}, not ${JSON.stringify(modelName)}`,
  );
}

/** The model that a task instance serves. */
export function modelServed(instance: Instance): string {
  return queueName(instance.queue);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
