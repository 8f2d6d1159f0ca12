import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was learned of the run times of each model, as the predictors write it down. */
export class CreateLearnedModels1795257600200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // `json` and not `jsonb`: nothing looks into it, and names in it may hold any character.
    await runner.query(`
      CREATE TABLE learned_models (
        model         text        NOT NULL,
        state         json        NOT NULL,
        learned_until timestamptz NOT NULL,
        saved_at      timestamptz NOT NULL,
        CONSTRAINT learned_models_pkey PRIMARY KEY (model)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE learned_models');
  }
}
