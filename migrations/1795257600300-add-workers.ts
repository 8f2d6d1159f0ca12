import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Workers that only ask for placement, and placements, which are at their worker from the first. */
export class AddWorkers1795257600300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE instances
        ADD COLUMN gpu_memory_gb double precision,
        ADD COLUMN tags jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN endpoint text NOT NULL DEFAULT ''`);
    await legalMoves(runner, ['queued', 'dispatching', 'dispatched']);
  }

  async down(runner: QueryRunner): Promise<void> {
    await legalMoves(runner, ['queued', 'dispatching']);
    await runner.query(`
      ALTER TABLE instances
        DROP COLUMN endpoint,
        DROP COLUMN tags,
        DROP COLUMN gpu_memory_gb`);
  }
}

/**
 * Not validated: what is there was checked by the constraint before it, and a scan of a long history
 * would keep everybody waiting.
 */
async function legalMoves(runner: QueryRunner, entries: readonly string[]): Promise<void> {
  await runner.query('ALTER TABLE task_events DROP CONSTRAINT task_events_move_legal');
  await runner.query(`
    ALTER TABLE task_events ADD CONSTRAINT task_events_move_legal CHECK (
      CASE
        WHEN from_state IS NULL THEN
          to_state IS NULL OR to_state IN (${entries.map((state) => `'${state}'`).join(', ')})
        WHEN to_state IS NULL THEN false
        ELSE from_state || '>' || to_state IN (
          'queued>dispatching', 'queued>cancelled', 'queued>failed', 'queued>succeeded',
          'dispatching>dispatched', 'dispatching>running', 'dispatching>queued',
          'dispatching>stopping', 'dispatching>succeeded', 'dispatching>failed',
          'dispatched>running', 'dispatched>queued', 'dispatched>stopping',
          'dispatched>succeeded', 'dispatched>failed', 'dispatched>released',
          'running>paused', 'running>queued', 'running>stopping',
          'running>succeeded', 'running>failed',
          'paused>running', 'paused>queued', 'paused>stopping',
          'paused>succeeded', 'paused>failed',
          'stopping>cancelled', 'stopping>timed_out', 'stopping>succeeded', 'stopping>failed'
        )
      END
    ) NOT VALID`);
}
