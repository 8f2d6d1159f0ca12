import type { Held } from '../../src/core/backlog';
import { sumMoments, type Moments } from '../../src/core/distribution';
import type { Fleet } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import type { Task } from '../../src/core/task';
import type { InstanceId, Instant } from '../../src/core/units';
import { must } from './fleet-ledger';

/** Relative error that sums in another order may have. */
const ROUNDING = 1e-9;

/** The tasks and attempts that are alive, as somebody knows them who has seen every event. */
export interface Living {
  readonly fleet: Fleet;
  /** In the order of reservation. */
  readonly helds: readonly Held[];
  readonly now: Instant;
}

/**
 * What the backlog of every instance must be: added up anew, after each event, over the tasks and
 * attempts that are alive then. Nothing is carried on from one event to the next but what the
 * instances have said of foreign work.
 */
export class BacklogBook {
  private readonly foreign = new Map<InstanceId, { readonly ms: number; readonly at: Instant }>();

  /** The instance says that it has so much work that is not ours. */
  observe(id: InstanceId, ms: number, at: Instant): void {
    this.foreign.set(id, { ms, at });
  }

  /** @throws {Error} when a backlog is not the sum over what is alive */
  compare(living: Living): void {
    for (const instance of living.fleet.instances.values()) this.compareOne(instance, living);
  }

  /** Moments of the wait of a task that comes now, behind all that is bound to the instance. */
  wait(instance: Instance, living: Living): Moments {
    const planned = [...instance.backlog.plannedTasks()].map(({ prediction }) =>
      scaled(prediction.serviceTime, instance.speed),
    );
    return this.earliest(instance, [...heldAt(instance, living), ...planned], living.now);
  }

  /** The same of a task that is sent now: only what the instance has is ahead of it. */
  turn(instance: Instance, living: Living): Moments {
    return this.earliest(instance, heldAt(instance, living), living.now);
  }

  private compareOne(instance: Instance, living: Living): void {
    const { id, backlog, pace, slots, speed } = instance;
    const { now } = living;
    const planned = plannedAt(instance, living);
    const waiting = sumMoments(planned.map(({ prediction }) => prediction.serviceTime));
    const held = heldAt(instance, living);
    const own = sumMoments(held).mean / Math.max(1, slots);
    const foreign = this.foreignMs(id, now);
    same(`work planned on ${id}`, backlog.plannedMoments, waiting);
    const listed = new Set(backlog.plannedTasks());
    const isSame = listed.size === planned.length && planned.every((task) => listed.has(task));
    must(isSame, `${id} plans other tasks than those that are planned there`);
    close(`own work of ${id}`, backlog.ownMs(pace, now), own);
    close(`foreign work of ${id}`, backlog.foreignMs(now), foreign);
    const drain = now + foreign + own + waiting.mean / (Math.max(1, slots) * speed);
    close(`end of the work of ${id}`, backlog.drainsAt(pace, now), drain);
    const ends = dealt(held, slots);
    for (const [slot, end] of backlog.slotEnds(pace, now).entries()) {
      const { mean, variance } = ends[slot] ?? NOTHING;
      same(`slot ${slot} of ${id}`, end, { mean: mean + foreign, variance });
    }
    same(`wait at ${id}`, backlog.wait(pace, now), this.wait(instance, living));
    close(`turn at ${id}`, backlog.turnMs(pace, now), this.turn(instance, living).mean);
  }

  private earliest({ id, slots }: Instance, pieces: readonly Moments[], now: Instant): Moments {
    const [first = NOTHING] = dealt(pieces, slots).sort((a, b) => a.mean - b.mean);
    return { mean: first.mean + this.foreignMs(id, now), variance: first.variance };
  }

  private foreignMs(id: InstanceId, now: Instant): number {
    const { ms, at } = this.foreign.get(id) ?? { ms: 0, at: now };
    return Math.max(0, ms - (now - at));
  }
}

const NOTHING: Moments = { mean: 0, variance: 0 };

/** What remains of each attempt that occupies the instance, as time there. */
function heldAt({ id, speed }: Instance, { helds, now }: Living): readonly Moments[] {
  const occupants = helds.filter(
    ({ attempt: { instanceId, state, vacated } }) =>
      instanceId === id && !vacated && (state === 'live' || state === 'abandoned'),
  );
  return occupants.map(({ attempt: { runningSince }, task: { prediction } }) => {
    const { serviceTime } = prediction;
    if (runningSince === null) return scaled(serviceTime, speed);
    return scaled(serviceTime.remaining((now - runningSince) * speed), speed);
  });
}

function plannedAt({ id }: Instance, { fleet }: Living): readonly Task[] {
  return [...fleet.tasks.values()].filter(
    ({ state, plannedOn }) => state === 'queued' && plannedOn === id,
  );
}

/** Each piece goes to the slot that ends first; of equal ones to the first. */
function dealt(pieces: readonly Moments[], slots: number): Moments[] {
  const ends = Array.from({ length: Math.max(1, slots) }, () => NOTHING);
  for (const piece of pieces) {
    const least = Math.min(...ends.map(({ mean }) => mean));
    const first = ends.findIndex(({ mean }) => mean === least);
    ends[first] = sumMoments([ends[first] ?? NOTHING, piece]);
  }
  return ends;
}

function scaled({ mean, variance }: Moments, speed: number): Moments {
  return { mean: mean / speed, variance: variance / speed ** 2 };
}

function same(what: string, actual: Moments, expected: Moments): void {
  close(`mean of ${what}`, actual.mean, expected.mean);
  close(`variance of ${what}`, actual.variance, expected.variance);
}

function close(what: string, actual: number, expected: number): void {
  const slack = ROUNDING * Math.max(1, Math.abs(expected));
  must(Math.abs(actual - expected) <= slack, `${what} is ${actual}, the sum is ${expected}`);
}
