import type { AttemptIndex } from './attempt-index';
import type { Held } from './backlog';
import type { Chronicle } from './chronicle';
import type { Clock, Random } from './ports';
import {
  isActive,
  isTerminal,
  liveAttempt,
  type Attempt,
  type AttemptState,
  type Change,
  type Outcome,
  type Task,
} from './task';
import { after, type Instant } from './units';

/** What the course of a task needs from the fleet around it. */
export interface Grounds {
  /** The attempt no longer occupies its instance. */
  vacate(held: Held): void;
  /** The task waits again. */
  requeue(task: Task): void;
  /** The task waits no more, without having got an instance. */
  leave(task: Task): void;
  /** The attempt ended by its worker's word, which says something of the worker too. */
  ended(held: Held, outcome: Outcome): void;
}

/** How long a task stands aside after a lost or refused attempt: full jitter up to a doubling bound. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** What a report of an attempt's end led to. */
export type Ending =
  /** It ended the task. */
  | { readonly kind: 'recorded'; readonly changes: readonly Change[] }
  /** It failed, and the task is tried again. */
  | { readonly kind: 'retried'; readonly changes: readonly Change[] }
  /** The task had ended already; a slot may be free now. */
  | { readonly kind: 'freed'; readonly changes: readonly Change[] }
  /** It does not count: the attempt was over, or a failure came from a lost one. */
  | { readonly kind: 'ignored'; readonly changes: readonly Change[] };

/**
 * What happens to a task from its reservation to its end (RELIABILITY_MODEL, sections 3 and 5).
 * Every method is one synchronous step and answers with the changes that it made.
 */
export class Course {
  constructor(
    private readonly chronicle: Chronicle,
    private readonly attempts: AttemptIndex,
    private readonly grounds: Grounds,
    private readonly surroundings: { readonly clock: Clock; readonly random: Random },
    private readonly lossBackoff: Backoff,
    private readonly refusalBackoff: Backoff,
  ) {}

  /** The request to the worker goes out now: the attempt's time limit begins. */
  sent({ attempt }: Held): void {
    attempt.sentAt ??= this.surroundings.clock.now();
  }

  /** The worker has it, under this id. Its completion may have been quicker than this answer. */
  confirmed(held: Held, remoteId: string): readonly Change[] {
    const { task, attempt } = held;
    this.attempts.named(held, remoteId);
    attempt.sentAt ??= attempt.reservedAt;
    if (attempt.state === 'abandoned') {
      return [this.chronicle.note(task, 'dispatched', `accepted as ${remoteId}`, [attempt])];
    }
    if (attempt.state !== 'live' || task.state !== 'dispatching') return [];
    const message = `accepted as ${remoteId}`;
    return [this.chronicle.move(task, 'dispatched', 'dispatched', message, [attempt])];
  }

  /** The worker is known to execute it. */
  started({ task, attempt }: Held): readonly Change[] {
    if (attempt.state !== 'live' || task.state !== 'dispatched') return [];
    return [this.chronicle.move(task, 'running', 'running', 'running', [attempt])];
  }

  /**
   * The worker is through with it; the result is still to be fetched, but the slot is free. Said of
   * a lost attempt, it means that there may be a result that counts.
   */
  vacated(held: Held, executionMs: number | null): readonly Change[] {
    const { task, attempt } = held;
    if (attempt.vacated || (attempt.state !== 'live' && attempt.state !== 'lost')) return [];
    attempt.executionMs = executionMs;
    attempt.vacated = true;
    if (attempt.state === 'live') this.grounds.vacate(held);
    const message = 'its worker is through with it; the result is to be fetched';
    return [this.chronicle.note(task, 'vacated', message, [attempt])];
  }

  /** The attempt is over; see `Ending` for what that means for its task. */
  ended(held: Held, outcome: Outcome): Ending {
    const { task, attempt } = held;
    const was = attempt.state;
    if (was === 'ended') return { kind: 'ignored', changes: [] };
    if (was === 'lost' && outcome.kind === 'failed' && !isTerminal(task.state)) {
      // It stays lost, and so goes on counting as a loss: a task that kills its workers is poison.
      const note = `attempt ${attempt.no} was given up and then failed: ${outcome.message}`;
      const change = this.chronicle.note(task, 'late_result', note, [attempt]);
      return { kind: 'ignored', changes: [change] };
    }
    attempt.executionMs = outcome.executionMs;
    this.grounds.ended(held, outcome);
    if (isTerminal(task.state)) return { kind: 'freed', changes: [this.close(held, was)] };
    const rival = liveAttempt(task);
    const abandoned = rival && rival !== attempt ? [this.abandon(rival)] : [];
    this.over(held);
    if (outcome.kind === 'failed' && hasRetryLeft(task))
      return { kind: 'retried', changes: [this.retry(task, outcome.message, attempt)] };
    return { kind: 'recorded', changes: [this.finish(task, outcome, [...abandoned, attempt])] };
  }

