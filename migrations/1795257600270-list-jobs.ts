import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lists of batch jobs, and how many of them ended how. Tasks of other kinds are in none of these. */
export class ListJobs1795257600270 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Jobs, live and finished, newest first.
    await runner.query(`
      CREATE INDEX tasks_jobs
          ON tasks (submitted_at DESC, id DESC)
       WHERE job IS NOT NULL`);
    // Jobs of one owner, newest first. What they carry is never changed, so that a move of a job
    // touches none of these.
    await runner.query(`
      CREATE INDEX tasks_jobs_of_owner
          ON tasks ((metadata ->> 'owner'), submitted_at DESC, id DESC)
       WHERE job IS NOT NULL`);
    // Jobs of one project, newest first.
    await runner.query(`
      CREATE INDEX tasks_jobs_of_project
          ON tasks ((metadata ->> 'project'), submitted_at DESC, id DESC)
       WHERE job IS NOT NULL`);
    // How many jobs ended how.
    await runner.query(`
      CREATE INDEX tasks_ended_jobs
          ON tasks (state)
       WHERE job IS NOT NULL AND finished_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX tasks_ended_jobs');
    await runner.query('DROP INDEX tasks_jobs_of_project');
    await runner.query('DROP INDEX tasks_jobs_of_owner');
    await runner.query('DROP INDEX tasks_jobs');
  }
}
