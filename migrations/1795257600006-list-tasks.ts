import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lists of tasks, newest first, whatever they are filtered by. No index has the state of a task in
 * it: each of its moves would then touch the index. What only the end of a task sets says as much.
 */
export class ListTasks1795257600006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // How a stopped task ended is found by why it was stopped. Ended tasks of before are left alone.
    await runner.query(`
      ALTER TABLE tasks ADD CONSTRAINT tasks_stopped_as_asked CHECK (
        state NOT IN ('cancelled', 'timed_out') OR stop_reason IS NOT DISTINCT FROM state
      ) NOT VALID`);
    // Live tasks, newest first. Queue and instance stand behind, here and below, so that tasks of
    // another one are passed over without a look at their rows.
    await runner.query(`
      CREATE INDEX tasks_live_newest
          ON tasks (submitted_at DESC, id DESC, queue_name, instance_id)
       WHERE finished_at IS NULL`);
    // Finished tasks of one kind, newest first.
    await runner.query(`
      CREATE INDEX tasks_finished_of_kind
          ON tasks (kind, submitted_at DESC, id DESC)
       WHERE finished_at IS NOT NULL`);
    await runner.query('DROP INDEX tasks_finished_models');
    // Finished tasks of one queue, newest first.
    await runner.query(`
      CREATE INDEX tasks_finished_of_queue
          ON tasks (queue_name, submitted_at DESC, id DESC)
       WHERE finished_at IS NOT NULL`);
    // Finished tasks of one instance, newest first.
    await runner.query(`
      CREATE INDEX tasks_finished_on_instance
          ON tasks (instance_id, submitted_at DESC, id DESC, queue_name)
       WHERE finished_at IS NOT NULL`);
    // Failed tasks, newest first.
    await runner.query(`
      CREATE INDEX tasks_failed
          ON tasks (submitted_at DESC, id DESC, queue_name, instance_id)
       WHERE failure_kind IS NOT NULL`);
    // Cancelled tasks, and those that took too long, newest first.
    await runner.query(`
      CREATE INDEX tasks_stopped
          ON tasks (stop_reason, submitted_at DESC, id DESC, queue_name, instance_id)
       WHERE stop_reason IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX tasks_stopped');
    await runner.query('DROP INDEX tasks_failed');
    await runner.query('DROP INDEX tasks_finished_on_instance');
    await runner.query('DROP INDEX tasks_finished_of_queue');
    await runner.query(`
      CREATE INDEX tasks_finished_models
          ON tasks (submitted_at DESC, id DESC)
       WHERE kind = 'model' AND finished_at IS NOT NULL`);
    await runner.query('DROP INDEX tasks_finished_of_kind');
    await runner.query('DROP INDEX tasks_live_newest');
    await runner.query('ALTER TABLE tasks DROP CONSTRAINT tasks_stopped_as_asked');
  }
}
