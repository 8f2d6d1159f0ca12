import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The speed of the instance with each attempt: without it, how long a task ran says nothing of how
 * long it was predicted to run. Older rows, and what an older version writes, know none.
 */
export class RecordSpeedOfAttempts1795257600105 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE attempts
        ADD COLUMN speed double precision,
        ADD CONSTRAINT attempts_speed_positive CHECK (speed > 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts DROP COLUMN speed');
  }
}
