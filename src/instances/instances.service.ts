import { Inject, Injectable, Logger } from '@nestjs/common';
import { isSchedulerError, SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Health, Instance, InstanceUpdate, Unfit } from '../core/instance';
import { unfitness } from '../core/placement';
import type { Clock, Ids } from '../core/ports';
import { queueInWords, queueKey, queueName } from '../core/queue';
import { NOTHING, ONE_SLOT, type Resources } from '../core/resources';
import { after, instanceId, type InstanceId, type Instant, type TaskId } from '../core/units';
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
const NOT_FOUND = 404;
/**
 * After an instance has changed its model of its own accord, the next change is followed only so much
 * later, in ms: one that names another model at every probe would make queue after queue.
 */
const MOVE_REST_MS = 10_000;

/** Brings instances into the fleet and takes them out, in memory and in the table. */
@Injectable()
export class InstancesService {
  private readonly logger = new Logger(InstancesService.name);
  private readonly drains = new InTurn();
  /** Until when the next change of its model is not followed, and whether that was said. */
  private readonly settling = new WeakMap<Instance, { readonly until: Instant; told: boolean }>();

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
   * Asks an instance how it is, and takes note of its answer.
   * @param isExpected a change of its model was asked for, and is followed at once
   * @throws {TaskInstanceError} when it does not give one
   */
  async probe(instance: Instance, isExpected = false): Promise<WorkerStatus> {
    const status = await this.ask(instance);
    if (isExpected) this.settling.delete(instance);
    await this.keepUp(instance, status);
    if (instance.health !== 'online') this.logger.log(`${instance.name} is online again`);
    const facts = this.factsIn(status);
    const isElsewhere = status.model !== null && status.model !== modelServed(instance);
    this.fleet.updateInstance(instance, isElsewhere ? { ...facts, capacity: NOTHING } : facts);
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

  private warnOfTwin(instance: Instance): void {
    const twin = this.twinOf(instance);
    if (!twin) return;
    this.logger.warn(
      `${instance.address} and ${twin.address} are both ${instance.name}: one worker?`,
    );
  }

  /**
   * What it goes by is written first: while that cannot be, memory stays as the row is, and the
   * next probe tries again.
   */
  private async keepUp(instance: Instance, { model, name }: WorkerStatus): Promise<void> {
    try {
      if (model !== null && model !== modelServed(instance) && !instance.removed)
        await this.moveTo(instance, model);
      if (name !== instance.name) await this.rename(instance, name);
    } catch (error) {
      if (!isSchedulerError(error, 'store_unavailable')) throw error;
      this.logger.debug({ msg: `${instance.name} stays as it was`, error });
    }
  }

  /** It serves another model now: it, and whatever comes, belongs to that model's queue. */
  private async moveTo(instance: Instance, model: string): Promise<void> {
    const change = `${instance.name} serves ${JSON.stringify(model)} now`;
    if (this.isSettling(instance, change)) return;
    const before = queueInWords(instance.queue);
    const queue = queueKey('model', model);
    await this.repository.setQueue(instance.id, queue);
    if (!this.isInService(instance)) return;
    this.fleet.moveInstance(instance, queue);
    // That it did not take tasks of the other model is no fault any more.
    this.fleet.circuits.retry(instance);
    const until = after(this.clock.now(), MOVE_REST_MS);
    this.settling.set(instance, { until, told: false });
    this.logger.warn(`${change}, not ${before}`);
  }

  /** True while its last change is too young for another one to be followed. */
  private isSettling(instance: Instance, change: string): boolean {
    const settling = this.settling.get(instance);
    if (!settling || settling.until <= this.clock.now()) return false;
    if (!settling.told) {
      this.logger.warn(`${change}, again: that is followed once in ${MOVE_REST_MS} ms`);
      settling.told = true;
    }
    return true;
  }

  /** It goes by another name now, as when it was expected by its address and says who it is. */
  private async rename(instance: Instance, name: string): Promise<void> {
    await this.repository.setName(instance.id, name);
    this.fleet.updateInstance(instance, { name });
    this.warnOfTwin(instance);
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

function isOnline({ health, removed }: Instance): boolean {
  return health === 'online' && !removed;
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
