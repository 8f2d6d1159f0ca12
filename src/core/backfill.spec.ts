import {
  demandOf,
  fleetRig,
  hostDraftOf,
  jobDraftOf,
  jobOf,
  newestHeld,
  placeAll,
  settingsOf,
  submitted,
  type FleetRig,
} from '../../test/support/builders';
import type { FakeClock } from '../../test/support/fake-clock';
import type { Fleet } from './fleet';
import { outlookOf } from './forecast';
import type { Instance } from './instance';
import { checkInvariants } from './invariants';
import { BATCH_QUEUE } from './queue';
import type { JobNeeds, Task, TaskDraft } from './task';
import { strategyName, taskId } from './units';

const HOUR = 3_600_000;

/** A fleet of hosts, and jobs that go by their names. */
class Cluster {
  readonly fleet: Fleet;
  readonly clock: FakeClock;
  private jobs = 0;

  constructor(rig: FleetRig = fleetRig({ defaults: settingsOf('earliest') })) {
    this.fleet = rig.fleet;
    this.clock = rig.clock;
  }

  host(name: string, cores: number, memoryGb?: number, labels?: JobNeeds['labels']): Instance {
    return this.fleet.addInstance(hostDraftOf(name, cores, memoryGb, labels));
  }

  /** A job of so many cores, and hours at most; placed only with the next `place`. */
  job(cores: number, hours = 1, overrides: Partial<TaskDraft> = {}): Task {
    const draft = jobDraftOf({
      id: taskId(`j-${String(++this.jobs).padStart(4, '0')}`),
      submittedAt: this.clock.now(),
      demand: demandOf(cores),
      attemptTimeoutMs: hours * HOUR,
      ...overrides,
    });
    return submitted(this.fleet, draft).task;
  }

  place(): number {
    const count = placeAll(this.fleet);
    expect(checkInvariants(this.fleet)).toEqual([]);
    return count;
  }

  end(task: Task): void {
    this.fleet.course.ended(newestHeld(this.fleet, task), { kind: 'succeeded', executionMs: 5 });
    this.fleet.forget(task);
  }

  because(task: Task): Readonly<Record<string, number>> | undefined {
    return outlookOf(this.fleet, task, this.clock.now()).waiting?.because;
  }

  /** Where each of them is; `-` for one that waits. */
  places(...tasks: readonly Task[]): string {
    return tasks.map(({ attempts }) => attempts.at(-1)?.instanceId ?? '-').join(' ');
  }
}

/** One host of four cores. */
function small(): Cluster {
  const cluster = new Cluster();
  cluster.host('a', 4);
  return cluster;
}

