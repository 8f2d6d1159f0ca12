import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Why each attempt went where it went: strategy, candidates, expected times, runner-up. Older rows,
 * and what an older version writes, know none.
 */
export class RecordDecisions1795257600210 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE attempts
        ADD COLUMN decision jsonb,
        ADD CONSTRAINT attempts_decision_is_object CHECK (jsonb_typeof(decision) = 'object')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts DROP COLUMN decision');
  }
}
