import { Inject, Injectable, Logger } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Health, Instance, InstanceUpdate, Unfit } from '../core/instance';
import { unfitness } from '../core/placement';
import type { Clock, Ids } from '../core/ports';
import { queueInWords, queueKey, queueName } from '../core/queue';
import { NOTHING, ONE_SLOT, type Resources } from '../core/resources';
import { instanceId } from '../core/units';
import type { WorkerIdentity, WorkerStatus } from '../executors/task-instance.client';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { TaskInstanceError } from '../executors/task-instance.error';
import { Cursors, type Page } from '../http/page';
import { InTurn } from '../ops/in-turn';
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

/** Which instances are asked for, and which part of their list. */
export interface InstanceFilter {
  readonly model?: string;
  readonly health?: Health;
  readonly limit: number;
  readonly cursor?: string;
}

type InstanceKey = readonly [queue: string, name: string, id: string];

const CURSORS = new Cursors('instances', 'text', 'text', 'uuid');
const NOT_FOUND = 404;

/** Brings instances into the fleet and takes them out, in memory and in the table. */
@Injectable()
export class InstancesService {
  private readonly logger = new Logger(InstancesService.name);
  private readonly drains = new InTurn();

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
      isAnew: this.mayBeAnew(registration, identity),
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
      isAnew: false,
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

  /**
   * An operator asks that it gets no new work: its running tasks go on to their end, its waiting
   * ones move. Or he takes that back. It holds over a restart, of the scheduler and of the worker.
   * @throws {SchedulerError} unknown_instance, store_unavailable
   */
  async askToDrain(ref: string, drainAsked: boolean): Promise<Instance> {
    const instance = this.get(ref);
    return this.drains.run(async () => {
      await this.repository.setDrainAsked(instance.id, drainAsked);
      // It may have gone and come back meanwhile, with what its row said before.
      const present = this.fleet.instances.get(instance.id) ?? instance;
      this.fleet.updateInstance(present, { drainAsked });
      const what = drainAsked ? 'is to get no new work' : 'may get new work';
      this.logger.log({ msg: `${present.name} ${what}`, instanceId: present.id });
      this.bell.signal();
      return present;
    });
  }

  /**
   * Asks an instance how it is, and takes note of its answer.
   * @throws {TaskInstanceError} when it does not give one
   */
  async probe(instance: Instance): Promise<WorkerStatus> {
    const status = await this.ask(instance);
    if (status.model !== null && status.model !== modelServed(instance) && !instance.removed) {
      const before = queueInWords(instance.queue);
      this.logger.warn(
        `${instance.name} serves ${JSON.stringify(status.model)} now, not ${before}`,
      );
      await this.moveTo(instance, status.model);
    }
    if (instance.health !== 'online') this.logger.log(`${instance.name} is online again`);
    if (status.name !== instance.name) await this.rename(instance, status.name);
    this.fleet.updateInstance(instance, this.factsIn(status));
    this.bell.signal();
    return status;
  }

  /**
   * By our own id, `host:port` or the instance's own name.
   * @throws {SchedulerError} unknown_instance
   */
  get(ref: string): Instance {
    const instance = this.fleet.findInstance(ref);
    if (instance && this.isInService(instance)) return instance;
    throw new SchedulerError(
      'unknown_instance',
      `no instance ${JSON.stringify(ref)} is registered`,
    );
  }

  /** Why it gets no new task now; undefined when it may. */
  unfitBecause(instance: Instance): Unfit | undefined {
    const queue = this.fleet.queues.get(instance.queue);
    return queue && unfitness(queue, instance, ONE_SLOT, this.clock.now());
  }

  /**
   * Instances in service, by model and name.
   * @throws {SchedulerError} invalid_input for a cursor that is none
   */
  page({ model, health, limit, cursor }: InstanceFilter): Page<Instance> {
    const after = CURSORS.read(cursor);
    const found = [...this.fleet.instances.values()]
      .filter((one) => !one.removed && (health === undefined || one.health === health))
      .filter((one) => model === undefined || modelServed(one) === model)
      .filter((one) => after === undefined || compareKeys(keyOf(one), after) > 0)
      .sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
    return CURSORS.page(found, limit, keyOf);
  }

  /** It serves another model now: it, and whatever comes, belongs to that model's queue. */
  private async moveTo(instance: Instance, model: string): Promise<void> {
    const queue = queueKey('model', model);
    this.fleet.moveInstance(instance, queue);
    await this.repository.setQueue(instance.id, queue);
  }

  /** It goes by another name now, as when it was expected by its address and says who it is. */
  private async rename(instance: Instance, name: string): Promise<void> {
    this.fleet.updateInstance(instance, { name });
    await this.repository.setName(instance.id, name);
  }

  /** A worker of the other generation may have taken the place of the one that was there. */
  private async ask(instance: Instance): Promise<WorkerStatus> {
    const client = this.clients.for(instance.host, instance.port);
    try {
      return await client.status(instance.protocol);
    } catch (error) {
      if (!(error instanceof TaskInstanceError) || error.status !== NOT_FOUND) throw error;
      const { protocol, status } = await client.identify();
      this.fleet.updateInstance(instance, { protocol });
      return status;
    }
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

  /**
   * True when a worker that registers may have been started anew: it was not heard of, speaks in
   * other words, or idles while it is believed to have work. Whoever merely repeats himself keeps
   * what he has, and his ids mean what they meant.
   */
  private mayBeAnew({ host, port }: Registration, { status, protocol }: WorkerIdentity): boolean {
    const known = this.fleet.findInstance(`${host}:${port}`);
    if (!known) return false;
    if (known.health === 'lost' || known.protocol !== protocol) return true;
    const isEmpty = status.idle && status.queueSize === 0;
    return isEmpty && [...known.backlog.held].some(({ attempt }) => attempt.remoteId !== null);
  }

  private take(row: StoredInstance, { status }: WorkerIdentity): Instance {
    const instance = this.enter(row, { health: 'online', capacity: capacityOf(status) });
    const { name, protocol } = row;
    this.fleet.updateInstance(instance, { ...this.factsIn(status), name, protocol });
    // Somebody has seen to it: if it is kept from work, it is tried at once.
    this.fleet.circuits.retry(instance);
    return instance;
  }

  /** What the answer of an instance tells about it, beside its name. */
  private factsIn(status: WorkerStatus): InstanceUpdate {
    return {
      health: 'online',
      lastContact: this.clock.now(),
      capacity: capacityOf(status),
      provesAbsence: status.dispatchIds,
      drainsItself: status.draining,
      declaredSpeed: status.speed ?? 1,
    };
  }

  /** The instance of that row in the queue of that row: the one that is known, or a new one. */
  private enter(row: StoredInstance, seen: Pick<Instance, 'health' | 'capacity'>): Instance {
    const known = this.fleet.instances.get(row.id);
    const lastContact = this.clock.now();
    if (!known) return this.fleet.addInstance({ ...row, ...seen, lastContact });
    if (known.removed) this.fleet.reviveInstance(known);
    this.fleet.moveInstance(known, row.queue);
    this.fleet.updateInstance(known, { registration: row.registration });
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

/** Its place in the list of all. */
function keyOf({ queue, name, id }: Instance): InstanceKey {
  return [queue, name, id];
}

function compareKeys(a: InstanceKey, b: InstanceKey): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  if (at < 0) return 0;
  return (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

function capacityOf({ slots }: WorkerStatus): Resources {
  return { ...NOTHING, slots };
}
