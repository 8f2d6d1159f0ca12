import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Clock, Random } from '../core/ports';
import { CLOCK, RANDOM } from '../ops/system';
import { CallError } from '../outgoing/call-error';
import {
  AlertsRepository,
  type DeliveryOutcome,
  type DueDelivery,
  type StoredAlert,
} from '../persistence/alerts.repository';
import { AlertMetrics } from './alert-metrics';
import { shownReceiver, type Webhook } from './webhook';

/** Injection token of the receivers: `readonly Webhook[]`. */
export const WEBHOOKS = Symbol('Webhooks');

/** Tries of one delivery: with the pauses between them about an hour, two at most. */
export const MOST_TRIES = 12;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 1_800_000;

/**
 * How long to pause after so many tries that went wrong, in ms: uniform between 0 and a bound that
 * doubles from 5 s to 30 min ("full jitter"), but not less than what the receiver asks for.
 */
export function pauseAfter(tries: number, random: Random, atLeastMs: number): number {
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
  return Math.max(atLeastMs, random.next() * bound);
}

/** Brings alerts to webhooks, to each one after the other, until they arrive or are given up. */
@Injectable()
export class AlertSender {
  private readonly logger = new Logger(AlertSender.name);
  /** Receivers to which something is under way. */
  private readonly busy = new Map<Webhook, Promise<void>>();
  private stopped = false;

  constructor(
    private readonly repository: AlertsRepository,
    private readonly metrics: AlertMetrics,
    @Inject(WEBHOOKS) private readonly webhooks: readonly Webhook[],
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: Random,
  ) {}

  /** Where alerts go. */
  get urls(): readonly string[] {
    return this.webhooks.map(({ url }) => url);
  }

  /** Begins with what is due, where nothing is under way: a receiver that hangs holds up no other. */
  deliverDue(): void {
    for (const webhook of this.webhooks) {
      if (this.busy.has(webhook)) continue;
      const work = this.deliverTo(webhook).finally(() => this.busy.delete(webhook));
      this.busy.set(webhook, work);
    }
  }

  /** Tries every delivery of an alert at once. @throws {SchedulerError} store_unavailable, not_leading */
  async deliverNow(alert: StoredAlert): Promise<void> {
    const tries = this.webhooks.map((webhook) =>
      this.deliver(webhook, { alert, url: webhook.url, tries: 0 }),
    );
    await Promise.all(tries);
  }

  /** Ends what is under way: it is tried again in the next term. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.webhooks.map((webhook) => webhook.destroy()));
    await Promise.all(this.busy.values());
  }

  /** Until nothing is due, or something went wrong: then the receiver is left alone for a moment. */
  private async deliverTo(webhook: Webhook): Promise<void> {
    try {
      for (let goesOn = true; goesOn && !this.stopped;) {
        const due = await this.repository.nextDue(webhook.url);
        goesOn = due !== undefined && (await this.deliver(webhook, due));
      }
    } catch (error) {
      this.logger.warn({ msg: 'alerts could not be delivered; they are tried again later', error });
    }
  }

  /** @returns whether it arrived */
  private async deliver(webhook: Webhook, due: DueDelivery): Promise<boolean> {
    const outcome = await this.send(webhook, due);
    if (this.stopped && outcome.kind === 'failed') return false;
    await this.repository.settle(due, outcome);
    this.tell(due, outcome);
    return outcome.kind === 'delivered';
  }

  private async send(webhook: Webhook, { alert, tries }: DueDelivery): Promise<DeliveryOutcome> {
    try {
      await webhook.send(alert, this.clock.wallMs());
      return { kind: 'delivered' };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const isLast = tries + 1 >= MOST_TRIES;
      const pauseMs = pauseAfter(tries + 1, this.random, error.retryAfterMs ?? 0);
      // Not the message: it names the path, which may be a secret.
      return { kind: 'failed', error: error.reason, againInMs: isLast ? null : pauseMs };
    }
  }

  private tell({ alert, url, tries }: DueDelivery, outcome: DeliveryOutcome): void {
    const line = { alert: alert.kind, alertId: alert.id, receiver: shownReceiver(url) };
    if (outcome.kind === 'delivered') {
      this.metrics.tries.inc({ outcome: 'delivered' });
      this.logger.debug({ ...line, msg: 'alert delivered' });
      return;
    }
    const isLast = outcome.againInMs === null;
    this.metrics.tries.inc({ outcome: isLast ? 'given_up' : 'failed' });
    const said = { ...line, tries: tries + 1, error: outcome.error };
    if (isLast) this.logger.error({ ...said, msg: 'alert not delivered, and given up' });
    else this.logger.warn({ ...said, msg: 'alert not delivered; it is tried again' });
  }
}
