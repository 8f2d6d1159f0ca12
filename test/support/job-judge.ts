import type { Held } from '../../src/core/backlog';
import type { Fleet } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import { BATCH_QUEUE } from '../../src/core/queue';
import type { Task } from '../../src/core/task';
import type { Instant } from '../../src/core/units';
import { must } from './fleet-ledger';

const SLACK = 1e-9;

/** Cores, memory and slots of a host, and tokens of one pool: whatever a job takes. */
type Amounts = readonly [slots: number, cpu: number, memoryGb: number, tokens: number];

/** At this moment, before anything has ended. */
const AT_ONCE = null;

/** When a job could start, by the limits of what runs, and what is left over beside it. */
interface Prospect {
  readonly host: Instance;
  readonly at: number;
  readonly left: Amounts;
}

/**
 * What may start where, worked out anew from the attempts that are there: by trying every end of
 * everything that runs, without heaps, sums that are carried on, or lines of equal needs.
 */
export class JobJudge {
  /** @param helds attempts that may occupy hosts */
  constructor(
    private readonly fleet: Fleet,
    private readonly helds: readonly Held[],
    private readonly pools: ReadonlyMap<string, number>,
    private readonly now: Instant,
    private readonly assumedLimitMs: number,
  ) {}

  /** @throws {Error} when the job may not start at that host */
  mayStart(task: Task, host: Instance): void {
    const why = `${task.id} started at ${host.id}`;
    must(this.isReady(host), `${why}, which gets no work`);
    must(this.hasLabels(host, task), `${why}, which has not its labels`);
    must(this.fits(task, this.roomAt(host, AT_ONCE, task)), `${why}, which has no room for it`);
  }

  /** @throws {Error} when a job waits that could start without being in the way of the first one */
  expectNothingStartable(): void {
    let first: Prospect | undefined;
    let firstTask: Task | undefined;
    for (const task of this.waiting()) {
      for (const host of this.hosts()) {
        if (!this.isReady(host) || !this.fits(task, this.roomAt(host, AT_ONCE, task))) continue;
        if (!this.hasLabels(host, task)) continue;
        const isInTheWay = first && firstTask && this.delays(task, host, firstTask, first);
        must(isInTheWay === true, `${task.id} waits, and could start at ${host.id}`);
      }
      if (first) continue;
      first = this.promiseOf(task);
      firstTask = task;
    }
  }

  /** The first of all that wait, and when it could start; undefined when it never can as things are. */
  head(): { readonly task: Task; readonly at: number } | undefined {
    const [task] = this.waiting();
    const promise = task && this.promiseOf(task);
    return promise && { task, at: promise.at };
  }

  /** When the job could start at the latest; `Infinity` when nobody could hold it. */
  startOf(task: Task): number {
    return this.promiseOf(task)?.at ?? Infinity;
  }

  private waiting(): readonly Task[] {
    const g = this.fleet.settingsFor(BATCH_QUEUE).orderG;
    const key = (task: Task): number => task.submittedAt + g * task.prediction.serviceTime.mean;
    return [...this.fleet.tasks.values()]
      .filter(({ state, notBefore }) => state === 'queued' && (notBefore ?? 0) <= this.now)
      .sort((a, b) => b.priority - a.priority || key(a) - key(b) || (a.id < b.id ? -1 : 1));
  }

  private hosts(): readonly Instance[] {
    return [...(this.fleet.queues.get(BATCH_QUEUE)?.instances.values() ?? [])];
  }

  private isReady(host: Instance): boolean {
    const { paused } = this.fleet.settingsFor(BATCH_QUEUE);
    const { removed, draining, health, circuit } = host;
    if (paused || removed || draining || health !== 'online' || host.slots === 0) return false;
    return circuit.withholds(host.backlog.held, this.now) === undefined;
  }

