import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What operators set about predictions: one row, which is there once something was set. */
export class CreatePredictionSettings1795257600005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE prediction_settings (
        name       text        NOT NULL,
        mode       text        NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT prediction_settings_pkey PRIMARY KEY (name),
        CONSTRAINT prediction_settings_one_row CHECK (name = 'scheduler'),
        CONSTRAINT prediction_settings_mode_known CHECK (mode IN ('default', 'lookup_table'))
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE prediction_settings');
  }
}
