import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What operators were told, to whom it was delivered, and up to which event. */
export class CreateAlerts1795257600280 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE alerts (
        id        uuid        NOT NULL,
        kind      text        NOT NULL,
        -- The event that it tells of; null for a condition, and for a test.
        event_id  bigint,
        subject   text        NOT NULL,
        message   text        NOT NULL,
        details   json        NOT NULL,
        left_out  integer     NOT NULL,
        raised_at timestamptz NOT NULL,
        over_at   timestamptz,
        CONSTRAINT alerts_pkey PRIMARY KEY (id),
        -- An event that is read again after a crash is told once.
        CONSTRAINT alerts_event_key UNIQUE (event_id),
        CONSTRAINT alerts_kind_known CHECK (
          kind IN ('job_failed', 'job_timed_out', 'host_lost', 'queue_stuck', 'test')
        ),
        CONSTRAINT alerts_left_out_possible CHECK (left_out >= 0)
      )`);
    // A condition is told once while it lasts: what is open is read when a term begins.
    await runner.query(`
      CREATE UNIQUE INDEX alerts_open
          ON alerts (kind, subject)
       WHERE over_at IS NULL AND kind IN ('host_lost', 'queue_stuck') AND subject <> ''`);
    // What is too old goes.
    await runner.query('CREATE INDEX alerts_raised ON alerts (raised_at)');
    await runner.query(`
      CREATE TABLE alert_deliveries (
        alert_id    uuid        NOT NULL,
        url         text        NOT NULL,
        state       text        NOT NULL,
        tries       integer     NOT NULL,
        next_try_at timestamptz,
        ended_at    timestamptz,
        error       text,
        CONSTRAINT alert_deliveries_pkey PRIMARY KEY (alert_id, url),
        CONSTRAINT alert_deliveries_alert_fkey FOREIGN KEY (alert_id)
          REFERENCES alerts (id) ON DELETE CASCADE,
        CONSTRAINT alert_deliveries_state_fits CHECK (
          CASE state
            WHEN 'pending' THEN next_try_at IS NOT NULL AND ended_at IS NULL
            WHEN 'delivered' THEN next_try_at IS NULL AND ended_at IS NOT NULL AND error IS NULL
            WHEN 'given_up' THEN next_try_at IS NULL AND ended_at IS NOT NULL AND error IS NOT NULL
            ELSE false
          END
        ),
        CONSTRAINT alert_deliveries_tries_possible CHECK (tries >= 0)
      )`);
    // What is to be delivered next to a receiver.
    await runner.query(`
      CREATE INDEX alert_deliveries_due
          ON alert_deliveries (url, next_try_at)
       WHERE state = 'pending'`);
    await runner.query(`
      CREATE TABLE alert_progress (
        name          text    NOT NULL,
        seen_event_id bigint  NOT NULL,
        left_out      json    NOT NULL,
        CONSTRAINT alert_progress_pkey PRIMARY KEY (name),
        CONSTRAINT alert_progress_one_row CHECK (name = 'alerts')
      )`);
    // What ended before alerts existed is no news.
    await runner.query(`
      INSERT INTO alert_progress (name, seen_event_id, left_out)
      SELECT 'alerts', coalesce(max(id), 0), '{}' FROM task_events`);
    // Which ends are to be told of, in the order of writing.
    await runner.query(`
      CREATE INDEX task_events_alerting
          ON task_events (id)
       WHERE to_state IN ('failed', 'timed_out')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX task_events_alerting');
    await runner.query('DROP TABLE alert_progress');
    await runner.query('DROP TABLE alert_deliveries');
    await runner.query('DROP TABLE alerts');
  }
}
