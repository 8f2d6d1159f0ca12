import type { Held } from '../../src/core/backlog';
import { Fleet, type FleetOptions } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import { checkInvariants } from '../../src/core/invariants';
import { SettingsBook, type SettingsChange } from '../../src/core/queue-settings';
import { ONE_SLOT } from '../../src/core/resources';
import { isTerminal, type Change, type Outcome, type TaskState } from '../../src/core/task';
import { taskId, type QueueKey, type TaskId } from '../../src/core/units';
import { JsqStrategy } from '../../src/simulation/jsq.strategy';
import { BUILT_IN, StrategyRegistry } from '../../src/strategies/strategy.registry';
import { BacklogBook, type Living } from './backlog-book';
import { draftOf, fleetRig, instanceDraftOf, settingsOf, taskOf } from './builders';
import { DecisionJudge } from './decision-judge';
import type { FakeClock } from './fake-clock';
import { FleetLedger, must, REMOTE_IDS } from './fleet-ledger';
import { restoreFleet, snapshotOf } from './fleet-record';
import {
  PREDICTORS,
  QUEUES,
  type AttemptStep,
  type InstanceChange,
  type Step,
} from './fleet-steps';

/** Small enough that sequences meet them. */
const LIMITS = { liveTasks: 14, livePayloadBytes: 400 };
/** Calls of `placeWaiting` in a row after which it is taken for endless. */
const PATIENCE = 200;

type StepOf<K extends Step['kind']> = Extract<Step, { readonly kind: K }>;

/** Does to a fleet what steps say, and looks at it after each one. */
export class FleetDrive {
  private readonly ledger = new FleetLedger();
  private readonly book = new BacklogBook();
  private readonly clock: FakeClock;
  private readonly options: FleetOptions;
  private fleet: Fleet;
  /** Every attempt that somebody may still speak of, over or not. */
  private helds: Held[] = [];
  /** What was set, in order; null is every queue. */
  private readonly settings: (readonly [QueueKey | null, SettingsChange])[] = [];
  /** What must hold of it. */
  private readonly settingsBook: SettingsBook;
  private predictions = PREDICTORS[0] ?? [];
  private names = 0;

  constructor() {
    const defaults = settingsOf('earliest', { limit: 8 });
    const strategies = new StrategyRegistry([...BUILT_IN, () => new JsqStrategy()]);
    const { fleet, clock, options } = fleetRig({ limits: LIMITS, defaults, strategies });
    this.fleet = fleet;
    this.clock = clock;
    this.options = options;
    this.settingsBook = new SettingsBook(defaults, options.batch.strategy);
  }

  /** @throws {Error} when something does not hold afterwards */
  run(step: Step): void {
    this.apply(step);
    const faults = checkInvariants(this.fleet);
    must(faults.length === 0, faults.join('; '));
    this.ledger.compare(this.fleet);
    this.book.compare(this.living);
  }

  private get living(): Living {
    return { fleet: this.fleet, helds: this.helds, now: this.clock.now() };
  }

  private apply(step: Step): void {
    switch (step.kind) {
      case 'submit':
        this.submit(step);
        break;
      case 'place':
        this.place(step);
        break;
      case 'attempt':
        this.attempt(step);
        break;
      case 'stop':
        this.stop(step);
        break;
      case 'revert':
        this.revert(step);
        break;
      case 'forget':
        this.forget(step);
        break;
      case 'join':
        this.join(step);
        break;
      case 'change':
        this.change(step);
        break;
      case 'remove':
        this.remove(step);
        break;
      case 'revive':
        this.revive(step);
        break;
      case 'move':
        this.move(step);
        break;
      case 'configure':
        this.configure(step);
        break;
      case 'lose':
        this.lose(step);
        break;
      case 'predictor':
        this.predictions = picked(PREDICTORS, step.which) ?? [];
        break;
      case 'decide':
        this.decide(step);
        break;
      case 'pass':
        this.clock.advance(step.ms);
        break;
      case 'restore':
        this.restore();
        break;
    }
  }

  // --- tasks -------------------------------------------------------------------------------------

  private submit({ queue, clientId, prediction, ...chosen }: StepOf<'submit'>): void {
    const draft = draftOf({
      id: taskId(`t-${++this.names}`),
      clientId,
      queue: QUEUES[queue] ?? draftOf().queue,
      submittedAt: this.clock.now(),
      prediction: this.predictions[prediction] ?? draftOf().prediction,
      priority: chosen.priority,
      maxAttempts: chosen.maxAttempts,
      payloadBytes: chosen.payloadBytes,
    });
    const expected = this.answerTo(draft.queue, clientId, draft.payloadBytes);
    const submission = this.fleet.submit(draft);
    const answer = submission.kind === 'rejected' ? submission.code : submission.kind;
    must(answer === expected, `submission was ${answer}, should be ${expected}`);
    if (submission.kind !== 'accepted') return;
    this.ledger.offer(draft);
    this.record(submission.changes);
    if (submission.task.state === 'queued') this.expectReasonToWait(draft.id);
  }

