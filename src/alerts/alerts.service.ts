import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import { ALERT_KINDS, type AlertKind } from '../config/alert-settings';
import type { Config } from '../config/config.schema';
import { isSchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Clock, Ids } from '../core/ports';
import { Cursors, type Page } from '../http/page';
import { CLOCK, IDS } from '../ops/system';
import {
  AlertsRepository,
  type AlertDraft,
  type AlertFilter,
  type AlertProgress,
  type OpenCondition,
  type StoredAlert,
} from '../persistence/alerts.repository';
import { AlertBudget } from './alert-budget';
import { AlertMetrics } from './alert-metrics';
import { AlertSender } from './alert-sender';
import { FleetConditions } from './fleet-conditions';
import { jobNews, type News } from './job-alert';

const TICK_MS = 1_000;
const DAY_MS = 86_400_000;
/** Events of one look, and rows of one retention step. */
const BATCH = 500;
/** A test is delivered by whoever asks for it; after a crash in between, by the next term. */
const TEST_HEAD_START_MS = 60_000;

const CURSORS = new Cursors('alerts', 'uuid');

/** A condition that was told, or left out: then it is not on the record. */
type Told = OpenCondition & { readonly recorded: boolean };

/**
 * Tells operators what needs attention: jobs that failed or were timed out, lost instances, stuck
 * queues. It goes on behind the last event that it has looked at, over restarts, and tells no event
 * twice.
 */
