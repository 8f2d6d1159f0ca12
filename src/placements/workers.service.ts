import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { Fleet } from '../core/fleet';
import { NO_TRAITS, type Health, type Instance, type Traits } from '../core/instance';
import type { Clock } from '../core/ports';
import { NOTHING, type Resources } from '../core/resources';
import type { Instant } from '../core/units';
import { CLOCK } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { TaskRecorder } from '../tasks/task-recorder';
import { PlacementEnds } from './placement-ends';
import { WorkerRegister } from './worker-register';

/** What a worker says of itself. */
export interface Heartbeat {
  readonly workerId: string;
  /** Where clients reach it, as in `10.0.0.5:8080`: passed on, never called. */
  readonly address: string;
  readonly tags: readonly string[];
  readonly maxTasks: number;
  readonly currentTasks: number;
  /** Unix ms by the worker's own clock: orders its heartbeats, and is compared with nothing else. */
  readonly sentAtMs: number;
  /** The tasks that it has; null: it only counts them. */
  readonly taskIds: readonly string[] | null;
  /** What it has beside slots; null: nothing that could be reserved. */
  readonly resources: Omit<Resources, 'slots'> | null;
  /** It says goodbye: it gets nothing more. */
  readonly leaving: boolean;
}

/** A worker as a client sees it. */
export interface WorkerView {
  readonly workerId: string;
  readonly address: string;
  readonly tags: readonly string[];
  readonly maxTasks: number;
  readonly currentTasks: number;
  readonly available: number;
  readonly lastHeartbeatWallMs: number;
  readonly health: Health;
}

const TICK_MS = 1_000;
/** A worker that has been silent for so long is not listed any more, in ms: a day. */
const FORGOTTEN_MS = 24 * 3_600_000;

/** Workers that only ask for placement: who is there, and how many tasks each has. */
@Injectable()
export class WorkersService {
  private readonly logger = new Logger(WorkersService.name);
  private readonly byName: Map<string, Instance>;
  /** Workers of which memory knows more than the table. */
  private readonly unsaved = new Set<string>();
  /** Nobody is offline for silence before this: while PostgreSQL is away nothing is judged. */
  private graceFrom: Instant;

  constructor(
    private readonly fleet: Fleet,
    private readonly register: WorkerRegister,
    private readonly recorder: TaskRecorder,
    private readonly ends: PlacementEnds,
    private readonly bell: WakeupBell,
    @Inject(configOf('intervals')) private readonly intervals: Config['intervals'],
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const workers = [...fleet.instances.values()].filter(({ headcount }) => headcount !== null);
    this.byName = new Map(workers.map((worker) => [worker.name, worker]));
    this.graceFrom = clock.now();
  }

  /**
   * Takes a heartbeat; the first one registers the worker.
   * @returns undefined when it is taken at once
   * @throws {SchedulerError} store_unavailable when the worker is new and cannot be recorded
   */
  heartbeat(heartbeat: Heartbeat): Promise<void> | undefined {
    const worker = this.byName.get(heartbeat.workerId);
    if (!worker || worker.removed) return this.enter(heartbeat);
    this.hear(worker, heartbeat);
    return undefined;
  }

  /** Those in service, by name. */
  all(): readonly WorkerView[] {
    for (const worker of this.inService()) this.judge(worker);
    return this.inService()
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((worker) => this.view(worker));
  }

  /** Looks at who has been silent, and at placements that nobody has ended. */
  @Interval(TICK_MS)
  tick(): void {
    if (!this.recorder.canRecord) {
      this.graceFrom = this.clock.now();
      return;
    }
    for (const worker of this.inService()) this.judge(worker);
    this.releaseOfLost();
    this.ends.recordLater(this.fleet.placements.expire(this.ends.atOnce));
  }

  /** What they have is in their own figures, should they come back. */
  private releaseOfLost(): void {
    let left = this.ends.atOnce;
    for (const worker of this.inService()) {
      if (left === 0) return;
      if (worker.health !== 'lost') continue;
      const why = `${worker.name} has been silent for ${Math.round(this.silenceOf(worker))} ms`;
      const changes = this.fleet.placements.releaseAt(worker, why, left);
      this.ends.recordLater(changes);
      left -= changes.length;
    }
  }

  private silenceOf(worker: Instance): number {
    return this.clock.now() - Math.max(worker.lastContact, this.graceFrom);
  }

  private inService(): Instance[] {
    return [...this.byName.values()].filter(({ removed }) => !removed);
  }

  private async enter(heartbeat: Heartbeat): Promise<void> {
    const { size, removed, ...row } = await this.register.save(recordOf(heartbeat));
    const known = this.fleet.instances.get(row.id);
    if (known?.removed) this.fleet.reviveInstance(known);
    const seen = {
      capacity: size ?? NOTHING,
      health: 'online',
      lastContact: this.clock.now(),
    } as const;
    const worker = known ?? this.fleet.addInstance({ ...row, ...seen });
    this.byName.set(row.name, worker);
    if (!known || removed) {
      this.logger.log({ msg: `registered worker ${row.name}`, instanceId: worker.id });
    }
    this.hear(worker, heartbeat);
  }

