import type { Held } from '../../src/core/backlog';
import { Fleet, type FleetOptions } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import { checkInvariants } from '../../src/core/invariants';
import { BATCH_QUEUE } from '../../src/core/queue';
import type { SettingsChange } from '../../src/core/queue-settings';
import { isTerminal, occupies, type Change, type Outcome } from '../../src/core/task';
import { taskId, type QueueKey } from '../../src/core/units';
import {
  demandOf,
  exactly,
  fleetRig,
  hostDraftOf,
  jobDraftOf,
  jobOf,
  settingsOf,
} from './builders';
import type { FakeClock } from './fake-clock';
import { must } from './fleet-ledger';
import { restoreFleet, snapshotOf } from './fleet-record';
import { JobJudge } from './job-judge';
import { LABELS, TOOLS, type HostChoice, type JobReport, type JobStep } from './job-steps';

type StepOf<K extends JobStep['kind']> = Extract<JobStep, { readonly kind: K }>;

/** Calls of `placeWaiting`, or rounds of ends, after which it is taken for endless. */
const PATIENCE = 300;
const ALL = 1_000;
const LONG_MS = 3 * 24 * 3_600_000;

/** Does to hosts and jobs what steps say, and looks at the fleet after each one. */
export class JobDrive {
  private readonly clock: FakeClock;
  private readonly options: FleetOptions;
  private fleet: Fleet;
  /** Attempts, over or not. */
  private helds: Held[] = [];
  private readonly pools = new Map<string, number>();
  private readonly settings: (readonly [QueueKey | null, SettingsChange])[] = [];
  private names = 0;
  /** When nothing was left to place. */
  private settledAt = 0;

  constructor() {
    const { fleet, clock, options } = fleetRig({ defaults: settingsOf('earliest') });
    [this.fleet, this.clock, this.options] = [fleet, clock, options];
  }

  /** @throws {Error} when something does not hold afterwards */
  run(step: JobStep): void {
    this.apply(step);
    const faults = checkInvariants(this.fleet);
    must(faults.length === 0, faults.join('; '));
  }

  /**
   * Nothing starves: when all hosts serve and what runs ends after a while, every job starts that a
   * host could hold, as far as there are tokens for it.
   * @throws {Error} when one does not
   */
  expectAllStart(): void {
    this.run({ kind: 'configure', change: { paused: null } });
    for (const host of this.fleet.instances.values()) {
      this.fleet.updateInstance(host, { health: 'online', drainAsked: false });
    }
    for (let round = 0; round < PATIENCE; round++) {
      this.run({ kind: 'pass', ms: LONG_MS });
      this.run({ kind: 'place', limit: ALL, all: true });
      const oldest = this.helds.find(({ attempt }) => occupies(attempt));
      if (!oldest) break;
      this.record(this.fleet.course.ended(oldest, SUCCESS).changes);
    }
    for (const task of this.fleet.tasks.values()) {
      if (task.state !== 'queued') continue;
      const isStuck = this.judge().startOf(task) === Infinity;
      must(isStuck, `${task.id} waits for ever, though it could start`);
    }
  }

  private apply(step: JobStep): void {
    switch (step.kind) {
      case 'submit': {
        this.submit(step);
        return;
      }
      case 'place': {
        this.place(step);
        return;
      }
      case 'report': {
        this.report(step.what, step.pick);
        return;
      }
      case 'stop': {
        this.stop(step.pick);
        return;
      }
      case 'join':
        return void this.fleet.addInstance(draftFrom(`h-${++this.names}`, step));
      case 'resize': {
        this.withHost(step.pick, (host) => {
          const { capacity, traits } = draftFrom(host.name, step);
          this.fleet.updateInstance(host, { capacity, ...(traits && { traits }) });
        });
        return;
      }
      case 'health': {
        this.withHost(step.pick, (host) => {
          this.fleet.updateInstance(host, { health: step.health });
        });
        return;
      }
      case 'drain': {
        this.withHost(step.pick, (host) => {
          this.fleet.updateInstance(host, { drainAsked: step.drainAsked });
        });
        return;
      }
      case 'remove': {
        this.withHost(step.pick, (host) => {
          if (!host.removed) this.fleet.removeInstance(host);
        });
        return;
      }
      case 'revive': {
        this.withHost(step.pick, (host) => {
          if (host.removed) this.fleet.reviveInstance(host);
        });
        return;
      }
      case 'licences': {
        this.setLicences(step);
        return;
      }
      case 'configure':
        this.settings.push([BATCH_QUEUE, step.change]);
        {
          this.fleet.configure(BATCH_QUEUE, step.change);
          return;
        }
      case 'pass': {
        this.clock.advance(step.ms);
        return;
      }
      case 'restore': {
        this.restore();
        return;
      }
    }
  }

