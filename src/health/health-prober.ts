import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import type { Held } from '../core/backlog';
import { Fleet } from '../core/fleet';
import type { Health, Instance } from '../core/instance';
import type { Clock, Random } from '../core/ports';
import type { Attempt } from '../core/task';
import type { Instant } from '../core/units';
import type { WorkerStatus } from '../executors/task-instance.client';
import { TaskInstanceError } from '../executors/task-instance.error';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { StatusKeeper } from '../instances/status-keeper';
import { CLOCK, RANDOM } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InDoubt } from '../tasks/in-doubt';
import { TaskLifecycle } from '../tasks/task-lifecycle';
import { TaskRecorder } from '../tasks/task-recorder';
import { endFromResult } from './worker-outcome';
import { HEALTH_INTERVALS, type HealthIntervals } from './health-intervals';
import { nextProbe } from './probe-times';

/** Probes that must find an instance idle before an attempt there is given up. */
const IDLE_PROBES = 2;

interface Watch {
  due: Instant;
  probing: boolean;
  /** How often in a row the instance was idle while an attempt was counted there. */
  idle: WeakMap<Attempt, number>;
}

/**
 * Asks every task instance how it is: replicas, liveness, model, and the wait that it predicts
 * itself. Silence makes it suspect, then lost (RELIABILITY_MODEL, section 6).
 */
@Injectable()
export class HealthProber implements OnApplicationBootstrap {
  private readonly logger = new Logger(HealthProber.name);
  private readonly watches = new WeakMap<Instance, Watch>();
  /** The registration under which an attempt was last known to be at its worker. */
  private readonly knownUnder = new WeakMap<Attempt, number>();
  /** Nobody is declared lost for silence before this: our own silence is not theirs. */
  private graceFrom: Instant;
  private couldRecord = true;

  constructor(
    private readonly fleet: Fleet,
    private readonly clients: TaskInstanceClients,
    private readonly statuses: StatusKeeper,
    private readonly lifecycle: TaskLifecycle,
    private readonly recorder: TaskRecorder,
    private readonly doubts: InDoubt,
    private readonly bell: WakeupBell,
    @Inject(HEALTH_INTERVALS) private readonly intervals: HealthIntervals,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    this.graceFrom = clock.now();
  }

  /** Restored instances are suspect until they answer: they are asked at once. */
  onApplicationBootstrap(): void {
    this.tick().catch((error: unknown) => this.logger.warn({ msg: 'probing failed', error }));
  }

  /** Probes whoever is due, and looks at who has been silent. */
  @Cron(CronExpression.EVERY_SECOND, { name: 'health-prober' })
  async tick(): Promise<void> {
    this.watchTheStore();
    const instances = [...this.fleet.instances.values()];
    const work = instances
      .filter(({ kind }) => kind === 'task_instance')
      .map((instance) => {
        const watch = this.watchOf(instance);
        if (!watch.probing && watch.due <= this.clock.now()) return this.probe(instance, watch);
        return this.judge(instance);
      });
    await Promise.all(work);
  }

  private async probe(instance: Instance, watch: Watch): Promise<void> {
    watch.probing = true;
    const asked = this.clock.now();
    watch.due = nextProbe(asked, this.intervals.statusPollMs, this.random);
    try {
      const status = await this.statuses.probe(instance);
      await this.checkAttempts(instance, watch, status, asked);
      await this.observeForeign(instance);
    } catch (error) {
      if (error instanceof TaskInstanceError) this.logger.debug(error.message);
      else this.logger.warn({ msg: `probing ${instance.name} failed`, error });
    } finally {
      watch.probing = false;
    }
    await this.judge(instance);
  }

  /** `expected_ms` less our own backlog there is work that others gave it. */
  private async observeForeign(instance: Instance): Promise<void> {
    if (instance.protocol !== 'enqueue') return;
    const { expectedMs } = await this.clients.for(instance.host, instance.port).predict();
    const own = instance.backlog.ownMs(instance.pace, this.clock.now());
    this.fleet.updateInstance(instance, { foreignMs: Math.max(0, expectedMs - own) });
  }

  /** Attempts that the worker may no longer have: it registered anew, or it idles. */
  private async checkAttempts(
    instance: Instance,
    watch: Watch,
    status: WorkerStatus,
    asked: Instant,
  ): Promise<void> {
    const isIdle = status.idle && status.queueSize === 0;
    for (const held of [...instance.backlog.held]) {
      const { attempt } = held;
      if (attempt.sentAt === null || attempt.sentAt > asked || attempt.remoteId === null) continue;
      const under = this.knownUnder.get(attempt) ?? attempt.registration;
      if (under !== instance.registration && instance.provesAbsence) {
        this.knownUnder.set(attempt, instance.registration);
        this.doubts.add(held, this.clock.now());
      }
      const idle = isIdle ? (watch.idle.get(attempt) ?? 0) + 1 : 0;
      watch.idle.set(attempt, idle);
      if (idle < IDLE_PROBES) continue;
      if (await this.hasEnded(held, instance, attempt.remoteId)) continue;
      await this.lifecycle.lost(held, `${instance.name} is idle and does not have it`);
    }
  }

  /** An idle worker may be through with it and not have said so. */
  private async hasEnded(held: Held, instance: Instance, remoteId: string): Promise<boolean> {
    if (!this.lifecycle.trustsRemoteId(held, instance)) return false;
    const result = await this.clients.for(instance.host, instance.port).result(remoteId);
    return result !== null && endFromResult(this.lifecycle, held, result);
  }

  /** Silence makes an instance suspect, then lost. */
  private async judge(instance: Instance): Promise<void> {
    // A probe that had to wait for the database comes here before the next tick does.
    this.watchTheStore();
    if (!this.recorder.canRecord) return;
    const silence = this.clock.now() - Math.max(instance.lastContact, this.graceFrom);
    const health = this.healthAfter(silence, instance.health);
    if (health === instance.health) return;
    this.logger.warn(`${instance.name} is ${health}: silent for ${Math.round(silence)} ms`);
    this.fleet.updateInstance(instance, { health });
    this.bell.signal();
    if (health !== 'lost') return;
    const why = `${instance.name} has been silent for ${Math.round(silence)} ms`;
    const there = this.lifecycle
      .everyHeld()
      .filter(({ attempt }) => attempt.instanceId === instance.id);
    await Promise.all(there.map((held) => this.lifecycle.lost(held, why)));
  }

  private healthAfter(silence: number, now: Health): Health {
    if (silence >= this.intervals.lostMs) return 'lost';
    if (silence >= this.intervals.suspectMs) return now === 'lost' ? 'lost' : 'suspect';
    return now;
  }

  /** After an outage of the database everybody gets one full period to be heard. */
  private watchTheStore(): void {
    const can = this.recorder.canRecord;
    if (can && !this.couldRecord) this.graceFrom = this.clock.now();
    this.couldRecord = can;
  }

  private watchOf(instance: Instance): Watch {
    const known = this.watches.get(instance);
    if (known) return known;
    const watch = { due: this.clock.now(), probing: false, idle: new WeakMap<Attempt, number>() };
    this.watches.set(instance, watch);
    return watch;
  }
}
