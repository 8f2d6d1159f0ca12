import type { Logger } from 'pino';
import type { Clock, Random } from '../core/ports';
import type { Instant } from '../core/units';
import { backoffMs } from './backoff';
import { Fifo } from './fifo';
import { REPORT_CONNECTIONS, type SchedulerReply } from './scheduler-client';

/** The end of one execution, to be told to the scheduler. */
export interface Report {
  readonly remoteId: string;
  /** JSON text of the request; asked for at each try, so that waiting reports hold no copy. */
  body(): string;
}

/** Where reports go. */
export interface ReportSink {
  submitResult(body: string): Promise<SchedulerReply>;
}

/** How long a report is repeated, ms. */
export interface ReportLimits {
  /** While the scheduler is away or answers 5xx or 429. */
  readonly unavailableMs: number;
  /** While it answers that it does not know the task or the instance. */
  readonly rejectedMs: number;
}

const DEFAULT_LIMITS: ReportLimits = { unavailableMs: 600_000, rejectedMs: 30_000 };

interface Pending {
  readonly report: Report;
  readonly since: Instant;
  rejections: number;
  rejectedSince: Instant | null;
  readonly done: (delivered: boolean) => void;
}

/**
 * Tells the scheduler how executions ended, each until it is acknowledged or given up, four at a
 * time. While the scheduler is away, one report at a time finds out whether it is back: its
 * absence is common to all of them, so the pause is as well.
 */
export class Reporter {
  private readonly ready = new Fifo<Pending>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private unsettled = 0;
  private active = 0;
  /** Tries in a row that found the scheduler unavailable. */
  private failures = 0;
  private paused = false;
  private closed = false;

  /** @param rejected called when the scheduler does not know this worker or the task. */
  constructor(
    private readonly sink: ReportSink,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly log: Logger,
    private readonly rejected: () => void,
    private readonly limits: ReportLimits = DEFAULT_LIMITS,
  ) {}

  /** Reports that are neither acknowledged nor given up. */
  get pending(): number {
    return this.unsettled;
  }

  /** Resolves with true when the scheduler acknowledged, with false when the report was given up. */
  deliver(report: Report): Promise<boolean> {
    this.unsettled += 1;
    return new Promise((resolve) => {
      const done = (delivered: boolean): void => {
        this.unsettled -= 1;
        resolve(delivered);
      };
      this.ready.push({
        report,
        since: this.clock.now(),
        rejections: 0,
        rejectedSince: null,
        done,
      });
      this.pump();
    });
  }

  /** Stops trying. What is pending stays pending. */
  close(): void {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private pump(): void {
    const limit = this.failures > 0 ? 1 : REPORT_CONNECTIONS;
    while (!this.closed && !this.paused && this.active < limit) {
      const pending = this.ready.shift();
      if (pending === undefined) return;
      this.active += 1;
      void this.attempt(pending);
    }
  }

  private async attempt(pending: Pending): Promise<void> {
    const reply = await this.sink.submitResult(pending.report.body());
    this.active -= 1;
    if (this.closed) return;
    if (reply.kind === 'unavailable') this.unavailable(pending, reply);
    else this.answered(pending, reply);
    this.pump();
  }

  private answered(
    pending: Pending,
    reply: Exclude<SchedulerReply, { kind: 'unavailable' }>,
  ): void {
    if (this.failures > 0) this.log.info({ event: 'reports_resumed' }, 'the scheduler is back');
    this.failures = 0;
    switch (reply.kind) {
      case 'accepted':
        pending.done(true);
        return;
      case 'refused':
        this.giveUp(pending, reply.message);
        return;
      case 'rejected':
        this.repeatRejected(pending, reply.message);
    }
  }

  private repeatRejected(pending: Pending, message: string): void {
    this.rejected();
    const now = this.clock.now();
    pending.rejectedSince ??= now;
    pending.rejections += 1;
    if (now - pending.rejectedSince >= this.limits.rejectedMs) {
      this.giveUp(pending, message);
      return;
    }
    this.later(backoffMs(pending.rejections, this.random), () => this.ready.push(pending));
  }

  private unavailable(
    pending: Pending,
    reply: Extract<SchedulerReply, { kind: 'unavailable' }>,
  ): void {
    if (this.clock.now() - pending.since >= this.limits.unavailableMs) {
      this.giveUp(pending, reply.message);
    } else {
      // To the back: a report that alone makes the scheduler fail must not hold up the others.
      this.ready.push(pending);
    }
    // Reports that were under way together meet the same outage: it counts once.
    if (this.paused) return;
    this.failures += 1;
    if (this.failures === 1) {
      this.log.warn({ event: 'reports_paused', reason: reply.message }, 'cannot report; repeating');
    }
    this.paused = true;
    this.later(backoffMs(this.failures, this.random, reply.retryAfterMs), () => {
      this.paused = false;
    });
  }

  private later(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      action();
      this.pump();
    }, delayMs);
    this.timers.add(timer);
  }

  private giveUp(pending: Pending, reason: string): void {
    const { remoteId } = pending.report;
    this.log.error({ event: 'report_dropped', remoteId, reason }, 'a result was not accepted');
    pending.done(false);
  }
}
