import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How fast an instance works, by its own word and by what was learned: a restart should not have to
 * learn it again.
 */
export class KeepSpeedsOfInstances1795257600230 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE instances
        ADD COLUMN speed_declared double precision NOT NULL DEFAULT 1,
        ADD COLUMN speed_surplus double precision NOT NULL DEFAULT 0,
        ADD COLUMN speed_outcomes integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT instances_speed_possible CHECK (
          speed_declared > 0 AND speed_declared < 'infinity'
          AND speed_surplus > '-infinity' AND speed_surplus < 'infinity'
          AND speed_outcomes >= 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE instances
        DROP COLUMN speed_declared,
        DROP COLUMN speed_surplus,
        DROP COLUMN speed_outcomes`);
  }
}