  /** What was being stopped, or is abandoned, was seen to have ended by that. */
  halted(held: Held, why: string, executionMs: number | null): readonly Change[] {
    const { task, attempt } = held;
    if (attempt.state === 'abandoned') return [this.close(held, 'abandoned')];
    if (attempt.state !== 'live' || task.state !== 'stopping') return [];
    attempt.executionMs = executionMs;
    this.over(held);
    return [this.stopped(task, attempt, why)];
  }

  /** The worker refused it, or provably never got it: it was no attempt's fault. */
  returned(held: Held, why: string): readonly Change[] {
    const { task, attempt } = held;
    if (attempt.state === 'abandoned') return [this.close(held, 'abandoned')];
    if (attempt.state !== 'live') return [];
    this.over(held);
    if (task.state === 'stopping') return [this.stopped(task, attempt, why)];
    task.avoid = attempt.instanceId;
    const wait = this.jitter(this.refusalBackoff, task.attemptNo);
    return [this.requeue(task, after(this.surroundings.clock.now(), wait), why, attempt)];
  }

  /**
   * The attempt is given up. Its success still counts; its task gets another try, or is poison. A
   * job gets one only while it has a retry left.
   * @param elsewhere whether the next try should rather go to another instance
   */
  lost(held: Held, why: string, elsewhere = true): readonly Change[] {
    const { task, attempt } = held;
    if (attempt.state === 'abandoned') return [this.close(held, 'abandoned')];
    if (attempt.state !== 'live') return [];
    attempt.state = 'lost';
    attempt.endedAt = this.surroundings.clock.now();
    this.grounds.vacate(held);
    if (task.state === 'stopping') return [this.stopped(task, attempt, `unconfirmed: ${why}`)];
    if (task.job) return [this.loseJob(task, attempt, why, elsewhere)];
    const losses = task.attempts.filter(({ state }) => state === 'lost').length;
    if (losses >= task.maxAttempts) return [this.exhaust(task, attempt, why)];
    task.avoid = elsewhere ? attempt.instanceId : null;
    const wait = this.jitter(this.lossBackoff, losses);
    return [this.requeue(task, after(this.surroundings.clock.now(), wait), why, attempt)];
  }

  /** A placement is over; how it ended only its client knows. */
  released(held: Held, why: string, operator: string | null = null): readonly Change[] {
    const { task, attempt } = held;
    if (task.kind !== 'placement' || attempt.state !== 'live') return [];
    this.over(held);
    task.finishedAt = this.surroundings.clock.now();
    return [this.chronicle.move(task, 'released', 'released', why, [attempt], operator)];
  }

  /**
   * Stops the task. A placement is released: its client alone can stop what runs. A task instance has no cancel call, so a task that is there passes `stopping`
   * at once and its attempt is abandoned: the slot counts until it ends. A job stays `stopping`
   * until its end was seen.
   * @param operator who asked for it; null when nobody did
   */
  stop(
    task: Task,
    reason: 'cancelled' | 'timed_out',
    why: string,
    operator: string | null = null,
  ): readonly Change[] {
    if (isTerminal(task.state) || task.state === 'stopping') return [];
    const now = this.surroundings.clock.now();
    if (task.state === 'queued') {
      this.grounds.leave(task);
      task.stopReason = 'cancelled';
      task.finishedAt = now;
      return [this.chronicle.move(task, 'cancelled', 'cancelled', why, [], operator)];
    }
    const attempt = liveAttempt(task);
    if (!attempt || !isActive(task.state)) throw new Error(`task ${task.id} has no live attempt`);
    if (task.kind === 'placement') return this.released({ task, attempt }, why, operator);
    task.stopReason = reason;
    const asked = this.chronicle.move(task, 'stopping', 'stopping', why, [attempt], operator);
    if (task.job) return [asked];
    this.abandon(attempt);
    task.finishedAt = now;
    return [asked, this.chronicle.move(task, reason, reason, why, [attempt])];
  }

