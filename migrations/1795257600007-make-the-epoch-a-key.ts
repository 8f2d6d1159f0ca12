import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * With the epoch in a unique index, a takeover changes a key of the row, and a renewal does not: the
 * writers of a term, which hold the row `FOR KEY SHARE`, exclude the one and let the other pass.
 */
export class MakeTheEpochAKey1795257600007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Of no query: it decides which updates conflict with FOR KEY SHARE (the fence of a term).
    await runner.query(
      'ALTER TABLE leadership ADD CONSTRAINT leadership_term_key UNIQUE (name, epoch)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE leadership DROP CONSTRAINT leadership_term_key');
  }
}