  private hear(worker: Instance, heartbeat: Heartbeat): void {
    const now = this.clock.now();
    const wasAway = worker.health !== 'online';
    const { taskIds, currentTasks, leaving, sentAtMs } = heartbeat;
    const seen = { health: 'online', lastContact: now } as const;
    if (worker.headcount?.isNews(sentAtMs, now, this.intervals.suspectMs)) {
      const { traits, capacity } = this.takeNote(worker, heartbeat);
      const facts = { ...seen, traits, capacity, drainsItself: leaving };
      if (leaving && !worker.drainsItself) {
        this.logger.log({ msg: `worker ${worker.name} is leaving`, instanceId: worker.id });
      }
      this.fleet.updateInstance(worker, facts);
      const figures = { currentTasks, taskIds: taskIds && new Set(taskIds) };
      this.ends.recordLater(this.fleet.placements.heard(worker, figures, this.ends.atOnce));
    } else {
      this.fleet.updateInstance(worker, seen);
    }
    if (wasAway) this.logger.log({ msg: `worker ${worker.name} is online`, instanceId: worker.id });
    this.bell.signal();
  }

  /** What it says of itself beside its tasks; written down when it is new. */
  private takeNote(
    worker: Instance,
    heartbeat: Heartbeat,
  ): { readonly traits: Traits; readonly capacity: Resources } {
    const { name, capacity, ...said } = recordOf(heartbeat);
    const isSame =
      said.endpoint === worker.traits.endpoint &&
      sameTexts(said.tags, worker.traits.tags) &&
      sameSize(capacity, worker.capacity);
    if (isSame && !this.unsaved.has(name)) return worker;
    const { endpoint: before } = worker.traits;
    if (said.endpoint !== before) {
      // Two that take turns here have one name: clients are sent to either.
      const msg = `worker ${name} is at ${said.endpoint}, and was at ${before}`;
      this.logger.log({ msg, instanceId: worker.id });
    }
    this.unsaved.add(name);
    this.register.save({ name, capacity, ...said }).then(
      () => this.saved(worker),
      (error: unknown) => this.logger.debug({ msg: `worker ${name} is not saved yet`, error }),
    );
    return { traits: { ...NO_TRAITS, ...said }, capacity };
  }

  /** An operator may have taken it out of service meanwhile: what was written says that it is in it. */
  private saved(worker: Instance): void {
    this.unsaved.delete(worker.name);
    if (worker.removed && this.byName.get(worker.name) === worker) this.markRemoved(worker);
  }

  /** Silence makes a worker suspect, then lost. */
  private judge(worker: Instance): void {
    const silence = this.silenceOf(worker);
    if (!this.recorder.canRecord) return;
    const health = this.healthAfter(silence, worker.health);
    if (health !== worker.health) {
      const msg = `worker ${worker.name} is ${health}: silent for ${Math.round(silence)} ms`;
      const line = { msg, instanceId: worker.id };
      // Who has said goodbye is expected to be silent.
      if (worker.drainsItself) this.logger.log(line);
      else this.logger.warn(line);
      this.fleet.updateInstance(worker, { health });
    }
    const isGone = worker.drainsItself || silence >= FORGOTTEN_MS;
    if (health === 'lost' && isGone && worker.backlog.heldCount === 0) this.forget(worker);
  }

  private healthAfter(silence: number, now: Health): Health {
    if (silence >= this.intervals.lostMs) return 'lost';
    if (silence >= this.intervals.suspectMs) return now === 'lost' ? 'lost' : 'suspect';
    return now;
  }

  /** It said goodbye, or was silent for a day. Its row says so too, at the next start at the latest. */
  private forget(worker: Instance): void {
    this.byName.delete(worker.name);
    this.fleet.removeInstance(worker);
    this.logger.log({ msg: `worker ${worker.name} is listed no more`, instanceId: worker.id });
    this.markRemoved(worker);
  }

  private markRemoved({ id, name }: Instance): void {
    this.register.remove(id).catch((error: unknown) => {
      this.logger.debug({ msg: `worker ${name} will be listed once more`, error });
    });
  }

  private view(worker: Instance): WorkerView {
    const { name, traits, slots, occupied, lastContact, health, draining } = worker;
    return {
      workerId: name,
      address: traits.endpoint,
      tags: traits.tags,
      maxTasks: slots,
      currentTasks: occupied,
      available: draining ? 0 : Math.max(0, slots - occupied),
      lastHeartbeatWallMs: lastContact,
      health,
    };
  }
}

function recordOf({ workerId, address, tags, maxTasks, resources }: Heartbeat) {
  const capacity = { ...NOTHING, ...resources, slots: maxTasks };
  return { name: workerId, endpoint: address, tags: [...new Set(tags)], capacity };
}

function sameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, n) => text === others[n]);
}

function sameSize(one: Resources, other: Resources): boolean {
  return (
    one.slots === other.slots &&
    one.cpu === other.cpu &&
    one.memoryGb === other.memoryGb &&
    one.gpuMemoryGb === other.gpuMemoryGb
  );
}
