import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lists of live tasks when very many of them wait: those of one kind, and those that have left the
 * line, are found without a look at the others.
 */
export class ListLiveTasksByKind1795257600220 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Live tasks of one kind, newest first, and how many there are. Queue and instance stand behind, so
    // that tasks of another one are passed over without a look at their rows. That there may be
    // attempts holds of every row (tasks_attempts_positive): only lists say so, and so only they use
    // this index. A planner that knows little would use it to look for a live placement by its key.
    await runner.query(`
      CREATE INDEX tasks_live_of_kind
          ON tasks (kind, submitted_at DESC, id DESC, queue_name, instance_id)
       WHERE finished_at IS NULL AND max_attempts > 0`);
    await runner.query('DROP INDEX tasks_live_newest');
    // Live tasks that have had an instance, newest first: few, where many wait. The check of the
    // record looks for them too.
    await runner.query(`
      CREATE INDEX tasks_live_placed
          ON tasks (submitted_at DESC, id DESC, kind, queue_name, instance_id)
       WHERE finished_at IS NULL AND instance_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX tasks_live_placed');
    await runner.query(`
      CREATE INDEX tasks_live_newest
          ON tasks (submitted_at DESC, id DESC, queue_name, instance_id)
       WHERE finished_at IS NULL`);
    await runner.query('DROP INDEX tasks_live_of_kind');
  }
}
