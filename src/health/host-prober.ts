import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { Fleet } from '../core/fleet';
import type { Health, Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import { after, type Instant } from '../core/units';
import { JobHosts } from '../executors/job-hosts';
import { HostsService } from '../instances/hosts.service';
import { CLOCK } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { TaskLifecycle } from '../tasks/task-lifecycle';
import { TaskRecorder } from '../tasks/task-recorder';

const TICK_MS = 1_000;

/**
 * Sees which hosts are there: this machine always is, others are reached through their prefix. A
 * heartbeat counts as well. Silence makes a host suspect; after a long one its jobs are given up.
 */
@Injectable()
export class HostProber implements OnApplicationBootstrap {
  private readonly logger = new Logger(HostProber.name);
  private readonly due = new WeakMap<Instance, Instant>();
  /** Nobody is given up for silence before this: while PostgreSQL is away nothing is judged. */
  private graceFrom: Instant;

  constructor(
    private readonly fleet: Fleet,
    private readonly hosts: HostsService,
    private readonly ways: JobHosts,
    private readonly lifecycle: TaskLifecycle,
    private readonly recorder: TaskRecorder,
    private readonly bell: WakeupBell,
    @Inject(configOf('commands')) private readonly settings: Config['commands'],
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.graceFrom = clock.now();
  }

  /** Restored hosts are suspect until they are heard of: they are asked at once. */
  onApplicationBootstrap(): void {
    void this.tick();
  }

  /** Asks whoever is due, and looks at who has been silent. Never throws. */
  @Interval(TICK_MS)
  async tick(): Promise<void> {
    if (!this.settings.enabled) return;
    if (!this.recorder.canRecord) this.graceFrom = this.clock.now();
    await Promise.all(this.hosts.all().map((host) => this.see(host)));
  }

  private async see(host: Instance): Promise<void> {
    const { executorPrefix } = host.traits;
    if (executorPrefix === '') {
      this.hosts.noteContact(host);
      return;
    }
    if ((this.due.get(host) ?? 0) <= this.clock.now()) {
      this.due.set(host, after(this.clock.now(), this.settings.hostProbeMs));
      try {
        await this.ways.at(executorPrefix).reach();
        if (!host.removed) this.hosts.noteContact(host);
      } catch (error) {
        this.logger.debug({ msg: `host ${host.name} was not reached`, error });
      }
    }
    if (!host.removed) await this.judge(host);
  }

  private async judge(host: Instance): Promise<void> {
    if (!this.recorder.canRecord) return;
    const silence = this.clock.now() - Math.max(host.lastContact, this.graceFrom);
    const health = this.healthAfter(silence, host.health);
    if (health === host.health) return;
    const why = `host ${host.name} has been silent for ${Math.round(silence)} ms`;
    this.logger.warn({ msg: `${why}: it is ${health}`, instanceId: host.id });
    this.fleet.updateInstance(host, { health });
    this.bell.signal();
    if (health === 'lost') await this.giveUp(host, why);
  }

  private async giveUp(host: Instance, why: string): Promise<void> {
    const there = [...host.backlog.held];
    try {
      await Promise.all(there.map((held) => this.lifecycle.lost(held, why)));
    } catch (error) {
      this.logger.warn({ msg: `the jobs of ${host.name} were given up, unrecorded`, error });
    }
  }

  private healthAfter(silence: number, now: Health): Health {
    if (silence >= this.settings.hostLostMs) return 'lost';
    if (silence >= this.settings.hostOfflineMs) return now === 'lost' ? 'lost' : 'suspect';
    return now;
  }
}