  private answerTo(key: QueueKey, clientId: string | null, payloadBytes: number): string {
    const live = this.ledger.remembered;
    if (clientId !== null && live.some(({ draft }) => draft.clientId === clientId)) return 'known';
    const queue = this.fleet.queues.get(key);
    if (!queue || queue.instances.size === 0) return 'no_instance';
    const bytes = live.reduce((sum, { draft }) => sum + draft.payloadBytes, payloadBytes);
    const isFull =
      this.ledger.waitingIn(queue).length >= this.settingsBook.of(key).limit ||
      live.length >= LIMITS.liveTasks ||
      bytes > LIMITS.livePayloadBytes;
    return isFull ? 'queue_full' : 'accepted';
  }

  /** With late binding a new task starts at once, unless no slot is free or somebody was there first. */
  private expectReasonToWait(id: TaskId): void {
    const task = this.fleet.tasks.get(id);
    const queue = task && this.fleet.queues.get(task.queue);
    if (!task || queue?.strategy.binding !== 'late') return;
    const now = this.clock.now();
    const isFree = [...queue.instances.values()].some((one) => this.ledger.isOpen(queue, one, now));
    const isFirst = queue.line.head(now) === task;
    must(!isFree || !isFirst, `${id} was first in line and a slot was free, yet it waits`);
  }

  private place({ limit, all }: StepOf<'place'>): void {
    const due = this.fleet.nextDue();
    if (due !== undefined && due <= this.clock.now()) this.fleet.stir();
    for (let call = 0; call < PATIENCE; call++) {
      const { changes, more } = this.fleet.placeWaiting(limit);
      this.record(changes);
      must(changes.length <= limit, `${changes.length} placements with a limit of ${limit}`);
      if (!more) this.expectRest();
      if (!more || !all) return;
    }
    throw new Error('placing never ends');
  }

  /** Nothing is left to do before something happens, or the time comes that the fleet names. */
  private expectRest(): void {
    const now = this.clock.now();
    this.ledger.expectNothingPlaceable(this.fleet, now);
    const due = this.fleet.nextDue();
    must(due === undefined || due > now, `next due ${String(due)} is over at ${now}`);
  }

  private decide({ queue: key, prediction, avoid }: StepOf<'decide'>): void {
    const queue = this.fleet.queues.get(QUEUES[key] ?? draftOf().queue);
    if (!queue) return;
    // As every placement does first.
    this.fleet.circuits.wakeRested();
    const members = [...queue.instances.keys()];
    const task = taskOf({
      queue: queue.key,
      prediction: this.predictions[prediction] ?? draftOf().prediction,
      avoid: avoid === null ? null : (picked(members, avoid) ?? null),
    });
    new DecisionJudge(queue, this.book, this.living).judge(task);
  }

  private attempt({ what, pick, stale }: StepOf<'attempt'>): void {
    const current = this.helds.filter(({ attempt }) => attempt.state !== 'ended');
    const held = picked(stale ? this.helds : current, pick);
    if (!held) return;
    const expected = this.report(held, what);
    this.ledger.expectState(held.task.id, expected);
  }

  /** @returns the state that the task must be in afterwards */
  private report(held: Held, what: AttemptStep): TaskState | null {
    const { ledger } = this;
    const { course } = this.fleet;
    const follow = (expected: TaskState | null, changes: readonly Change[]): TaskState | null => {
      this.record(changes);
      return expected;
    };
    switch (what) {
      case 'sent':
        course.sent(held);
        return follow(held.task.state, []);
      case 'confirmed': {
        const remoteId = picked(REMOTE_IDS, held.attempt.no) ?? '';
        return follow(ledger.confirmed(held), course.confirmed(held, remoteId));
      }
      case 'started':
        return follow(ledger.started(held), course.started(held));
      case 'vacated':
        return follow(ledger.vacated(held), course.vacated(held, null));
      case 'returned':
        return follow(ledger.returned(held), course.returned(held, 'refused'));
      case 'lost':
        return follow(ledger.lost(held), course.lost(held, 'silent'));
      case 'lost_here':
        return follow(ledger.lost(held), course.lost(held, 'answer lost', false));
      case 'accepted':
      case 'faulted': {
        const instance = this.fleet.instances.get(held.attempt.instanceId);
        if (instance) this.fleet.circuits[what](instance, held.attempt);
        return follow(held.task.state, []);
      }
      case 'succeeded':
      case 'failed':
        return this.end(held, what === 'succeeded');
    }
  }

  private end(held: Held, success: boolean): TaskState | null {
    const outcome: Outcome = success
      ? { kind: 'succeeded', executionMs: 5 }
      : { kind: 'failed', failure: 'worker_error', message: 'no', executionMs: null };
    const expected = this.ledger.ended(held, success);
    const ending = this.fleet.course.ended(held, outcome);
    must(ending.kind === expected.kind, `end was ${ending.kind}, should be ${expected.kind}`);
    this.record(ending.changes);
    return expected.state;
  }

  private stop({ pick, reason }: StepOf<'stop'>): void {
    const task = picked([...this.fleet.tasks.values()], pick);
    if (!task) return;
    const expected = this.ledger.stopped(task, reason);
    this.record(this.fleet.course.stop(task, reason, 'asked'));
    this.ledger.expectState(task.id, expected);
  }