describe('placing jobs', () => {
  it('waits for a look at all of them', () => {
    const cluster = small();
    const job = cluster.job(1);
    expect(cluster.places(job)).toBe('-');
    cluster.place();
    expect(cluster.places(job)).toBe('a');
  });

  it('takes jobs before there is a host, and starts them when one comes', () => {
    const cluster = new Cluster();
    const job = cluster.job(2);
    cluster.place();
    expect([job.state, cluster.fleet.couldEverHold(job)]).toEqual(['queued', false]);
    cluster.host('a', 4);
    cluster.place();
    expect([cluster.places(job), cluster.fleet.couldEverHold(job)]).toEqual(['a', true]);
  });

  it('gives out no core, memory or slot twice', () => {
    const cluster = new Cluster();
    const host = cluster.host('a', 4, 10);
    const half = cluster.job(2, 1, { demand: demandOf(2, 6) });
    const other = cluster.job(2, 1, { demand: demandOf(2, 6) });
    const narrow = cluster.job(1, 1, { demand: demandOf(1, 4) });
    cluster.place();
    expect(cluster.places(half, other, narrow)).toBe('a - a');
    expect([host.room.cpu, host.room.memoryGb, host.room.slots]).toEqual([1, 0, 2]);
    expect(cluster.because(other)).toEqual({ busy: 1 });
    cluster.end(half);
    cluster.place();
    expect(cluster.places(other)).toBe('a');
  });

  it('starts a job only where all its labels are', () => {
    const cluster = new Cluster();
    cluster.host('a', 8, 16, { os: 'linux' });
    cluster.host('b', 2, 4, { os: 'linux', disk: 'ssd' });
    const needs = jobOf({ labels: { os: 'linux', disk: 'ssd' } });
    const [first, second] = [cluster.job(2, 1, { job: needs }), cluster.job(1, 1, { job: needs })];
    cluster.place();
    expect(cluster.places(first, second)).toBe('b -');
    expect(cluster.because(second)).toEqual({ labels: 1, busy: 1 });
    const nowhere = cluster.job(1, 1, { job: jobOf({ labels: { toString: 'x' } }) });
    expect(cluster.fleet.couldEverHold(nowhere)).toBe(false);
  });

  it('spreads jobs by default, and packs them under best_fit', () => {
    const cluster = new Cluster();
    cluster.host('a', 4);
    cluster.host('b', 8);
    const spread = [cluster.job(2), cluster.job(2), cluster.job(2)];
    cluster.place();
    expect(cluster.places(...spread)).toBe('a b b');
    for (const job of spread) cluster.end(job);
    cluster.fleet.configure(BATCH_QUEUE, { strategy: strategyName('best_fit') });
    const packed = [cluster.job(2), cluster.job(2), cluster.job(2)];
    cluster.place();
    expect(cluster.places(...packed)).toBe('a a b');
  });

  it('says why a job went where it went', () => {
    const cluster = new Cluster();
    for (const name of ['a', 'b', 'c']) cluster.host(name, 2);
    const tasks = [cluster.job(2), cluster.job(1)];
    cluster.place();
    expect(tasks[1]?.attempts[0]?.decision).toMatchObject({
      strategy: 'least_loaded',
      candidates: 2,
      waitMs: 0,
      completionMs: 100,
      runnerUp: { instanceId: 'c', waitMs: 0, completionMs: 100 },
      unfitBecause: { busy: 1 },
    });
  });

  it('refuses a strategy that binds early, and names those that it takes', () => {
    const { fleet } = small();
    const set = (): void =>
      fleet.configure(BATCH_QUEUE, { strategy: strategyName('shortest_queue') });
    expect(set).toThrow(/"shortest_queue" .*; valid: earliest, least_loaded, best_fit$/);
    expect(fleet.settingsFor(BATCH_QUEUE).strategy).toBe('least_loaded');
    fleet.configure(null, { strategy: strategyName('shortest_queue') });
    expect(fleet.settingsFor(BATCH_QUEUE).strategy).toBe('least_loaded');
  });

  it('gives nothing to hosts that drain, are silent, or whose queue is paused', () => {
    const cluster = new Cluster();
    const [a, b] = [cluster.host('a', 4), cluster.host('b', 4)];
    cluster.fleet.updateInstance(a, { drainAsked: true });
    cluster.fleet.updateInstance(b, { health: 'suspect' });
    const job = cluster.job(1);
    cluster.place();
    expect([cluster.places(job), cluster.because(job)]).toEqual(['-', { draining: 1, suspect: 1 }]);
    cluster.fleet.configure(BATCH_QUEUE, { paused: true });
    cluster.fleet.updateInstance(b, { health: 'online' });
    cluster.place();
    expect([cluster.places(job), cluster.because(job)]).toEqual(['-', { draining: 1, paused: 1 }]);
    cluster.fleet.configure(BATCH_QUEUE, { paused: false });
    cluster.place();
    expect(cluster.places(job)).toBe('b');
  });

  it('prefers another host after a loss, and takes the same one when there is no other', () => {
    const cluster = new Cluster();
    cluster.host('a', 1);
    const job = cluster.job(1, 1, { job: jobOf({ retryLimit: 1 }) });
    cluster.place();
    cluster.fleet.course.lost(newestHeld(cluster.fleet, job), 'gone');
    cluster.host('b', 1);
    cluster.clock.advance(120_000);
    cluster.fleet.stir();
    cluster.place();
    expect(cluster.places(job)).toBe('b');
  });

  it('places no more at once than it is asked to, and goes on from there', () => {
    const cluster = new Cluster();
    cluster.host('a', 10);
    const jobs = Array.from({ length: 7 }, (_, n) => cluster.job(1 + (n % 2)));
    const { changes, more } = cluster.fleet.placeWaiting(3);
    expect([changes.length, more]).toEqual([3, true]);
    expect(cluster.fleet.placeWaiting(9)).toMatchObject({ more: false });
    expect(jobs.map(({ state }) => state)).toEqual(jobs.map(() => 'dispatching'));
  });
});

