import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AlertKind } from '../config/alert-settings';
import type { FailureKind } from '../core/task';
import type { TaskId } from '../core/units';
import { TERM, type Term } from '../ops/term';
import { answered, inTerm } from './store';

/** What is told, beside when it is raised. */
export interface AlertDraft {
  readonly id: string;
  readonly kind: AlertKind | 'test';
  /** The event that it tells of; null for a condition, and for a test. */
  readonly eventId: number | null;
  /** Id of a job or instance, key of a queue; empty for a summary. */
  readonly subject: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Alerts of its kind that were left out before it. */
  readonly leftOut: number;
}

/** How an alert goes to one receiver. */
export interface StoredDelivery {
  readonly url: string;
  readonly state: 'pending' | 'delivered' | 'given_up';
  readonly tries: number;
  readonly nextTryAt: string | null;
  readonly endedAt: string | null;
  /** What went wrong at the last try. */
  readonly error: string | null;
}

/** An alert on the record. Instants are ISO 8601. */
export interface StoredAlert extends AlertDraft {
  readonly raisedAt: string;
  /** When a condition was seen to be over; null while it lasts, and for whatever is none. */
  readonly overAt: string | null;
  readonly deliveries: readonly StoredDelivery[];
}

/** Up to which event was looked, and how many alerts were left out since the last, by kind. */
export interface AlertProgress {
  readonly seenEventId: number;
  readonly leftOut: Readonly<Partial<Record<AlertKind, number>>>;
}

/** The end of a job that somebody may want to know of. */
export interface AlertingEnd {
  readonly eventId: number;
  readonly state: 'failed' | 'timed_out';
  /** ISO 8601. */
  readonly at: string;
  readonly taskId: TaskId;
  readonly message: string;
  readonly failureKind: FailureKind | null;
  readonly host: string | null;
  readonly attempt: number;
  readonly retries: number;
  /** JSON texts; null when retention has removed them, or nothing was recorded. */
  readonly metadata: string | null;
  readonly result: string | null;
}

/** A condition that was told and is not over. */
export interface OpenCondition {
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
}

/** A delivery whose turn it is. */
export interface DueDelivery {
  readonly alert: StoredAlert;
  readonly url: string;
  /** Tries that went wrong. */
  readonly tries: number;
}

/** What came of a try: it arrived, or what went wrong, and when the next one is; null: never. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly error: string; readonly againInMs: number | null };

/** Which alerts are listed. */
export interface AlertFilter {
  readonly kind?: AlertKind | 'test';
}

