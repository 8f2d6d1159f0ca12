import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who leads, and until when. The one row is always there; `holder` is null after a resignation. */
export class CreateLeadership1795257600002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE leadership (
        name        text        NOT NULL,
        epoch       bigint      NOT NULL,
        holder      text,
        machine     text,
        boot_id     text,
        pid         integer,
        pid_started text,
        expires_at  timestamptz NOT NULL,
        renewed_at  timestamptz NOT NULL,
        CONSTRAINT leadership_pkey PRIMARY KEY (name),
        CONSTRAINT leadership_one_row CHECK (name = 'scheduler'),
        CONSTRAINT leadership_epoch_not_negative CHECK (epoch >= 0)
      ) WITH (fillfactor = 20)`);
    await runner.query(`
      INSERT INTO leadership (name, epoch, expires_at, renewed_at)
      VALUES ('scheduler', 0, now(), now())`);
    await runner.query(`
      CREATE FUNCTION refuse_epoch_fall() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'term % cannot be followed by %', OLD.epoch, NEW.epoch
          USING ERRCODE = 'check_violation', CONSTRAINT = 'leadership_epoch_never_falls';
      END
      $$`);
    await runner.query(`
      CREATE TRIGGER leadership_guard
      BEFORE UPDATE ON leadership
      FOR EACH ROW WHEN (NEW.epoch < OLD.epoch)
      EXECUTE FUNCTION refuse_epoch_fall()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE leadership');
    await runner.query('DROP FUNCTION refuse_epoch_fall()');
  }
}
