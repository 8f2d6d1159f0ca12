import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Held } from '../core/backlog';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import {
  isTerminal,
  occupies,
  type Attempt,
  type Change,
  type Outcome,
  type Task,
} from '../core/task';
import type { TaskId } from '../core/units';
import { crashPoint } from '../ops/crash-points';
import { CLOCK } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InstancesRepository } from '../persistence/instances.repository';
import { believable } from './believable';
import { EarlyReports, FETCH_RESULT, type EndReport } from './early-reports';
import { assertControllable } from './job-control';
import { TaskHistory } from './task-history';
import { TaskRecorder } from './task-recorder';
import { isEnd, isOfAnother, type Report, type ReportAnswer } from './worker-report';

/** Half of the tasks that are predicted so are over by then, in ms. */
const SHORT_MS = 50;

/**
 * How attempts end. Reports, polls and refusals all come here; each attempt ends once, and the
 * answer to a worker waits for the commit.
 */
@Injectable()
export class TaskLifecycle {
  private readonly logger = new Logger(TaskLifecycle.name);
  private readonly early = new EarlyReports();
  /** Ends that are decided but not committed yet: a repeat waits for the same commit. */
  private readonly recording = new Map<TaskId, Promise<void>>();

  constructor(
    private readonly fleet: Fleet,
    private readonly recorder: TaskRecorder,
    private readonly history: TaskHistory,
    private readonly instances: InstancesRepository,
    private readonly bell: WakeupBell,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * A worker's own word.
   * @throws {SchedulerError} store_unavailable while it could not be recorded: the worker repeats
   */
  async report(report: Report): Promise<ReportAnswer> {
    crashPoint('report:read');
    const instance = this.reporterOf(report);
    if (!instance) return { kind: 'unknown_instance' };
    this.noteContact(instance);
    const held = await this.attemptOf(report, instance);
    if (!held) return this.reportOfUnknown(report, instance);
    if (held.attempt.instanceId !== instance.id) return this.foreign(held.task, report, instance);
    if (isOfAnother(held, report)) return this.tooLate(held.task, report, instance);
    this.assertRecordable();
    const answer = await this.apply(held, report);
    crashPoint('report:recorded');
    return answer;
  }

  /** Ends an attempt, whoever found out. While PostgreSQL is away the commit is waited for. */
  async end(held: Held, outcome: Outcome, result: string | null): Promise<ReportAnswer> {
    const { task } = held;
    const ending = this.fleet.course.ended(held, this.believable(held, outcome));
    this.bell.signal();
    if (ending.kind === 'recorded') {
      await this.recordEnd(task, ending.changes, result);
      return { kind: 'recorded', task };
    }
    await this.recorder.record(ending.changes);
    if (ending.kind === 'retried') return { kind: 'recorded', task };
    await this.recording.get(task.id);
    const { finishedAt, submittedAt } = task;
    return { kind: 'repeated', totalMs: finishedAt === null ? null : finishedAt - submittedAt };
  }

  /** What a worker said of its own accord: the end with its result, or only that it is through. */
  private async apply(held: Held, report: EndReport): Promise<ReportAnswer> {
    const { outcome, result } = report;
    if (isEnd(held, report))
      return this.end(held, outcome, result === FETCH_RESULT ? null : result);
    const { executionMs } = this.believable(held, outcome);
    const changes = this.fleet.course.vacated(held, executionMs);
    this.bell.signal();
    await this.recorder.record(changes);
    return { kind: 'recorded', task: held.task };
  }

  /** The worker has the attempt, under this id; a completion may have been quicker than that. */
  async confirmed(held: Held, remoteId: string): Promise<void> {
    const { instanceId } = held.attempt;
    const older = this.fleet.attempts.byRemoteId(remoteId, instanceId);
    // Before anything is waited for: from here on a report of this id means this attempt.
    const changes = this.fleet.course.confirmed(held, remoteId);
    const early = this.early.take(instanceId, remoteId);
    // The worker was told that its report is kept: it is applied even while PostgreSQL is away.
    await Promise.all([
      older && older !== held && this.forgetNamesake(older, remoteId),
      this.recorder.record(changes, null, isShort(held)),
      early && this.apply(held, early),
    ]);
  }

  /** A worker that hands an id out again has restarted, and does not have the older attempt. */
  private forgetNamesake(older: Held, remoteId: string): Promise<void> {
    return this.lost(older, `its worker handed the id ${remoteId} out again`);
  }

  /**
   * True when the worker's id can only mean this attempt: not after another registration, when a
   * restarted worker may have handed the same id out again.
   */
  trustsRemoteId(held: Held, instance: Instance): boolean {
    const { remoteId, registration } = held.attempt;
    if (remoteId === null) return false;
    if (registration !== instance.registration && !instance.provesAbsence) return false;
    return this.fleet.attempts.byRemoteId(remoteId, instance.id) === held;
  }

  /** The attempt is given up; its success still counts. */
  async lost(held: Held, why: string, elsewhere = true): Promise<void> {
    const changes = this.fleet.course.lost(held, why, elsewhere);
    this.bell.signal();
    await this.recordStep(held.task, changes);
  }

  /** The worker provably does not have the attempt. */
  async returned(held: Held, why: string): Promise<void> {
    const changes = this.fleet.course.returned(held, why);
    this.bell.signal();
    await this.recordStep(held.task, changes);
  }

  /** The attempt is known to execute. */
  async started(held: Held): Promise<void> {
    await this.recorder.record(this.fleet.course.started(held));
  }

  /** What was being stopped, or is abandoned, has ended by that. */
  async halted(
    held: Held,
    why: string,
    executionMs: number | null,
    result: string | null,
  ): Promise<void> {
    const changes = this.fleet.course.halted(held, why, executionMs);
    this.bell.signal();
    await this.recordStep(held.task, changes, result);
  }

  /**
   * Stops a task that is live. A job is only `stopping` then, or `cancelled` if it waited: its end
   * is yet to be seen.
   * @param operator who asked for it; null when nobody did
   * @returns false when it had ended before, in another way; its end is recorded then
   * @throws {SchedulerError} store_unavailable; nothing has changed then
   */
  async stop(
    task: Task,
    reason: 'cancelled' | 'timed_out',
    why: string,
    operator: string | null = null,
  ): Promise<boolean> {
    this.assertRecordable();
    const changes = this.fleet.course.stop(task, reason, why, operator);
    this.bell.signal();
    if (changes.length > 0) await this.recordStep(task, changes);
    else await this.recording.get(task.id);
    return changes.length > 0 || task.state === 'stopping';
  }

  /**
   * Lets a job stand still that runs. The answer means that it is recorded; the signal follows.
   * @param operator who asked for it; null when nobody did
   * @returns false when it is paused already
   * @throws {SchedulerError} forbidden_transition in any other state, and at a host with a prefix;
   *   store_unavailable. Nothing has changed then
   */
  async pause(task: Task, operator: string | null): Promise<boolean> {
    if (task.state === 'paused') return false;
    this.assertRecordable();
    assertControllable(this.fleet, task, 'running', 'paused');
    return this.control(this.fleet.course.pause(task, operator));
  }

  /**
   * Lets a paused job go on. The answer means that it is recorded; the signal follows.
   * @param operator who asked for it; null when nobody did
   * @returns false when it runs already
   * @throws {SchedulerError} as `pause`
   */
  async resume(task: Task, operator: string | null): Promise<boolean> {
    if (task.state === 'running') return false;
    this.assertRecordable();
    assertControllable(this.fleet, task, 'paused', 'resumed');
    return this.control(this.fleet.course.resume(task, operator));
  }

  private async control(changes: readonly Change[]): Promise<boolean> {
    this.bell.signal();
    await this.recorder.record(changes);
    return changes.length > 0;
  }

  /**
   * Ends attempts that are past their time limit, and abandoned ones that never ended; drops early
   * reports that nobody asked for.
   */
  async expireOverdue(): Promise<void> {
    const now = this.clock.now();
    this.early.dropOld(now);
    const overdue: Promise<unknown>[] = [];
    for (const held of this.everyHeld()) {
      const { attempt, task } = held;
      const age = now - (attempt.sentAt ?? attempt.reservedAt);
      const isOpen = attempt.state === 'live' && task.state !== 'stopping';
      if (isOpen && age > task.attemptTimeoutMs) {
        const why = `attempt ${attempt.no} took longer than its limit of ${task.attemptTimeoutMs} ms`;
        overdue.push(this.stop(task, 'timed_out', why));
      } else if (isForgotten(held, age)) {
        overdue.push(this.returned(held, 'abandoned attempt never ended'));
      }
    }
    await Promise.all(overdue);
  }

  /**
   * Every attempt that occupies an instance or whose result is still to be fetched. Not those of
   * placements, of which nobody says how they ended.
   */
  everyHeld(): readonly Held[] {
    const { attempts } = this.fleet;
    return [...attempts.of('model'), ...attempts.of('batch')].filter(
      ({ attempt }) => occupies(attempt) || (attempt.vacated && attempt.state !== 'ended'),
    );
  }

  /** What may have been the end of the task. */
  private recordStep(
    task: Task,
    changes: readonly Change[],
    result: string | null = null,
  ): Promise<void> {
    return isTerminal(task.state)
      ? this.recordEnd(task, changes, result)
      : this.recorder.record(changes);
  }

  private async recordEnd(
    task: Task,
    changes: readonly Change[],
    result: string | null,
  ): Promise<void> {
    const written = this.recorder.record(changes, result);
    this.recording.set(task.id, written);
    try {
      await written;
    } finally {
      this.recording.delete(task.id);
    }
  }

  /**
   * Who speaks. Of several that have the same name it is the one that has what is spoken of, and
   * nobody as long as that may be another one's, too.
   */
  private reporterOf({ instanceRef, taskRef, dispatchId }: Report): Instance | undefined {
    const called = this.fleet.instancesCalled(instanceRef);
    if (called.length < 2) return called[0];
    const { attempts } = this.fleet;
    if (dispatchId !== null) {
      const at = attempts.byDispatchId(dispatchId)?.attempt.instanceId;
      return called.find(({ id }) => id === at) ?? called.at(-1);
    }
    const task = this.fleet.findTask('model', taskRef);
    const isAt = ({ id }: Instance): boolean =>
      task
        ? task.attempts.some(({ instanceId }) => instanceId === id)
        : attempts.byRemoteId(taskRef, id) !== undefined;
    const [speaker, ...others] = called.filter(
      (one) => isAt(one) || (!task && this.awaitsAnswer(one)),
    );
    return others.length === 0 ? speaker : undefined;
  }

  private async attemptOf(
    { taskRef, dispatchId }: Report,
    instance: Instance,
  ): Promise<Held | undefined> {
    const { attempts } = this.fleet;
    const byDispatch = dispatchId === null ? undefined : attempts.byDispatchId(dispatchId);
    if (byDispatch) return byDispatch;
    const task = this.fleet.findTask('model', taskRef);
    if (task) return this.attemptOn(task, instance);
    const named =
      (await this.attemptNamed(taskRef, instance)) ?? leftBehind(taskRef, instance.backlog.held);
    if (named || this.awaitsAnswer(instance)) return named;
    const elsewhere = attempts.byRemoteId(taskRef);
    return elsewhere?.attempt.instanceId === instance.id ? undefined : elsewhere;
  }

  /** By the worker's own id, which may be that of a newer attempt since the worker restarted. */
  private async attemptNamed(remoteId: string, instance: Instance): Promise<Held | undefined> {
    const named = this.fleet.attempts.byRemoteId(remoteId, instance.id);
    if (!named || this.trustsRemoteId(named, instance)) return named;
    if (this.awaitsAnswer(instance)) return undefined;
    const newest = await this.history.findByRemoteId('model', remoteId, instance.id);
    return newest && newest.id !== named.task.id ? undefined : named;
  }

  /** Of the task's attempts the one that this instance would speak of. */
  private attemptOn(task: Task, instance: Instance): Held | undefined {
    const newestFirst = [...task.attempts].reverse();
    const here = newestFirst.filter(({ instanceId }) => instanceId === instance.id);
    const order: readonly Attempt['state'][] = ['live', 'lost', 'abandoned', 'ended'];
    const spokenOf = order.flatMap((state) => here.filter((attempt) => attempt.state === state));
    const attempt = spokenOf[0] ?? newestFirst[0];
    return attempt && this.fleet.held(attempt);
  }

  private async reportOfUnknown(report: Report, instance: Instance): Promise<ReportAnswer> {
    // Before the history is asked: a restarted worker gives the ids of finished tasks to new ones.
    if (report.dispatchId === null && this.keepsEarly(report, instance)) return { kind: 'kept' };
    const finished = await this.history.find('model', report.taskRef, instance.id);
    if (finished) {
      await this.history.noteRepeat(finished, instance);
      const { finishedWallMs, submittedWallMs } = finished;
      const totalMs = finishedWallMs === null ? null : finishedWallMs - submittedWallMs;
      return { kind: 'repeated', totalMs };
    }
    return this.keepsEarly(report, instance) ? { kind: 'kept' } : { kind: 'unknown_task' };
  }

  /** A completion that may have overtaken the answer to its enqueue. @returns whether it is kept */
  private keepsEarly({ outcome, result, taskRef }: Report, instance: Instance): boolean {
    if (!this.awaitsAnswer(instance)) return false;
    return this.early.keep(instance.id, taskRef, { outcome, result }, this.clock.now());
  }

  /** True while an attempt there has no id yet. */
  private awaitsAnswer(instance: Instance): boolean {
    return [...instance.backlog.held].some(({ task }) => task.state === 'dispatching');
  }

  /** It names an attempt that ran elsewhere: it changes nothing and leaves a trace. */
  private async foreign(task: Task, report: Report, instance: Instance): Promise<ReportAnswer> {
    this.assertRecordable();
    const message = `${instance.name} reported ${report.taskRef}, which it does not have`;
    await this.history.traces.once(task.id, 'foreign_result', instance.id, () =>
      this.recorder.record([this.fleet.note(task, 'foreign_result', message)]),
    );
    return { kind: 'unknown_task' };
  }

  /** It names an attempt of the task that is over: it changes nothing and leaves a trace. */
  private async tooLate(task: Task, report: Report, instance: Instance): Promise<ReportAnswer> {
    this.assertRecordable();
    const message = `${instance.name} reported an attempt that is over: ${String(report.dispatchId)}`;
    await this.recorder.record([this.fleet.note(task, 'late_result', message)]);
    return { kind: 'repeated', totalMs: null };
  }

  /** An execution time that cannot be is not recorded. */
  private believable({ attempt }: Held, outcome: Outcome): Outcome {
    const isMeasured = this.fleet.instances.get(attempt.instanceId)?.notifies === true;
    return believable(outcome, attempt, isMeasured, this.clock.now());
  }

  /** It reports by itself, so no work need be sent ahead of its slots. */
  private noteContact(instance: Instance): void {
    const first = !instance.notifies;
    this.fleet.updateInstance(instance, { notifies: true, lastContact: this.clock.now() });
    if (!first) return;
    this.instances.setNotifies(instance.id).catch((error: unknown) => {
      this.logger.warn({ msg: 'could not record that an instance notifies', error });
    });
  }

  private assertRecordable(): void {
    if (this.recorder.canRecord) return;
    throw new SchedulerError('store_unavailable', 'the database is away; nothing was changed', {
      retryAfterSeconds: 1,
    });
  }
}

/**
 * True for a task that will be over in a moment, most likely: that its worker has it is written with
 * its end, or nearly half of what a short task costs PostgreSQL would be that.
 */
function isShort({ task }: Held): boolean {
  return task.prediction.serviceTime.quantile(0.5) <= SHORT_MS;
}

/** True for an abandoned attempt that nobody speaks of any more; the end of a job's is seen to. */
function isForgotten({ attempt, task }: Held, ageMs: number): boolean {
  return attempt.state === 'abandoned' && !task.job && ageMs > 2 * task.attemptTimeoutMs;
}

/** The attempt of a task that ended without it and has left memory, by our id or the client's. */
function leftBehind(taskRef: string, held: Iterable<Held>): Held | undefined {
  return [...held].find(({ task }) => task.id === taskRef || task.clientId === taskRef);
}