@Injectable()
export class AlertsService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(AlertsService.name);
  private readonly budget: AlertBudget;
  private readonly conditions: FleetConditions;
  /** Conditions that last, by kind and subject. */
  private readonly told = new Map<string, Told>();
  private progress: AlertProgress | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sweptAt = -Infinity;
  private working: Promise<void> | undefined;

  constructor(
    private readonly repository: AlertsRepository,
    private readonly sender: AlertSender,
    private readonly metrics: AlertMetrics,
    fleet: Fleet,
    @Inject(CONFIG) private readonly config: Pick<Config, 'alerts' | 'retention'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {
    const { perMinute, queueStuckMs } = config.alerts;
    this.budget = new AlertBudget(perMinute, clock);
    this.conditions = new FleetConditions(fleet, clock, queueStuckMs);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.begin(), TICK_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.working;
    await this.sender.stop();
  }

  /**
   * Sends a test to every receiver, once and now.
   * @returns the alert, with what came of it
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async test(): Promise<StoredAlert> {
    const test: AlertDraft = {
      ...{ id: this.ids.next(), kind: 'test', eventId: null, subject: '', leftOut: 0 },
      message: 'this is a test: alerts of this scheduler arrive here',
      details: {},
    };
    await this.repository.raise([test], this.sender.urls, null, TEST_HEAD_START_MS);
    this.logger.log({ msg: test.message, alert: test.kind, alertId: test.id });
    await this.sender.deliverNow(await this.recorded(test.id));
    return this.recorded(test.id);
  }

  /** Alerts on the record, newest first. @throws {SchedulerError} store_unavailable, invalid_input */
  async page(
    filter: AlertFilter,
    limit: number,
    cursor: string | undefined,
  ): Promise<Page<StoredAlert>> {
    const [behind] = CURSORS.read(cursor) ?? [];
    const found = await this.repository.newest(filter, behind, limit + 1);
    return CURSORS.page(found, limit, ({ id }) => [id]);
  }

  /** One look at everything: events, conditions, what was left out; then what is due is sent. */
  async look(): Promise<void> {
    const progress = this.progress ?? (await this.begun());
    const { ends, seenEventId } = await this.repository.endsBehind(progress.seenEventId, BATCH);
    await this.closeOver();
    const begun = this.conditions.look().filter((news) => !this.told.has(keyOf(news)));
    const leftOut = { ...progress.leftOut };
    const alerts = [...ends.map(jobNews), ...begun]
      .filter(({ kind }) => this.isWanted(kind))
      .flatMap((news) => this.admit(news, leftOut));
    alerts.push(...this.summaries(leftOut));
    const next = { seenEventId, leftOut };
    if (alerts.length > 0 || ends.length > 0 || begun.length > 0) await this.raise(alerts, next);
    this.progress = next;
    for (const news of begun) this.remember(news, alerts);
    this.sender.deliverDue();
  }

  // --- inside ----------------------------------------------------------------------------------

  /** Not before the last look is through: a database that is slow is not asked twice. */
  private begin(): void {
    this.working ??= this.work().finally(() => (this.working = undefined));
  }

  private async work(): Promise<void> {
    try {
      await this.look();
      await this.sweep();
    } catch (error) {
      // Whether something was written may be unknown: the record tells.
      this.progress = undefined;
      this.told.clear();
      const line = { msg: 'alerts could not be looked after; it is tried again', error };
      // That the database is away is said elsewhere, once.
      if (isSchedulerError(error, 'store_unavailable')) this.logger.debug(line);
      else this.logger.warn(line);
    }
  }

  /** Where the last term stopped, and what it told of that may still last. */
  private async begun(): Promise<AlertProgress> {
    for (const condition of await this.repository.open()) {
      this.told.set(keyOf(condition), { ...condition, recorded: true });
    }
    await this.repository.giveUpAllBut(this.sender.urls);
    return this.repository.progress();
  }

  private isWanted(kind: AlertKind): boolean {
    const { kinds } = this.config.alerts;
    return kinds.length === 0 || kinds.includes(kind);
  }

  /** The alert, or nothing where there are too many: then it is counted. */
  private admit(news: News, leftOut: Partial<Record<AlertKind, number>>): readonly AlertDraft[] {
    const { kind, message } = news;
    const before = leftOut[kind] ?? 0;
    if (!this.budget.take(kind)) {
      leftOut[kind] = before + 1;
      this.metrics.leftOut.inc({ kind });
      return [];
    }
    leftOut[kind] = 0;
    const more = before === 0 ? '' : ` (${before} more ${kind} were left out before)`;
    return [{ ...news, id: this.ids.next(), message: message + more, leftOut: before }];
  }

  /** What was left out, of kinds of which nothing new came to say so. */
  private summaries(leftOut: Partial<Record<AlertKind, number>>): readonly AlertDraft[] {
    return ALERT_KINDS.flatMap((kind) => {
      const count = leftOut[kind] ?? 0;
      if (count === 0 || !this.budget.isWhole(kind) || !this.budget.take(kind)) return [];
      leftOut[kind] = 0;
      const message = `${count} more ${kind} were left out`;
      const id = this.ids.next();
      return [{ id, kind, eventId: null, subject: '', message, details: {}, leftOut: count }];
    });
  }

  private async raise(alerts: readonly AlertDraft[], progress: AlertProgress): Promise<void> {
    const raised = await this.repository.raise(alerts, this.sender.urls, progress);
    for (const { id, kind, subject, message } of alerts) {
      if (!raised.has(id)) continue;
      if (kind !== 'test') this.metrics.raised.inc({ kind });
      this.logger.warn({ msg: message, alert: kind, alertId: id, subject });
    }
  }

  private remember(news: News, alerts: readonly AlertDraft[]): void {
    const { kind, subject } = news;
    const alert = alerts.find((one) => keyOf(one) === keyOf(news));
    const id = alert?.id ?? '';
    this.told.set(keyOf(news), { id, kind, subject, recorded: alert !== undefined });
  }

  private async closeOver(): Promise<void> {
    for (const [key, condition] of this.told) {
      if (!this.conditions.isOver(condition)) continue;
      if (condition.recorded) await this.repository.close(condition.id);
      this.told.delete(key);
    }
  }

  private async recorded(id: string): Promise<StoredAlert> {
    const alert = await this.repository.byId(id);
    if (!alert) throw new Error(`alert ${id} was recorded`);
    return alert;
  }

  private async sweep(): Promise<void> {
    const { historyDays, sweepMs } = this.config.retention;
    const now = this.clock.wallMs();
    if (now - this.sweptAt < sweepMs) return;
    this.sweptAt = now;
    await this.repository.retain(new Date(now - historyDays * DAY_MS), BATCH);
  }
}

function keyOf({ kind, subject }: Pick<AlertDraft, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`;
}