describe('the order of jobs', () => {
  it('is priority first, then the aged order', () => {
    const cluster = new Cluster(fleetRig({ defaults: settingsOf('earliest', { orderG: 2 }) }));
    cluster.host('a', 1);
    const lengthy = {
      prediction: { serviceTime: jobDraftOf().prediction.serviceTime, method: 'x' },
    };
    const [first, urgent] = [cluster.job(1, 1, lengthy), cluster.job(1, 2, { priority: 5 })];
    cluster.place();
    expect(cluster.places(first, urgent)).toBe('- a');
  });

  it('lets a later job start that does not delay the first, and none that does', () => {
    const cluster = small();
    const running = cluster.job(3, 2);
    cluster.place();
    const wide = cluster.job(4, 1);
    const [short, long] = [cluster.job(1, 2), cluster.job(1, 3)];
    cluster.place();
    expect(cluster.places(running, wide, short, long)).toBe('a - a -');
    expect([cluster.because(wide), cluster.because(long)]).toEqual([{ busy: 1 }, { busy: 1 }]);
    cluster.end(short);
    const other = cluster.job(1, 3);
    cluster.place();
    expect([cluster.places(long, other), cluster.because(long)]).toEqual(['- -', { held_back: 1 }]);
  });

  it('lets jobs run on beside the first one where something is left over', () => {
    const cluster = small();
    const running = cluster.job(3, 2);
    cluster.place();
    const [wide, long, longer] = [cluster.job(3, 1), cluster.job(1, 9), cluster.job(1, 10)];
    cluster.place();
    expect(cluster.places(running, wide, long, longer)).toBe('a - a -');
  });

  it('lets go of what was kept for a job that is cancelled', () => {
    const cluster = small();
    const running = cluster.job(3, 2);
    cluster.place();
    const [wide, long] = [cluster.job(4, 1), cluster.job(1, 3)];
    cluster.place();
    expect(cluster.places(running, wide, long)).toBe('a - -');
    cluster.fleet.course.stop(wide, 'cancelled', 'asked');
    cluster.place();
    expect(cluster.places(long)).toBe('a');
  });

  it('holds back nobody on other hosts than the one that is kept', () => {
    const cluster = new Cluster();
    cluster.host('a', 4);
    cluster.host('b', 4);
    const running = [cluster.job(3, 2), cluster.job(3, 5)];
    cluster.place();
    const [wide, onB] = [cluster.job(4, 1), cluster.job(1, 9)];
    cluster.place();
    expect(cluster.places(...running, wide, onB)).toBe('a b - b');
  });

  it('keeps nothing for a job that no host could hold, and lets the others by', () => {
    const cluster = small();
    const running = cluster.job(2, 2);
    cluster.place();
    const [tooWide, later] = [cluster.job(5, 1), cluster.job(2, 9)];
    cluster.place();
    expect(cluster.places(running, tooWide, later)).toBe('a - a');
    expect([cluster.because(tooWide), cluster.fleet.couldEverHold(tooWide)]).toEqual([
      { too_small: 1 },
      false,
    ]);
  });

  it('keeps nothing on a host that gets no work', () => {
    const cluster = small();
    const large = cluster.host('large', 8);
    const running = [cluster.job(8, 1), cluster.job(2, 1)];
    cluster.place();
    cluster.fleet.updateInstance(large, { drainAsked: true });
    const [wide, later] = [cluster.job(8, 1), cluster.job(2, 9)];
    cluster.place();
    expect(cluster.places(...running, wide, later)).toBe('large a - a');
  });

  it('plans a job without a limit by the assumed one', () => {
    const cluster = small();
    const running = cluster.job(3, Infinity);
    cluster.place();
    const [wide, day, longer] = [cluster.job(4, 1), cluster.job(1, 24), cluster.job(1, 25)];
    cluster.place();
    expect(cluster.places(running, wide, day, longer)).toBe('a - a -');
  });

  it('looks for another host when something runs far beyond its limit', () => {
    const cluster = new Cluster();
    cluster.host('a', 4);
    cluster.host('b', 4);
    const endless = cluster.job(3, 1);
    cluster.place();
    const second = cluster.job(3, 10);
    cluster.place();
    const wide = cluster.job(4, 1);
    cluster.clock.advance(1.5 * HOUR);
    const early = cluster.job(1, 1);
    cluster.place();
    // The end on `a` may come at any moment: it is kept, and what comes goes to the other one.
    expect(cluster.places(endless, second, wide, early)).toBe('a b - b');
    cluster.end(early);
    cluster.clock.advance(8 * HOUR);
    const late = cluster.job(1, 2);
    cluster.place();
    expect(cluster.places(wide, late)).toBe('- a');
  });

  it('starves nobody: a wide job gets its turn among an endless stream of narrow ones', () => {
    const cluster = new Cluster(fleetRig({ defaults: settingsOf('earliest', { orderG: 2 }) }));
    cluster.host('a', 4);
    cluster.host('b', 4);
    const narrow = (): Task => cluster.job(1 + (cluster.clock.now() % 2), 2);
    let running: Task[] = Array.from({ length: 12 }, narrow);
    cluster.place();
    const wide = cluster.job(4, 1);
    let steps = 0;
    while (wide.state === 'queued') {
      expect(++steps).toBeLessThan(20);
      cluster.clock.advance(HOUR / 3 + 1);
      running.push(narrow(), narrow(), narrow());
      const over = running.filter(({ state }) => state === 'dispatching').slice(0, 3);
      for (const task of over) cluster.end(task);
      running = running.filter((task) => !over.includes(task));
      cluster.place();
    }
  });
});