  /** A job is to stand still. No change unless it runs. */
  pause(task: Task, operator: string | null): readonly Change[] {
    const attempt = liveAttempt(task);
    if (task.state !== 'running' || !attempt) return [];
    return [this.chronicle.move(task, 'paused', 'paused', 'paused', [attempt], operator)];
  }

  /** A paused job is to go on. No change unless it is paused. */
  resume(task: Task, operator: string | null): readonly Change[] {
    const attempt = liveAttempt(task);
    if (task.state !== 'paused' || !attempt) return [];
    return [this.chronicle.move(task, 'running', 'resumed', 'resumed', [attempt], operator)];
  }

  private finish(task: Task, outcome: Outcome, attempts: readonly Attempt[]): Change {
    if (task.state === 'queued') this.grounds.leave(task);
    task.finishedAt = this.surroundings.clock.now();
    if (outcome.kind === 'succeeded') {
      return this.chronicle.move(task, 'succeeded', 'succeeded', 'succeeded', attempts);
    }
    task.failure = { kind: outcome.failure, message: outcome.message };
    return this.chronicle.move(task, 'failed', 'failed', outcome.message, attempts);
  }

  private exhaust(task: Task, attempt: Attempt, why: string): Change {
    const message = `${task.maxAttempts} attempts lost their worker, the last one: ${why}`;
    return this.fail(task, attempt, { kind: 'attempts_exhausted', message });
  }

  private loseJob(task: Task, attempt: Attempt, why: string, elsewhere: boolean): Change {
    if (!hasRetryLeft(task)) return this.fail(task, attempt, { kind: 'lost', message: why });
    task.avoid = elsewhere ? attempt.instanceId : null;
    return this.retry(task, why, attempt);
  }

  /** Of a job that has a retry left. */
  private retry(task: Task, why: string, attempt: Attempt): Change {
    const wait = this.jitter(this.lossBackoff, ++task.retries);
    const message = `${why}; retry ${task.retries} of ${task.job?.retryLimit ?? 0}`;
    return this.requeue(task, after(this.surroundings.clock.now(), wait), message, attempt);
  }

  private fail(task: Task, attempt: Attempt, failure: NonNullable<Task['failure']>): Change {
    task.failure = failure;
    task.finishedAt = this.surroundings.clock.now();
    return this.chronicle.move(task, 'failed', 'failed', failure.message, [attempt]);
  }

  private stopped(task: Task, attempt: Attempt, message: string): Change {
    task.finishedAt = this.surroundings.clock.now();
    const state = task.stopReason ?? 'cancelled';
    return this.chronicle.move(task, state, state, message, [attempt]);
  }

  private requeue(task: Task, notBefore: Instant, why: string, attempt: Attempt): Change {
    task.notBefore = notBefore;
    const change = this.chronicle.move(task, 'queued', 'requeued', why, [attempt]);
    this.grounds.requeue(task);
    return change;
  }

  /** Ends an attempt whose task has ended without it. */
  private close(held: Held, was: AttemptState): Change {
    this.over(held);
    const message = `${was} attempt ${held.attempt.no} ended`;
    return this.chronicle.note(held.task, 'attempt_ended', message, [held.attempt]);
  }

  private over(held: Held): void {
    held.attempt.state = 'ended';
    held.attempt.endedAt = this.surroundings.clock.now();
    this.grounds.vacate(held);
  }

  /** It goes on at its worker; one that the worker is through with is over. */
  private abandon(attempt: Attempt): Attempt {
    const held = attempt.vacated ? this.attempts.byDispatchId(attempt.dispatchId) : undefined;
    if (held) this.over(held);
    else attempt.state = 'abandoned';
    return attempt;
  }

  private jitter({ firstMs, mostMs }: Backoff, tries: number): number {
    const bound = Math.min(mostMs, firstMs * 2 ** Math.max(0, tries - 1));
    return this.surroundings.random.next() * bound;
  }
}

/** True for a job that is tried again when its attempt ends badly: a stop is never retried. */
function hasRetryLeft({ job, state, retries }: Task): boolean {
  return job !== null && state !== 'stopping' && retries < job.retryLimit;
}
