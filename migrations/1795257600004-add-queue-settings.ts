import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many tasks may wait in a queue, and whether it is paused; what its finished tasks took. */
export class AddQueueSettings1795257600004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE strategy_settings
        ADD COLUMN waiting_limit integer,
        ADD COLUMN paused boolean,
        ADD CONSTRAINT strategy_settings_waiting_limit_positive CHECK (waiting_limit > 0)`);
    // Statistics of a queue: its newest ends, and those since a time.
    await runner.query(`
      CREATE INDEX tasks_finished_by_queue
          ON tasks (queue_name, finished_at DESC)
       WHERE kind = 'model' AND finished_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX tasks_finished_by_queue');
    await runner.query(
      'ALTER TABLE strategy_settings DROP COLUMN waiting_limit, DROP COLUMN paused',
    );
  }
}
