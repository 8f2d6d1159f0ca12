import { Inject, Injectable, Logger } from '@nestjs/common';
import { isSchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import { queueInWords, queueKey } from '../core/queue';
import { NOTHING } from '../core/resources';
import { after, type Instant } from '../core/units';
import type { WorkerStatus } from '../executors/task-instance.client';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { TaskInstanceError } from '../executors/task-instance.error';
import { CLOCK } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InstancesRepository } from '../persistence/instances.repository';
import { InstancesService } from './instances.service';
import { factsIn, modelServed } from './worker-facts';

const NOT_FOUND = 404;
/**
 * After an instance has changed its model of its own accord, the next change is followed only so much
 * later, in ms: one that names another model at every probe would make queue after queue.
 */
const MOVE_REST_MS = 10_000;

/** Asks task instances how they are, and keeps what they say: in the fleet, and what lasts in the table. */
@Injectable()
export class StatusKeeper {
  private readonly logger = new Logger(StatusKeeper.name);
  /** Until when the next change of its model is not followed, and whether that was said. */
  private readonly settling = new WeakMap<Instance, { readonly until: Instant; told: boolean }>();

  constructor(
    private readonly fleet: Fleet,
    private readonly instances: InstancesService,
    private readonly clients: TaskInstanceClients,
    private readonly repository: InstancesRepository,
    private readonly bell: WakeupBell,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

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
    const facts = factsIn(status, this.clock.now());
    const isElsewhere = status.model !== null && status.model !== modelServed(instance);
    this.fleet.updateInstance(instance, isElsewhere ? { ...facts, capacity: NOTHING } : facts);
    this.bell.signal();
    return status;
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
    if (!this.instances.isInService(instance)) return;
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
    this.instances.warnOfTwin(instance);
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
}
