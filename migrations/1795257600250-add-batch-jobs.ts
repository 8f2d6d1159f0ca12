import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Batch jobs: what they need, the hosts that run them, and who asked for what. */
export class AddBatchJobs1795257600250 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE tasks
        ADD COLUMN job jsonb,
        ADD COLUMN retries integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT tasks_job_is_batch CHECK (job IS NULL OR kind = 'batch'),
        ADD CONSTRAINT tasks_retries_possible CHECK (retries >= 0)`);
    await runner.query('ALTER TABLE task_events ADD COLUMN operator text');
    await runner.query(`
      ALTER TABLE instances
        ADD COLUMN slots double precision,
        ADD COLUMN cpu double precision,
        ADD COLUMN memory_gb double precision,
        ADD COLUMN labels jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN executor_prefix text NOT NULL DEFAULT '',
        ADD CONSTRAINT instances_host_has_size CHECK (
          kind <> 'host' OR (slots > 0 AND cpu > 0 AND memory_gb > 0)
        )`);
    await runner.query(`
      CREATE TABLE licence_pools (
        name       text        NOT NULL,
        tokens     integer     NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT licence_pools_pkey PRIMARY KEY (name),
        CONSTRAINT licence_pools_tokens_possible CHECK (tokens >= 0)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE licence_pools');
    await runner.query(`
      ALTER TABLE instances
        DROP CONSTRAINT instances_host_has_size,
        DROP COLUMN executor_prefix,
        DROP COLUMN labels,
        DROP COLUMN memory_gb,
        DROP COLUMN cpu,
        DROP COLUMN slots`);
    await runner.query('ALTER TABLE task_events DROP COLUMN operator');
    await runner.query(`
      ALTER TABLE tasks
        DROP CONSTRAINT tasks_retries_possible,
        DROP CONSTRAINT tasks_job_is_batch,
        DROP COLUMN retries,
        DROP COLUMN job`);
  }
}