  private hasLabels({ traits }: Instance, { job }: Task): boolean {
    return Object.entries(job?.labels ?? {}).every(
      ([name, value]) => traits.labels[name] === value,
    );
  }

  private promiseOf(task: Task): Prospect | undefined {
    const able = this.hosts().filter((host) => this.isReady(host) && this.hasLabels(host, task));
    const times = [...new Set(this.occupants().map((held) => this.endOf(held)))].sort(
      (a, b) => a - b,
    );
    for (const end of [AT_ONCE, ...times]) {
      for (const host of able) {
        const room = this.roomAt(host, end, task);
        const at = end ?? this.now;
        if (this.fits(task, room)) return { host, at, left: less(room, this.demandOf(task, task)) };
      }
    }
    return undefined;
  }

  private delays(
    task: Task,
    host: Instance,
    first: Task,
    { host: kept, at, left }: Prospect,
  ): boolean {
    if (this.now + this.limitOf(task) <= at) return false;
    const [slots, cpu, memoryGb] = this.demandOf(task, first);
    const isThere = host === kept;
    const tokens = this.poolOf(first) === undefined ? 0 : this.demandOf(task, first)[3];
    const taken: Amounts = isThere ? [slots, cpu, memoryGb, tokens] : [0, 0, 0, tokens];
    return less(left, taken).some((amount, n) => amount < -SLACK && (taken[n] ?? 0) > 0);
  }

  private fits(task: Task, room: Amounts): boolean {
    const demand = this.demandOf(task, task);
    return less(room, demand).every(
      (amount, n) => amount >= -SLACK || (n === 3 && demand[3] === 0),
    );
  }

  /** What nobody has at that time: of the host, and of the pool that the job draws from. */
  private roomAt({ id, capacity }: Instance, at: number | null, task: Task): Amounts {
    const { slots, cpu, memoryGb } = capacity;
    const pool = this.poolOf(task);
    let room: Amounts = [
      slots,
      cpu,
      memoryGb,
      pool === undefined ? 0 : (this.pools.get(pool) ?? 0),
    ];
    for (const held of this.occupants()) {
      if (at !== AT_ONCE && this.endOf(held) <= at) continue;
      const [s, c, m, tokens] = this.demandOf(held.task, task);
      const isHere = held.attempt.instanceId === id;
      room = less(room, isHere ? [s, c, m, tokens] : [0, 0, 0, tokens]);
    }
    return room;
  }

  private occupants(): readonly Held[] {
    return this.helds.filter(
      ({ attempt: { state, vacated } }) => !vacated && (state === 'live' || state === 'abandoned'),
    );
  }

  /** What the job takes, with its tokens only if they are of the pool of that other job. */
  private demandOf(task: Task, other: Task): Amounts {
    const { slots, cpu, memoryGb } = task.demand;
    const pool = this.poolOf(task);
    const isShared = pool !== undefined && pool === this.poolOf(other);
    return [slots, cpu, memoryGb, isShared ? (task.job?.tokens ?? 0) : 0];
  }

  private poolOf({ job }: Task): string | undefined {
    if (!job || job.tokens === 0) return undefined;
    if (job.tool !== '' && this.pools.has(job.tool)) return job.tool;
    return this.pools.has('default') ? 'default' : undefined;
  }

  private limitOf({ attemptTimeoutMs }: Task): number {
    return attemptTimeoutMs === Infinity ? this.assumedLimitMs : attemptTimeoutMs;
  }

  private endOf({ attempt, task }: Held): number {
    const begin = attempt.runningSince ?? attempt.reservedAt;
    const limit = this.limitOf(task);
    const elapsed = this.now - begin;
    if (elapsed >= 2 * limit) return this.now + elapsed;
    return Math.max(this.now, begin + limit);
  }
}

function less(from: Amounts, taken: Amounts): Amounts {
  return [from[0] - taken[0], from[1] - taken[1], from[2] - taken[2], from[3] - taken[3]];
}
