import type { Held } from './backlog';
import type { Instance } from './instance';
import type { LicenceDraw, LicencePools } from './licences';
import { fits, give, NOTHING, take, type Resources } from './resources';
import type { Task } from './task';
import { after, type InstanceId, type Instant } from './units';

/** When a job that starts now would have to be through at the latest, and what it takes until then. */
export interface JobRun {
  readonly host: Instance;
  readonly demand: Resources;
  readonly draw: LicenceDraw;
  readonly endsAt: Instant;
}

/**
 * The host that a job gets which cannot start yet, and when: nobody may start before it who would
 * delay that (EASY backfill: Lifka, 1995). What is left over there and then may be had for longer.
 */
export class Reservation {
  /**
   * @param left what nobody has on the host then, the job being there
   * @param leftTokens the same of the pool that the job draws from
   */
  constructor(
    readonly host: Instance,
    readonly at: Instant,
    private left: Resources,
    private readonly pool: string | undefined,
    private leftTokens: number,
  ) {}

  /** True when the job could not start then if that one started now. */
  isDelayedBy({ host, demand, draw, endsAt }: JobRun): boolean {
    if (endsAt <= this.at) return false;
    if (host === this.host && !fits(demand, this.left)) return true;
    return this.sharesPool(draw) && draw.tokens > this.leftTokens;
  }

  /** That one starts now. */
  note({ host, demand, draw, endsAt }: JobRun): void {
    if (endsAt <= this.at) return;
    if (host === this.host) this.left = take(this.left, demand);
    if (this.sharesPool(draw)) this.leftTokens -= draw.tokens;
  }

  private sharesPool({ pool }: LicenceDraw): boolean {
    return pool !== undefined && pool === this.pool;
  }
}

/** What reservations are made from. */
export interface Outset {
  readonly licences: LicencePools;
  readonly now: Instant;
  /** How long a job without a limit of its own is taken to run, in ms. */
  readonly assumedLimitMs: number;
}

/**
 * Where the job fits first, if everything runs as long as its limit allows; undefined when it does not
 * even then.
 * @param hosts that could hold it
 */
export function earliestStart(
  task: Task,
  hosts: Iterable<Instance>,
  outset: Outset,
): Reservation | undefined {
  const { licences } = outset;
  const draw = licences.drawOf(task);
  const tokens: TokensOver = {
    free: draw.pool === undefined ? 0 : (licences.free().get(draw.pool) ?? 0),
    releases: releasesOf(licences.drawersOf(draw.pool), draw.pool, outset),
  };
  let first: Reservation | undefined;
  for (const host of hosts) {
    const found = startAt(host, task, draw, tokens, outset);
    if (found && (!first || found.at < first.at)) first = found;
  }
  return first;
}

/** The limit by which a job is planned, in ms: its own, else the assumed one. */
export function limitOf({ attemptTimeoutMs }: Task, assumedLimitMs: number): number {
  return Number.isFinite(attemptTimeoutMs) ? attemptTimeoutMs : assumedLimitMs;
}

/** What is given back, when. */
interface Release {
  readonly at: Instant;
  readonly host: InstanceId;
  readonly demand: Resources;
  readonly tokens: number;
}

/** Tokens of one pool: those that nobody has, and the others. */
interface TokensOver {
  readonly free: number;
  readonly releases: readonly Release[];
}

function startAt(
  host: Instance,
  { demand }: Task,
  { pool, tokens }: LicenceDraw,
  ofPool: TokensOver,
  outset: Outset,
): Reservation | undefined {
  const { backlog, id } = host;
  // Tokens come back from every host, the rest from this one.
  const elsewhere = ofPool.releases.filter((release) => release.host !== id);
  const releases = releasesOf(backlog.held, pool, outset)
    .concat(elsewhere.map((release) => ({ ...release, demand: NOTHING })))
    .sort((a, b) => a.at - b.at);
  let at = outset.now;
  let { room } = host;
  let left = ofPool.free;
  let next = 0;
  const isThere = (): boolean => fits(demand, room) && tokens <= left;
  for (let release = releases[next]; release; release = releases[++next]) {
    if (isThere() && release.at > at) break;
    at = release.at;
    room = give(room, release.demand);
    left += release.tokens;
  }
  return isThere() ? new Reservation(host, at, take(room, demand), pool, left - tokens) : undefined;
}

function releasesOf(
  held: Iterable<Held>,
  pool: string | undefined,
  { licences, now, assumedLimitMs }: Outset,
): Release[] {
  return [...held].map(({ attempt, task }) => {
    const draw = licences.drawOf(task);
    const begin = attempt.runningSince ?? attempt.reservedAt;
    return {
      at: after(now, remainderOf(limitOf(task, assumedLimitMs), now - begin)),
      host: attempt.instanceId,
      demand: task.demand,
      tokens: pool !== undefined && draw.pool === pool ? draw.tokens : 0,
    };
  });
}

/**
 * What is left of a limit. Behind it the end may come at any moment; what has run twice as long as it
 * was to, is taken to run as long again, so that nobody waits for ever for what never ends.
 */
function remainderOf(limitMs: number, elapsedMs: number): number {
  return elapsedMs >= 2 * limitMs ? elapsedMs : Math.max(0, limitMs - elapsedMs);
}
