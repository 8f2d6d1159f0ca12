import { Inject, Injectable, Logger } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Health, Instance, Unfit } from '../core/instance';
import { unfitness } from '../core/placement';
import type { Clock, Ids } from '../core/ports';
import { queueKey } from '../core/queue';
import { NOTHING, ONE_SLOT } from '../core/resources';
import { instanceId, type InstanceId, type TaskId } from '../core/units';
import type { WorkerIdentity } from '../executors/task-instance.client';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { TaskInstanceError } from '../executors/task-instance.error';
import { Cursors, type Page } from '../http/page';
import { InTurn } from '../ops/in-turn';
import { CLOCK, IDS } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InstancesRepository, type StoredInstance } from '../persistence/instances.repository';
import { capacityOf, factsIn, modelServed } from './worker-facts';

/** Where a task instance is, and what it is said to serve. */
export interface Registration {
  readonly host: string;
  readonly port: number;
  /** Absent: whatever its own status names. */
  readonly modelName: string | undefined;
}

/** An instance by our id, or by where it is; never by a name, which anybody may take. */
export type InstanceRef =
  { readonly id: InstanceId } | { readonly host: string; readonly port: number };

/** Which instances are asked for, and which part of their list. */
export interface InstanceFilter {
  readonly model?: string;
  readonly health?: Health;
  readonly limit: number;
  readonly cursor?: string;
}

type InstanceKey = readonly [queue: string, name: string, id: string];

const CURSORS = new Cursors('instances', 'text', 'text', 'uuid');

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
    this.warnOfTwin(instance);
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
    const instance = this.at(host, port);
    if (!instance || !this.isInService(instance)) return false;
    return modelName === undefined || modelServed(instance) === modelName;
  }

  /**
   * Another instance that is online at the same port and goes by the same name: most likely the
   * same worker under another address, whose slots are counted twice. Undefined without one.
   */
  twinOf({ id, name, port }: Instance): Instance | undefined {
    return [...this.fleet.instances.values()].find(
      (one) => one.id !== id && one.name === name && one.port === port && isOnline(one),
    );
  }

  /**
   * Takes an instance out of service; its running tasks go on to their end and are recorded.
   * @returns undefined when no such instance is registered
   * @throws {SchedulerError} store_unavailable
   */
  async remove(ref: InstanceRef): Promise<Instance | undefined> {
    const instance = 'id' in ref ? this.fleet.instances.get(ref.id) : this.at(ref.host, ref.port);
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
    return this.drains.run(async () => {
      const instance = this.get(ref);
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
   * Takes an instance of any kind out of service that an operator has drained, when nothing of it is
   * left there. It comes back, still draining, when it is registered again.
   * @throws {SchedulerError} unknown_instance; forbidden_transition when it may get new work or has
   *   some left; store_unavailable
   */
  retire(ref: string): Promise<Instance> {
    return this.drains.run(async () => {
      const instance = this.get(ref);
      this.assertIdle(instance);
      await this.remove({ id: instance.id });
      return instance;
    });
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
    if (instance.removed) return 'removed';
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

  /** False for one that was taken out of service: asked again after a pause, in which that may happen. */
  isInService(instance: Instance): boolean {
    return !instance.removed && this.fleet.instances.has(instance.id);
  }

  /** Says that another address has the same name, when one has. */
  warnOfTwin(instance: Instance): void {
    const twin = this.twinOf(instance);
    if (!twin) return;
    this.logger.warn(
      `${instance.address} and ${twin.address} are both ${instance.name}: one worker?`,
    );
  }

  private assertIdle(instance: Instance): void {
    const { size: left } = this.tasksAt(instance);
    const why = !instance.drainAsked
      ? 'no operator has drained it: drain it first'
      : left > 0
        ? `it still has tasks that are not over (${left}): wait for them, or cancel them`
        : undefined;
    if (why === undefined) return;
    throw new SchedulerError('forbidden_transition', `${instance.name} stays: ${why}`);
  }

  /** What may still run there, or end by it. Nothing is expected any more of what was lost with it. */
  private tasksAt({ id, health }: Instance): ReadonlySet<TaskId> {
    const ids = new Set<TaskId>();
    for (const { attempt, task } of this.fleet.attempts.all()) {
      const isOver = attempt.state === 'ended' || (attempt.state === 'lost' && health === 'lost');
      if (attempt.instanceId === id && !isOver) ids.add(task.id);
    }
    return ids;
  }

  private at(host: string, port: number): Instance | undefined {
    const address = `${host}:${port}`;
    const found = this.fleet.findInstance(address);
    return found?.address === address ? found : undefined;
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
    this.fleet.updateInstance(instance, { ...factsIn(status, this.clock.now()), name, protocol });
    // Somebody has seen to it: if it is kept from work, it is tried at once.
    this.fleet.circuits.retry(instance);
    return instance;
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

function isOnline({ health, removed }: Instance): boolean {
  return health === 'online' && !removed;
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
