import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Held } from '../core/backlog';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import type { Attempt } from '../core/task';
import { after, type Instant } from '../core/units';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { CLOCK } from '../ops/system';
import { TaskLifecycle } from '../tasks/task-lifecycle';
import { TaskRecorder } from '../tasks/task-recorder';
import { HEALTH_INTERVALS, type HealthIntervals } from './health-intervals';
import { endFromResult } from './worker-outcome';

const TICK_MS = 50;

interface Poll {
  due: Instant;
  /** Pause after the next poll, and the one after that: from p50 to p90 first, then doubling. */
  pauseMs: number;
  nextPauseMs: number;
  asking: boolean;
  /** Since when the result is known to be there for the taking. */
  vacatedAt: Instant | null;
}

/**
 * Asks workers for results. One that does not notify is asked at the predicted p50, at p90, then
 * after a doubling pause; one that does is asked only from p90 on, in case its report was lost.
 */
@Injectable()
export class ResultPoller {
  private readonly logger = new Logger(ResultPoller.name);
  private readonly polls = new WeakMap<Attempt, Poll>();

  constructor(
    private readonly fleet: Fleet,
    private readonly clients: TaskInstanceClients,
    private readonly lifecycle: TaskLifecycle,
    private readonly recorder: TaskRecorder,
    @Inject(HEALTH_INTERVALS) private readonly intervals: HealthIntervals,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Interval(TICK_MS)
  tick(): void {
    if (!this.recorder.canRecord) return;
    const now = this.clock.now();
    for (const held of this.lifecycle.everyHeld()) {
      const { attempt } = held;
      const instance = this.fleet.instances.get(attempt.instanceId);
      if (instance?.kind !== 'task_instance') continue;
      const poll = this.pollOf(held, instance);
      if (attempt.vacated && poll.vacatedAt === null) this.hurry(poll, now);
      if (!poll.asking && poll.due <= now) void this.look(held, instance, poll);
    }
  }

  /** One whose id may mean another attempt by now cannot be asked for. */
  private look(held: Held, instance: Instance, poll: Poll): Promise<void> {
    const { remoteId } = held.attempt;
    const canAsk = remoteId !== null && this.lifecycle.trustsRemoteId(held, instance);
    return canAsk ? this.ask(held, instance, poll, remoteId) : this.endVacated(held, poll);
  }

  private async ask(held: Held, instance: Instance, poll: Poll, remoteId: string): Promise<void> {
    poll.asking = true;
    try {
      const result = await this.clients.for(instance.host, instance.port).result(remoteId);
      if (result && (await endFromResult(this.lifecycle, held, result))) return;
      if (result?.state === 'running') await this.lifecycle.started(held);
      if (result === null) await this.endVacated(held, poll);
    } catch (error) {
      this.logger.debug({ msg: `no result of ${remoteId} from ${instance.name}`, error });
    } finally {
      poll.due = after(this.clock.now(), poll.pauseMs);
      poll.pauseMs = poll.nextPauseMs;
      poll.nextPauseMs = Math.min(2 * poll.nextPauseMs, this.intervals.resultPollMostMs);
      poll.asking = false;
    }
  }

  /** A worker that said "done" and has no result to show is believed. */
  private async endVacated(held: Held, { vacatedAt }: Poll): Promise<void> {
    if (vacatedAt === null) return;
    if (this.clock.now() - vacatedAt < this.intervals.resultPatienceMs) return;
    const { executionMs } = held.attempt;
    await this.lifecycle.end(held, { kind: 'succeeded', executionMs }, null);
  }

  private hurry(poll: Poll, now: Instant): void {
    poll.vacatedAt = now;
    poll.due = now;
    poll.pauseMs = this.intervals.resultPollFirstMs;
    poll.nextPauseMs = 2 * this.intervals.resultPollFirstMs;
  }

  private pollOf(held: Held, instance: Instance): Poll {
    const known = this.polls.get(held.attempt);
    if (known) return known;
    const poll = this.firstPoll(held, instance);
    this.polls.set(held.attempt, poll);
    return poll;
  }

  private firstPoll({ attempt, task }: Held, instance: Instance): Poll {
    const { serviceTime } = task.prediction;
    const begun = attempt.runningSince ?? this.clock.now();
    const at = (level: number): number => serviceTime.quantile(level) / instance.speed;
    const { resultPollFirstMs, resultPollMostMs } = this.intervals;
    const rest = { asking: false, vacatedAt: null };
    if (instance.notifies) {
      const due = after(begun, at(0.9) + resultPollMostMs);
      return { due, pauseMs: resultPollMostMs, nextPauseMs: resultPollMostMs, ...rest };
    }
    const pauseMs = Math.max(resultPollFirstMs, at(0.9) - at(0.5));
    return { due: after(begun, at(0.5)), pauseMs, nextPauseMs: resultPollFirstMs, ...rest };
  }
}
