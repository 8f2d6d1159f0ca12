import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What operators set per queue, and the keys that let them. */
export class CreateSettingsAndKeys1795257600003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // A null column leaves the choice to the settings of '*', and those to the defaults.
    await runner.query(`
      CREATE TABLE strategy_settings (
        queue              text        NOT NULL,
        strategy           text,
        order_g            double precision,
        prefetch           integer,
        attempt_timeout_ms double precision,
        retries            integer,
        updated_at         timestamptz NOT NULL,
        CONSTRAINT strategy_settings_pkey PRIMARY KEY (queue),
        CONSTRAINT strategy_settings_order_g_not_negative CHECK (order_g >= 0),
        CONSTRAINT strategy_settings_prefetch_not_negative CHECK (prefetch >= 0),
        CONSTRAINT strategy_settings_attempt_timeout_positive CHECK (attempt_timeout_ms > 0),
        CONSTRAINT strategy_settings_retries_not_negative CHECK (retries >= 0)
      )`);
    // Keys are found by their public prefix; only a digest of the secret is kept.
    await runner.query(`
      CREATE TABLE api_keys (
        id           uuid        NOT NULL,
        prefix       text        NOT NULL,
        sha256       bytea       NOT NULL,
        label        text        NOT NULL,
        created_at   timestamptz NOT NULL,
        expires_at   timestamptz,
        revoked_at   timestamptz,
        last_used_at timestamptz,
        CONSTRAINT api_keys_pkey PRIMARY KEY (id),
        CONSTRAINT api_keys_prefix_key UNIQUE (prefix),
        CONSTRAINT api_keys_digest_length CHECK (octet_length(sha256) = 32)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_keys');
    await runner.query('DROP TABLE strategy_settings');
  }
}