describe('licences of jobs', () => {
  const withTool = (tokens: number): Partial<TaskDraft> => ({
    job: jobOf({ tool: 'vcs', tokens }),
  });

  it('are drawn from one pool on all hosts, and a new number is seen at once', () => {
    const cluster = new Cluster();
    cluster.host('a', 4);
    cluster.host('b', 4);
    cluster.fleet.licences.set('vcs', 3);
    const jobs = [2, 2, 1].map((tokens) => cluster.job(1, 1, withTool(tokens)));
    cluster.place();
    expect(cluster.places(...jobs)).toBe('a - b');
    expect(cluster.fleet.licences.all()).toEqual([{ name: 'vcs', tokens: 3, used: 3 }]);
    expect(jobs.slice(1, 2).map((job) => cluster.because(job))).toEqual([{ licences: 2 }]);
    cluster.fleet.licences.set('vcs', 5);
    cluster.place();
    expect(cluster.places(...jobs)).toBe('a a b');
    cluster.fleet.licences.set('vcs', 1);
    expect(cluster.fleet.licences.all()).toEqual([{ name: 'vcs', tokens: 1, used: 5 }]);
  });

  it('are seen when they come back from a host that stays full', () => {
    const cluster = new Cluster();
    const a = cluster.host('a', 2);
    cluster.fleet.licences.set('vcs', 1);
    const running = [cluster.job(1, 1, withTool(1)), cluster.job(1, 1)];
    cluster.place();
    cluster.fleet.updateInstance(a, { capacity: { ...a.capacity, slots: 1, cpu: 1 } });
    cluster.host('b', 1);
    const next = cluster.job(1, 1, withTool(1));
    cluster.place();
    expect(cluster.places(...running, next)).toBe('a a -');
    for (const task of running.slice(0, 1)) cluster.end(task);
    cluster.place();
    expect(cluster.places(next)).toBe('b');
  });

  it('are kept for the first job that waits for them', () => {
    const cluster = new Cluster();
    cluster.host('a', 8);
    cluster.fleet.licences.set('vcs', 3);
    const running = cluster.job(1, 2, withTool(2));
    cluster.place();
    const first = cluster.job(1, 1, withTool(3));
    const [longer, within, other] = [
      cluster.job(1, 3, withTool(1)),
      cluster.job(1, 2, withTool(1)),
      cluster.job(1, 3),
    ];
    cluster.place();
    expect(cluster.places(running, first, longer, within, other)).toBe('a - - a a');
    expect(cluster.because(longer)).toEqual({ licences: 1 });
  });

  it('let others by when there will never be enough of them', () => {
    const cluster = small();
    cluster.fleet.licences.set('vcs', 2);
    const running = cluster.job(1, 2, withTool(1));
    cluster.place();
    const [tooMany, later] = [cluster.job(1, 1, withTool(3)), cluster.job(1, 9, withTool(1))];
    cluster.place();
    expect(cluster.places(running, tooMany, later)).toBe('a - a');
  });
});