/** What operators are told, and whether it reached them. Writes belong to the term that is led. */
@Injectable()
export class AlertsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** @throws {StoreUnavailableError} */
  async progress(): Promise<AlertProgress> {
    const [row] = await this.read<ProgressRow>(PROGRESS, []);
    if (!row) throw new Error('alert_progress has one row');
    return { seenEventId: Number(row.seen), leftOut: JSON.parse(row.left_out) as object };
  }

  /** Conditions that were told and are not over. @throws {StoreUnavailableError} */
  open(): Promise<readonly OpenCondition[]> {
    return this.read<OpenCondition>(OPEN, []);
  }

  /**
   * Failed and timed-out jobs behind that event, in the order of writing.
   * @returns `seenEventId` is up to where nothing was left aside
   * @throws {StoreUnavailableError}
   */
  async endsBehind(
    eventId: number,
    limit: number,
  ): Promise<{ readonly ends: readonly AlertingEnd[]; readonly seenEventId: number }> {
    // First, so that what is written between the two reads is seen the next time.
    const [newest] = await this.read<{ id: string | null }>(NEWEST_END, []);
    const last = Number(newest?.id ?? 0);
    if (last <= eventId) return { ends: [], seenEventId: eventId };
    const rows = await this.read<AlertingEnd & { eventId: string }>(ENDS, [eventId, last, limit]);
    const ends = rows.map((row) => ({ ...row, eventId: Number(row.eventId) }));
    return { ends, seenEventId: ends.length < limit ? last : (ends.at(-1)?.eventId ?? last) };
  }

  /**
   * Records alerts, what is to be delivered to whom, and how far the events were looked at: all of
   * it or nothing. What is on the record already is not raised again.
   * @param firstTryInMs how long the deliveries are left alone
   * @returns ids of those that are new
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async raise(
    alerts: readonly AlertDraft[],
    urls: readonly string[],
    progress: AlertProgress | null,
    firstTryInMs = 0,
  ): Promise<ReadonlySet<string>> {
    return inTerm(this.dataSource, this.term, async (manager) => {
      const raised = new Set<string>();
      for (const alert of alerts) if (await insert(manager, alert)) raised.add(alert.id);
      await manager.query(INSERT_DELIVERIES, [[...raised], urls, firstTryInMs]);
      if (progress) {
        const leftOut = JSON.stringify(progress.leftOut);
        await manager.query(SET_PROGRESS, [progress.seenEventId, leftOut]);
      }
      return raised;
    });
  }

  /** The condition is over. @throws {SchedulerError} store_unavailable, not_leading */
  async close(id: string): Promise<void> {
    await inTerm(this.dataSource, this.term, (manager) => manager.query(CLOSE, [id]));
  }

  /** @throws {StoreUnavailableError} */
  async byId(id: string): Promise<StoredAlert | undefined> {
    const [row] = await this.read<AlertRow>(`${ALERTS} WHERE a.id = $1`, [id]);
    return row && alertOf(row);
  }

  /** Newest first. @param behind id after which to begin @throws {StoreUnavailableError} */
  async newest(
    { kind }: AlertFilter,
    behind: string | undefined,
    limit: number,
  ): Promise<readonly StoredAlert[]> {
    const text = `${ALERTS}
      WHERE ($1::text IS NULL OR a.kind = $1) AND ($2::uuid IS NULL OR a.id < $2)
      ORDER BY a.id DESC LIMIT $3`;
    const rows = await this.read<AlertRow>(text, [kind ?? null, behind ?? null, limit]);
    return rows.map(alertOf);
  }

  /** The delivery whose turn it is at that receiver. @throws {StoreUnavailableError} */
  async nextDue(url: string): Promise<DueDelivery | undefined> {
    const [due] = await this.read<{ id: string; tries: number }>(NEXT_DUE, [url]);
    const alert = due && (await this.byId(due.id));
    return alert && { alert, url, tries: due.tries };
  }

  /** Records what came of a try. @throws {SchedulerError} store_unavailable, not_leading */
  async settle({ alert, url }: DueDelivery, outcome: DeliveryOutcome): Promise<void> {
    const { error, againInMs } =
      outcome.kind === 'failed' ? outcome : { error: null, againInMs: null };
    const state = error === null ? 'delivered' : againInMs === null ? 'given_up' : 'pending';
    const values = [alert.id, url, state, error, againInMs];
    await inTerm(this.dataSource, this.term, (manager) => manager.query(SETTLE, values));
  }

  /**
   * Gives up what is to go to any other receiver.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async giveUpAllBut(urls: readonly string[]): Promise<void> {
    await inTerm(this.dataSource, this.term, (manager) => manager.query(GIVE_UP, [urls]));
  }

  /**
   * Removes alerts that were raised before then, some at a time.
   * @returns how many went
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async retain(before: Date, limit: number): Promise<number> {
    const [, gone] = await inTerm(this.dataSource, this.term, (manager) =>
      manager.query<[unknown, number]>(RETAIN, [before, limit]),
    );
    return gone;
  }

  private read<Row>(text: string, values: unknown[]): Promise<Row[]> {
    return answered(() => this.dataSource.query<Row[]>(text, values));
  }
}

async function insert(manager: EntityManager, alert: AlertDraft): Promise<boolean> {
  const { id, kind, eventId, subject, message, details, leftOut } = alert;
  const values = [id, kind, eventId, subject, message, JSON.stringify(details), leftOut];
  return (await manager.query<unknown[]>(INSERT_ALERT, values)).length > 0;
}

interface ProgressRow {
  readonly seen: string;
  readonly left_out: string;
}

/** As it comes: numbers of 64 bits and JSON are texts. */
interface AlertRow extends Omit<StoredAlert, 'eventId' | 'details'> {
  readonly eventId: string | null;
  readonly details: string;
}

