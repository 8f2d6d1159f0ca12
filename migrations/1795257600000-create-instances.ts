import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Workers of every kind. Rows are never deleted: attempts point to them for as long as they live. */
export class CreateInstances1795257600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE instances (
        id            uuid        NOT NULL,
        kind          text        NOT NULL,
        queue_kind    text        NOT NULL,
        queue_name    text        NOT NULL,
        host          text        NOT NULL,
        port          integer     NOT NULL,
        name          text        NOT NULL,
        protocol      text        NOT NULL,
        registration  integer     NOT NULL,
        draining      boolean     NOT NULL DEFAULT false,
        notifies      boolean     NOT NULL DEFAULT false,
        registered_at timestamptz NOT NULL,
        removed_at    timestamptz,
        CONSTRAINT instances_pkey PRIMARY KEY (id),
        -- One row per address, in service or not: a registration looks for it.
        CONSTRAINT instances_address_key UNIQUE (kind, host, port),
        CONSTRAINT instances_kind_known CHECK (kind IN ('task_instance', 'host', 'worker')),
        CONSTRAINT instances_queue_kind_fits CHECK (
          (kind, queue_kind) IN
          (('task_instance', 'model'), ('host', 'batch'), ('worker', 'placement'))
        ),
        CONSTRAINT instances_port_in_range CHECK (port BETWEEN 0 AND 65535),
        CONSTRAINT instances_protocol_known CHECK (protocol IN ('enqueue', 'submit')),
        CONSTRAINT instances_registration_positive CHECK (registration > 0)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE instances');
  }
}
