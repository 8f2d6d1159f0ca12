import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * That a worker is through with an attempt whose result is still to be fetched: a restart in between
 * must not take its idleness for a loss.
 */
export class KeepVacatedAttempts1795257600240 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts ADD COLUMN vacated boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts DROP COLUMN vacated');
  }
}