  private submit({
    cores,
    memoryGb,
    limitMs,
    predictedMs,
    priority,
    ...needs
  }: StepOf<'submit'>): void {
    const draft = jobDraftOf({
      id: taskId(`j-${String(++this.names).padStart(5, '0')}`),
      submittedAt: this.clock.now(),
      demand: demandOf(cores, memoryGb),
      job: jobOf({
        labels: LABELS[needs.labels] ?? {},
        tool: TOOLS[needs.tool] ?? '',
        tokens: needs.tokens,
        retryLimit: needs.retryLimit,
      }),
      attemptTimeoutMs: limitMs,
      prediction: exactly(predictedMs),
      priority,
    });
    const { kind } = this.fleet.submit(draft);
    must(kind === 'accepted', `a job was ${kind}`);
    const hosts = [...(this.fleet.queues.get(BATCH_QUEUE)?.instances.values() ?? [])];
    const isPossible = hosts.some(
      ({ capacity, traits }) =>
        cores <= capacity.cpu &&
        memoryGb <= capacity.memoryGb &&
        Object.entries(draft.job?.labels ?? {}).every(
          ([name, value]) => traits.labels[name] === value,
        ),
    );
    must(this.fleet.couldEverHold(draft) === isPossible, `${draft.id} could be held, or not`);
  }

  private place({ limit, all }: StepOf<'place'>): void {
    const now = this.clock.now();
    const due = this.fleet.nextDue();
    if (due !== undefined && due <= now) this.fleet.stir();
    // By what runs beyond its limit something may have become possible that is not looked for yet.
    const isLater = due !== undefined && due > now && this.settledAt < now;
    const before = this.judge().head();
    for (let call = 0; call < PATIENCE; call++) {
      const { changes, more } = this.fleet.placeWaiting(limit);
      must(changes.length <= limit, `${changes.length} placements with a limit of ${limit}`);
      for (const change of changes) this.judgeStart(change);
      if (more && all) continue;
      if (!more && !isLater) this.expectRest(before);
      if (!more) this.settledAt = now;
      return;
    }
    throw new Error('placing never ends');
  }

  private judgeStart(change: Change): void {
    const attempt = change.attempts.at(-1);
    const host = attempt && this.fleet.instances.get(attempt.instanceId);
    must(host !== undefined, `${change.task.id} went nowhere`);
    this.judge().mayStart(change.task, host);
    this.record([change]);
  }

  /** What is looked at only when something happens is settled then: nobody waits without need. */
  private expectRest(before: ReturnType<JobJudge['head']>): void {
    const judge = this.judge();
    judge.expectNothingStartable();
    if (before?.task.state !== 'queued') return;
    const later = judge.startOf(before.task);
    must(later <= before.at, `${before.task.id} was delayed from ${before.at} to ${later}`);
  }

  private report(what: JobReport, pick: number): void {
    const held = picked(
      this.helds.filter(({ attempt }) => attempt.state !== 'ended'),
      pick,
    );
    if (!held) return;
    const { course } = this.fleet;
    switch (what) {
      case 'sent': {
        course.sent(held);
        return;
      }
      case 'confirmed': {
        this.record(course.confirmed(held, held.attempt.dispatchId));
        return;
      }
      case 'started': {
        this.record(course.started(held));
        return;
      }
      case 'succeeded': {
        this.record(course.ended(held, SUCCESS).changes);
        return;
      }
      case 'failed': {
        this.record(course.ended(held, FAILURE).changes);
        return;
      }
      case 'returned': {
        this.record(course.returned(held, 'absent'));
        return;
      }
      case 'lost': {
        this.record(course.lost(held, 'silent'));
        return;
      }
      case 'halted': {
        this.record(course.halted(held, 'it is gone', 5));
        return;
      }
    }
  }

  private stop(pick: number): void {
    const task = picked([...this.fleet.tasks.values()], pick);
    if (task) this.record(this.fleet.course.stop(task, 'cancelled', 'asked'));
  }

  private setLicences({ tool, tokens }: StepOf<'licences'>): void {
    const name = TOOLS[tool] ?? '';
    if (name === '') return;
    if (tokens === null) {
      const isKnown = this.pools.delete(name);
      must(this.fleet.licences.delete(name) === isKnown, `the pool ${name} was there, or not`);
    } else {
      this.pools.set(name, tokens);
      this.fleet.licences.set(name, tokens);
    }
  }

  private withHost(pick: number, act: (host: Instance) => void): void {
    const host = picked([...this.fleet.instances.values()], pick);
    if (host) act(host);
  }

  private restore(): void {
    const before = snapshotOf(this.fleet);
    this.fleet = restoreFleet(this.fleet, this.options, this.settings);
    this.helds = this.helds.flatMap(
      ({ attempt }) => this.fleet.attempts.byDispatchId(attempt.dispatchId) ?? [],
    );
    const now = snapshotOf(this.fleet);
    must(now === before, `restored as\n${now}\ninstead of\n${before}`);
  }

  private record(changes: readonly Change[]): void {
    for (const { event, attempts, task } of changes) {
      const attempt = attempts.at(-1);
      const held = event.type === 'reserved' && attempt ? this.fleet.held(attempt) : undefined;
      if (held) this.helds.push(held);
      if (isTerminal(task.state)) this.fleet.forget(task);
    }
  }

  private judge(): JobJudge {
    const { assumedLimitMs } = this.options.batch;
    return new JobJudge(this.fleet, this.helds, this.pools, this.clock.now(), assumedLimitMs);
  }
}

const SUCCESS: Outcome = { kind: 'succeeded', executionMs: 5 };
const FAILURE: Outcome = { kind: 'failed', failure: 'exit', message: 'exit 1', executionMs: 5 };

function draftFrom(name: string, { cores, labels }: HostChoice) {
  return hostDraftOf(name, cores, 2 * cores, LABELS[labels]);
}

function picked<T>(list: readonly T[], pick: number): T | undefined {
  return list.length === 0 ? undefined : list[pick % list.length];
}
