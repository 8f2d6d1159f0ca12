import * as fc from 'fast-check';
import {
  draftOf,
  exactly,
  fleetRig,
  instanceDraftOf,
  settingsOf,
} from '../../test/support/builders';
import type { Held } from './backlog';
import type { Fleet } from './fleet';
import { checkInvariants } from './invariants';
import { BATCH_QUEUE } from './queue';
import { NOTHING } from './resources';
import { isActive, isLegalMove, isTerminal, type Change, type Task, type TaskState } from './task';
import { instanceId, taskId, type TaskId } from './units';

const HOSTS = ['h-1', 'h-2'];
/** What may happen to a job, whichever state it is in: reports come twice, and late. */
const STEPS = [
  'submit',
  'place',
  'pass',
  'sent',
  'confirmed',
  'started',
  'pause',
  'resume',
  'stop',
  'timeout',
  'halted',
  'succeeded',
  'failed',
  'returned',
  'lost',
  'host_away',
  'host_back',
] as const;

type StepKind = (typeof STEPS)[number];
interface Step {
  readonly kind: StepKind;
  readonly pick: number;
  readonly retryLimit: number;
  readonly slots: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...STEPS),
  pick: fc.nat(99),
  retryLimit: fc.nat(2),
  slots: fc.constantFrom(1, 1, 2, 3),
});

/** Plays steps on a fleet of hosts, and looks after each whether everything holds. */
class JobsDrive {
  private readonly rig = fleetRig({ defaults: settingsOf('least_loaded') });
  private readonly fleet: Fleet = this.rig.fleet;
  /** Where each job stood last, by what was said of it. */
  private readonly states = new Map<TaskId, TaskState>();
  private readonly retries = new Map<TaskId, number>();
  private count = 0;

  constructor() {
    for (const id of HOSTS) {
      const capacity = { ...NOTHING, slots: 3, cpu: 3, memoryGb: 6 };
      this.fleet.addInstance(
        instanceDraftOf(id, 3, { kind: 'host', queue: BATCH_QUEUE, port: 0, capacity }),
      );
    }
  }

  run(one: Step): void {
    const changes = this.play(one);
    for (const change of changes) this.follow(change);
    if (one.kind === 'failed' || one.kind === 'lost') this.countRetries(changes);
    for (const fault of checkInvariants(this.fleet)) throw new Error(fault);
    // Their record is safe at once here.
    for (const { task } of changes) if (isTerminal(task.state)) this.fleet.forget(task);
  }

  private play({ kind, pick, retryLimit, slots }: Step): readonly Change[] {
    const { course } = this.fleet;
    if (kind === 'submit') return this.submit(retryLimit, slots);
    if (kind === 'place') return this.fleet.placeWaiting(1 + (pick % 3)).changes;
    if (kind === 'pass') {
      this.rig.clock.advance(pick * 50);
      this.fleet.stir();
      return [];
    }
    if (kind === 'host_away' || kind === 'host_back') return this.turn(pick, kind === 'host_back');
    const task = [...this.fleet.tasks.values()].at(pick % Math.max(1, this.fleet.tasks.size));
    if (kind === 'stop') return task ? this.stop(task, 'cancelled') : [];
    if (kind === 'pause') return task ? course.pause(task, 'ada') : [];
    if (kind === 'resume') return task ? course.resume(task, null) : [];
    if (kind === 'timeout') {
      const isOut = task && task.state !== 'queued';
      return isOut ? this.stop(task, 'timed_out') : [];
    }
    const all = [...this.fleet.attempts.all()];
    const held = all.at(pick % Math.max(1, all.length));
    return held ? this.report(kind, held) : [];
  }

  private report(kind: StepKind, held: Held): readonly Change[] {
    const { course } = this.fleet;
    switch (kind) {
      case 'sent':
        course.sent(held);
        return [];
      case 'confirmed':
        return course.confirmed(held, held.attempt.dispatchId);
      case 'started':
        return course.started(held);
      case 'halted':
        return course.halted(held, 'ended by the stop', 5);
      case 'succeeded':
        return course.ended(held, { kind: 'succeeded', executionMs: 5 }).changes;
      case 'failed': {
        const outcome = { kind: 'failed', failure: 'exit', message: 'exited with 1' } as const;
        return course.ended(held, { ...outcome, executionMs: 5 }).changes;
      }
      case 'returned':
        return course.returned(held, 'refused');
      default:
        return course.lost(held, 'silent');
    }
  }

  private submit(retryLimit: number, slots: number): readonly Change[] {
    const submission = this.fleet.submit(
      draftOf({
        id: taskId(`j-${++this.count}`),
        kind: 'batch',
        queue: BATCH_QUEUE,
        submittedAt: this.rig.clock.now(),
        prediction: exactly(1_000),
        demand: { ...NOTHING, slots, cpu: slots, memoryGb: 2 * slots },
        attemptTimeoutMs: Infinity,
        job: { labels: {}, tool: '', tokens: 1, retryLimit },
      }),
    );
    return submission.kind === 'accepted' ? submission.changes : [];
  }

  private turn(pick: number, isBack: boolean): readonly Change[] {
    const host = this.fleet.instances.get(instanceId(HOSTS[pick % HOSTS.length] ?? ''));
    if (host) this.fleet.updateInstance(host, { health: isBack ? 'online' : 'suspect' });
    return [];
  }

  private countRetries(changes: readonly Change[]): void {
    for (const { task, event } of changes) {
      if (event.type !== 'requeued') continue;
      const retries = (this.retries.get(task.id) ?? 0) + 1;
      this.retries.set(task.id, retries);
      if (retries > (task.job?.retryLimit ?? 0) || retries !== task.retries)
        throw new Error(
          `${task.id} was tried again ${retries} times, by its record ${task.retries}`,
        );
    }
  }

  /** Nobody has seen an end of what is only asked to end. */
  private stop(task: Task, reason: 'cancelled' | 'timed_out'): readonly Change[] {
    const { state } = task;
    const changes = this.fleet.course.stop(task, reason, 'asked', 'ada');
    if (isActive(state) && task.state !== 'stopping')
      throw new Error(`${task.id} was ${state} and is ${task.state}`);
    return changes;
  }

  /** Every move begins where the last one ended, is legal, and an end is the last one. */
  private follow({ event: { taskId: id, from, to } }: Change): void {
    if (to === null) return;
    const before = this.states.get(id) ?? null;
    if (from !== before || !isLegalMove(from, to) || (before && isTerminal(before)))
      throw new Error(`${id} moved from ${String(from)} to ${to}, and was ${String(before)}`);
    this.states.set(id, to);
  }
}

describe('Fleet', () => {
  it('keeps its promises to jobs after every step of any sequence', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), (sequence) => {
        const drive = new JobsDrive();
        for (const one of sequence) drive.run(one);
      }),
      { numRuns: 2_000 },
    );
  });
});
