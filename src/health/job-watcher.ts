import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import type { Held } from '../core/backlog';
import { Fleet } from '../core/fleet';
import type { Clock } from '../core/ports';
import type { Attempt, TaskState } from '../core/task';
import { after, instant, type DispatchId, type Instant } from '../core/units';
import { JobHosts } from '../executors/job-hosts';
import type { HostJobs } from '../executors/processes/host-jobs';
import { HostUnreachableError } from '../executors/processes/host-shell';
import { HostsService } from '../instances/hosts.service';
import { JobPlaces } from '../ops/job-places';
import { CLOCK } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InDoubt } from '../tasks/in-doubt';
import { TaskRecorder } from '../tasks/task-recorder';
import { JobKeeper } from './job-keeper';

const TICK_MS = 100;
/** Pause between two looks at the jobs of this machine, and of a host with a prefix, in ms. */
const LOCAL_MS = 200;
const REMOTE_MS = 2_000;
/** A look may take at most this part of the time: many jobs are looked at less often. */
const LOOKING_SHARE = 0.2;
/** How often logs are looked at whether they are too long, in ms. */
const LOGS_MS = 5_000;

/** What is known of the jobs at one prefix. */
interface Watch {
  due: Instant;
  looking: boolean;
  /** Logs that may have grown since they were last looked at. */
  readonly logs: Set<string>;
  logsDue: Instant;
  /** Attempts whose record is final: their hosts may forget them. */
  over: DispatchId[];
}

/**
 * Looks after the commands of jobs, wherever they run: asks their hosts what became of them, a few
 * times a second here and every few seconds elsewhere, and at once when a job is to be stopped,
 * paused or resumed. Hosts with the same prefix are asked in one go.
 */
@Injectable()
export class JobWatcher implements OnApplicationBootstrap {
  private readonly logger = new Logger(JobWatcher.name);
  private readonly watches = new Map<string, Watch>();
  /** Whether any attempt of a job was there at the last tick: without one nobody need be woken. */
  private hasJobs = false;
  /** Attempts that are being seen to just now. */
  private readonly inHand = new WeakSet<Attempt>();
  /** What was wanted of an attempt when it was last looked at. */
  private readonly wanted = new WeakMap<Attempt, TaskState>();

  constructor(
    private readonly fleet: Fleet,
    private readonly hosts: HostsService,
    private readonly ways: JobHosts,
    private readonly places: JobPlaces,
    private readonly keeper: JobKeeper,
    private readonly doubts: InDoubt,
    private readonly recorder: TaskRecorder,
    private readonly bell: WakeupBell,
    @Inject(configOf('commands')) private readonly settings: Config['commands'],
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.enabled) this.bell.listen(() => this.wake());
  }

  @Interval(TICK_MS)
  tick(): void {
    if (!this.settings.enabled || !this.recorder.canRecord) return;
    const now = this.clock.now();
    const groups = this.byPrefix();
    this.hasJobs = groups.size > 0;
    for (const prefix of groups.keys()) this.watchOf(prefix);
    for (const [prefix, watch] of this.watches) {
      const there = groups.get(prefix) ?? [];
      const isIdle = there.length === 0 && watch.over.length === 0 && watch.logs.size === 0;
      if (!isIdle && !watch.looking && watch.due <= now) void this.look(prefix, watch, there);
    }
  }

  /** Something changed: what is wanted of a job may be another thing than before. */
  private wake(): void {
    if (!this.hasJobs) return;
    for (const [prefix, there] of this.byPrefix()) {
      const isAsked = there.some(
        ({ attempt, task }) => (this.wanted.get(attempt) ?? task.state) !== task.state,
      );
      if (isAsked) this.watchOf(prefix).due = this.clock.now();
    }
    this.tick();
  }

  /** The attempts that are at hosts, or were given up there; not those that are being sent. */
  private byPrefix(): Map<string, Held[]> {
    const groups = new Map<string, Held[]>();
    for (const held of this.fleet.attempts.of('batch')) {
      const { attempt } = held;
      if (attempt.state === 'ended') continue;
      if (attempt.remoteId === null && !this.doubts.has(held)) continue;
      const host = this.fleet.instances.get(attempt.instanceId);
      // Lost with a host that was taken out of service: nobody knows the way to it any more.
      if (!host) continue;
      const prefix = host.traits.executorPrefix;
      const group = groups.get(prefix);
      if (group) group.push(held);
      else groups.set(prefix, [held]);
    }
    return groups;
  }

  private async look(prefix: string, watch: Watch, there: readonly Held[]): Promise<void> {
    watch.looking = true;
    const began = this.clock.now();
    try {
      await this.ask(prefix, watch, there);
    } catch (error) {
      const msg = `the jobs at ${prefix === '' ? 'this machine' : prefix} were not seen`;
      if (error instanceof HostUnreachableError) this.logger.debug({ msg, error });
      else this.logger.warn({ msg, error });
    } finally {
      const now = this.clock.now();
      const pause = Math.max(prefix === '' ? LOCAL_MS : REMOTE_MS, (now - began) / LOOKING_SHARE);
      watch.due = after(now, pause);
      watch.looking = false;
    }
  }

  private async ask(prefix: string, watch: Watch, there: readonly Held[]): Promise<void> {
    const host = this.ways.at(prefix);
    const open = there.filter(({ attempt }) => !this.inHand.has(attempt));
    for (const { attempt, task } of open) {
      this.wanted.set(attempt, task.state);
      watch.logs.add(this.places.logPath(task.id));
    }
    const reports = await host.states(open.map(({ attempt }) => attempt.dispatchId));
    for (const one of this.hosts.all())
      if (one.traits.executorPrefix === prefix) this.hosts.noteContact(one);
    for (const held of open) {
      const report = reports.get(held.attempt.dispatchId);
      if (report) void this.keep(held, watch, () => this.keeper.keep(held, report, host));
    }
    await this.tidy(host, watch);
  }

  /** One attempt must not hold up the others, nor be seen to twice at a time. */
  private async keep(held: Held, watch: Watch, work: () => Promise<string>): Promise<void> {
    const { attempt, task } = held;
    if (this.fleet.held(attempt) !== held || attempt.state === 'ended') return;
    this.inHand.add(attempt);
    try {
      if ((await work()) === 'over') watch.over.push(attempt.dispatchId);
    } catch (error) {
      this.logger.warn({ msg: 'a job could not be seen to now', taskId: task.id, error });
    } finally {
      this.inHand.delete(attempt);
    }
  }

  /** A log that was written just now is looked at once more when its job has ended. */
  private async tidy(host: HostJobs, watch: Watch): Promise<void> {
    const now = this.clock.now();
    if (watch.logsDue <= now) {
      watch.logsDue = after(now, LOGS_MS);
      const logs = [...watch.logs];
      watch.logs.clear();
      await host.cutLogs(logs, this.settings.logBytes);
    }
    const over = watch.over.splice(0);
    if (over.length > 0) await host.remove(over);
  }

  private watchOf(prefix: string): Watch {
    const known = this.watches.get(prefix);
    if (known) return known;
    const watch = {
      due: instant(0),
      looking: false,
      logsDue: instant(0),
      logs: new Set<string>(),
      over: [],
    };
    this.watches.set(prefix, watch);
    return watch;
  }
}
