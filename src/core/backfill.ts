import { Heap } from 'heap-js';
import type { Instance } from './instance';
import { couldHold, hasLabels } from './job-fit';
import type { LicenceDraw } from './licences';
import type { NeedsLine } from './needs-line';
import { chooseOf, type Chosen, type Destination } from './placement';
import type { Random } from './ports';
import type { Queue } from './queue';
import { earliestStart, limitOf, type JobRun, type Outset, type Reservation } from './reservation';
import { fits, NOTHING, take, type Resources } from './resources';
import type { Decision, Expectation, Task } from './task';
import { after, type Instant } from './units';
import { isBefore, type WaitingLine } from './waiting-line';

/** A look costs some ms, and what it finds beyond what happened is seldom. */
const LOOK_AGAIN_MS = 60_000;

/** A job that starts now, and where. */
export interface JobStart extends Destination {
  readonly task: Task;
}

/** The first of a line of equal needs. */
interface Turn {
  readonly task: Task;
  readonly line: WaitingLine;
}

/**
 * One look at all jobs that wait, in their order (EASY backfill: Lifka, 1995). The first that cannot
 * start gets a reservation, by the limits of what runs; a later one starts if it does not delay that.
 * A job that no host could hold as things are gets none, and is in nobody's way.
 *
 * Between two calls of `next` nothing happens but that the job starts which was answered: so there is
 * ever less room, and what could not start once need not be looked at again.
 */
export class BackfillRound {
  private readonly turns: Heap<Turn>;
  private readonly room = new Map<Instance, Resources>();
  /** At least as much as there is on any host: most jobs that cannot start are known by it. */
  private readonly mostRoom: Resources;
  private readonly tokens: Map<string, number>;
  private reservation: Reservation | undefined;
  private started: WaitingLine | undefined;

  constructor(
    private readonly queue: Queue,
    jobs: NeedsLine,
    private readonly outset: Outset,
    private readonly random: Random,
  ) {
    const { orderG } = queue.settings;
    this.turns = new Heap((a, b) => (isBefore(a.task, b.task, orderG) ? -1 : 1));
    this.tokens = outset.licences.free();
    for (const host of queue.instances.values()) {
      if (host.isReady) this.room.set(host, host.room);
    }
    this.mostRoom = mostOf(this.room.values());
    if (this.room.size > 0) for (const line of jobs.lines) this.await(line);
  }

  /**
   * When to look again though nothing happens: what runs beyond its limit makes a reservation move by
   * the mere passing of time. Undefined while nothing is kept for anybody.
   */
  get lookAgainAt(): Instant | undefined {
    return this.reservation && after(this.outset.now, LOOK_AGAIN_MS);
  }

  /** The next job that starts; undefined when none does. Whoever asks starts it at once. */
  next(): JobStart | undefined {
    if (this.started) this.await(this.started);
    for (let turn = this.turns.pop(); turn; turn = this.turns.pop()) {
      const start = this.startOf(turn.task);
      this.started = start && turn.line;
      if (start) return start;
      this.reservation ??= this.reserve(turn.task);
    }
    return undefined;
  }

  /** Whoever is first in that line gets a turn. */
  private await(line: WaitingLine): void {
    const task = line.head(this.outset.now);
    if (task) this.turns.push({ task, line });
  }

  private startOf(task: Task): JobStart | undefined {
    const draw = this.outset.licences.drawOf(task);
    if (!this.hasTokens(draw) || !fits(task.demand, this.mostRoom)) return undefined;
    const hosts = [...this.room.keys()].filter((host) => this.takes(host, task, draw));
    const { now } = this.outset;
    const chosen = chooseOf(this.queue, hosts, task, now, this.random);
    if (!chosen) return undefined;
    this.note(this.runOf(task, chosen.instance, draw));
    const { instance, reason } = chosen;
    return { task, instance, reason, decision: this.decisionOf(task, chosen, hosts.length) };
  }

  private hasTokens({ pool, tokens }: LicenceDraw): boolean {
    return pool === undefined || tokens <= (this.tokens.get(pool) ?? 0);
  }

  private takes(host: Instance, task: Task, draw: LicenceDraw): boolean {
    // How ready it is may have changed within this round: one on trial gets one job.
    if (host.readiness !== 'free' || !fits(task.demand, this.room.get(host) ?? NOTHING))
      return false;
    return hasLabels(host, task) && !this.reservation?.isDelayedBy(this.runOf(task, host, draw));
  }

  private runOf(task: Task, host: Instance, draw: LicenceDraw): JobRun {
    const { now, assumedLimitMs } = this.outset;
    const endsAt = after(now, limitOf(task, assumedLimitMs));
    return { host, demand: task.demand, draw, endsAt };
  }

  private note(run: JobRun): void {
    const { host, demand, draw } = run;
    this.room.set(host, take(this.room.get(host) ?? NOTHING, demand));
    if (draw.pool !== undefined) {
      this.tokens.set(draw.pool, (this.tokens.get(draw.pool) ?? 0) - draw.tokens);
    }
    this.reservation?.note(run);
  }

  private reserve(task: Task): Reservation | undefined {
    const able = [...this.room.keys()].filter((host) => host.isReady && couldHold(host, task));
    return earliestStart(task, able, this.outset);
  }

  private decisionOf(task: Task, { instance, runnerUp }: Chosen, candidates: number): Decision {
    const { queue, outset } = this;
    const expected = ({ speed }: Instance): Expectation => {
      return { waitMs: 0, completionMs: task.prediction.serviceTime.mean / speed };
    };
    const unfitBecause = queue.census.unfit();
    const busy = queue.census.fit - candidates;
    if (busy > 0) unfitBecause['busy'] = busy;
    return {
      strategy: queue.strategy.name,
      decidedAt: outset.now,
      ...expected(instance),
      candidates,
      runnerUp: runnerUp ? { instanceId: runnerUp.id, ...expected(runnerUp) } : null,
      unfitBecause,
    };
  }
}

function mostOf(rooms: Iterable<Resources>): Resources {
  let most = NOTHING;
  for (const room of rooms) {
    most = {
      slots: Math.max(most.slots, room.slots),
      cpu: Math.max(most.cpu, room.cpu),
      memoryGb: Math.max(most.memoryGb, room.memoryGb),
      gpuMemoryGb: Math.max(most.gpuMemoryGb, room.gpuMemoryGb),
    };
  }
  return most;
}