function alertOf(row: AlertRow): StoredAlert {
  const details = JSON.parse(row.details) as Readonly<Record<string, unknown>>;
  return { ...row, details, eventId: row.eventId === null ? null : Number(row.eventId) };
}

const PROGRESS = 'SELECT seen_event_id AS seen, left_out FROM alert_progress';

const SET_PROGRESS = 'UPDATE alert_progress SET seen_event_id = $1, left_out = $2';

const OPEN = `
  SELECT id, kind, subject FROM alerts
   WHERE over_at IS NULL AND kind IN ('host_lost', 'queue_stuck') AND subject <> ''`;

const ALERTING = `to_state IN ('failed', 'timed_out')`;

const NEWEST_END = `SELECT max(id) AS id FROM task_events WHERE ${ALERTING}`;

const ISO = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const ENDS = `
  SELECT e.id AS "eventId", e.to_state AS state, ${ISO('e.at')} AS at, e.task_id AS "taskId",
         e.message, t.failure_kind AS "failureKind", i.name AS host, e.attempt_no AS attempt,
         t.retries, t.metadata, t.result
    FROM task_events e
    JOIN tasks t ON t.id = e.task_id
    LEFT JOIN instances i ON i.id = coalesce(e.instance_id, t.instance_id)
   WHERE e.${ALERTING} AND e.id > $1 AND e.id <= $2 AND t.kind = 'batch'
   ORDER BY e.id
   LIMIT $3`;

const INSERT_ALERT = `
  INSERT INTO alerts (id, kind, event_id, subject, message, details, left_out, raised_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, now())
  ON CONFLICT DO NOTHING
  RETURNING id`;

const INSERT_DELIVERIES = `
  INSERT INTO alert_deliveries (alert_id, url, state, tries, next_try_at)
  SELECT id, url, 'pending', 0, now() + $3::float8 * interval '1 ms'
    FROM unnest($1::uuid[]) AS id, unnest($2::text[]) AS url`;

const CLOSE = 'UPDATE alerts SET over_at = now() WHERE id = $1 AND over_at IS NULL';

const ALERTS = `
  SELECT a.id, a.kind, a.event_id AS "eventId", a.subject, a.message, a.details,
         a.left_out AS "leftOut", ${ISO('a.raised_at')} AS "raisedAt",
         ${ISO('a.over_at')} AS "overAt",
         (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'url', d.url, 'state', d.state, 'tries', d.tries, 'error', d.error,
                   'nextTryAt', ${ISO('d.next_try_at')}, 'endedAt', ${ISO('d.ended_at')})
                   ORDER BY d.url), '[]')
            FROM alert_deliveries d WHERE d.alert_id = a.id) AS deliveries
    FROM alerts a`;

const NEXT_DUE = `
  SELECT alert_id AS id, tries FROM alert_deliveries
   WHERE state = 'pending' AND url = $1 AND next_try_at <= now()
   ORDER BY next_try_at, alert_id
   LIMIT 1`;

const SETTLE = `
  UPDATE alert_deliveries
     SET state = $3, tries = tries + 1, error = $4,
         next_try_at = now() + $5::float8 * interval '1 ms',
         ended_at = CASE WHEN $3 = 'pending' THEN NULL ELSE now() END
   WHERE alert_id = $1 AND url = $2 AND state = 'pending'`;

const GIVE_UP = `
  UPDATE alert_deliveries
     SET state = 'given_up', next_try_at = NULL, ended_at = now(),
         error = 'no longer among the receivers of alerts'
   WHERE state = 'pending' AND NOT url = ANY ($1::text[])`;

const RETAIN = `
  DELETE FROM alerts
   WHERE id IN (SELECT id FROM alerts WHERE raised_at < $1 ORDER BY raised_at LIMIT $2)`;