  /** Only what was just submitted is undone, and never after it was sent. */
  private revert({ pick }: StepOf<'revert'>): void {
    const fresh = [...this.fleet.tasks.values()].filter(
      ({ state, attempts }) =>
        (state === 'queued' && attempts.length === 0) ||
        (state === 'dispatching' && attempts.length === 1 && attempts[0]?.sentAt === null),
    );
    const task = picked(fresh, pick);
    if (!task) return;
    this.fleet.revert(task);
    this.ledger.withdraw(task.id);
    this.helds = this.helds.filter((held) => held.task !== task);
  }

  private forget({ pick }: StepOf<'forget'>): void {
    const over = [...new Set(this.helds.map(({ task }) => task))].concat([
      ...this.fleet.tasks.values(),
    ]);
    const task = picked(
      over.filter(({ state }) => isTerminal(state)),
      pick,
    );
    if (!task) return;
    this.fleet.forget(task);
    this.ledger.forget(task.id);
  }

  /** An instance has been silent for too long: what it had is given up, one after the other. */
  private lose({ pick }: StepOf<'lose'>): void {
    this.withInstance(pick, (instance) => {
      this.fleet.updateInstance(instance, { health: 'lost' });
      for (const held of [...instance.backlog.held]) {
        const expected = this.ledger.lost(held);
        this.record(this.fleet.course.lost(held, 'silent'));
        this.ledger.expectState(held.task.id, expected);
      }
    });
  }

  // --- instances ---------------------------------------------------------------------------------

  private join({ queue, change }: StepOf<'join'>): void {
    const key = QUEUES[queue] ?? draftOf().queue;
    const instance = this.fleet.addInstance(
      instanceDraftOf(`i-${++this.names}`, change.slots ?? 1, { queue: key }),
    );
    this.update(instance, change);
  }

  private change({ pick, change }: StepOf<'change'>): void {
    this.withInstance(pick, (instance) => this.update(instance, change));
  }

  private update(instance: Instance, { slots, restMs, ...fields }: InstanceChange): void {
    this.fleet.updateInstance(instance, {
      ...fields,
      ...(slots === undefined ? {} : { capacity: { ...ONE_SLOT, slots } }),
    });
    const { foreignMs } = fields;
    if (foreignMs !== undefined) this.book.observe(instance.id, foreignMs, this.clock.now());
    if (restMs !== undefined) this.fleet.circuits.rest(instance, restMs);
  }

  private remove({ pick }: StepOf<'remove'>): void {
    this.withInstance(pick, (instance) => this.fleet.removeInstance(instance));
  }

  private revive({ pick }: StepOf<'revive'>): void {
    const removed = [...this.fleet.instances.values()].filter((instance) => instance.removed);
    const instance = picked(removed, pick);
    if (instance) this.fleet.reviveInstance(instance);
  }

  private move({ pick, queue }: StepOf<'move'>): void {
    const key = QUEUES[queue];
    this.withInstance(pick, (instance) => {
      if (key !== undefined && !instance.removed) this.fleet.moveInstance(instance, key);
    });
  }

  private withInstance(pick: number, act: (instance: Instance) => void): void {
    const instance = picked([...this.fleet.instances.values()], pick);
    if (instance) act(instance);
  }

  // --- the fleet as a whole ----------------------------------------------------------------------

  private configure({ queue, change }: StepOf<'configure'>): void {
    const key = queue === null ? null : (QUEUES[queue] ?? null);
    this.fleet.configure(key, change);
    this.settings.push([key, change]);
    this.settingsBook.change(key, change);
    for (const { key: each, settings } of this.fleet.queues.values()) {
      const [now, expected] = [settings, this.settingsBook.of(each)].map((one) =>
        JSON.stringify(one),
      );
      must(now === expected, `${each} is set to ${String(now)}, not ${String(expected)}`);
    }
  }

  /** The process dies, and another one makes the fleet anew from what was recorded. */
  private restore(): void {
    const before = snapshotOf(this.fleet);
    const restored = restoreFleet(this.fleet, this.options, this.settings);
    for (const { draft, state } of this.ledger.remembered) {
      if (state !== null && isTerminal(state)) this.ledger.forget(draft.id);
    }
    this.fleet = restored;
    this.helds = this.helds.flatMap(
      ({ attempt }) => restored.attempts.byDispatchId(attempt.dispatchId) ?? [],
    );
    const now = snapshotOf(restored);
    must(now === before, `restored as\n${now}\ninstead of\n${before}`);
  }

  private record(changes: readonly Change[]): void {
    this.ledger.record(this.fleet, changes, this.clock.now());
    for (const { event, attempts } of changes) {
      const attempt = attempts.at(-1);
      const held = event.type === 'reserved' && attempt ? this.fleet.held(attempt) : undefined;
      if (held) this.helds.push(held);
    }
  }
}

function picked<T>(list: readonly T[], pick: number): T | undefined {
  return list.length === 0 ? undefined : list[pick % list.length];
}
