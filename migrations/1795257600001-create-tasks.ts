import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tasks, their attempts and what happened to them. The lists of states and moves below are a copy
 * of `TRANSITIONS` in the core, and a test compares the two: a released migration never changes.
 */
export class CreateTasks1795257600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTasks(runner);
    await createAttempts(runner);
    await createEvents(runner);
    await guardTasks(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE task_events');
    await runner.query('DROP TABLE attempts');
    await runner.query('DROP TABLE tasks');
    await runner.query('DROP FUNCTION refuse_task_change()');
  }
}

const ACTIVE = `('dispatching', 'dispatched', 'running', 'paused', 'stopping')`;
const TERMINAL = `('succeeded', 'failed', 'cancelled', 'timed_out', 'released')`;

async function createTasks(runner: QueryRunner): Promise<void> {
  // Payloads are json, not jsonb: they come back as they were sent. The room left in each page
  // lets the moves of a live task stay in it, without touching an index.
  await runner.query(`
    CREATE TABLE tasks (
      id                   uuid               NOT NULL,
      kind                 text               NOT NULL,
      client_task_id       text,
      queue_name           text               NOT NULL,
      priority             integer            NOT NULL,
      state                text               NOT NULL,
      attempt_no           integer            NOT NULL,
      event_seq            integer            NOT NULL,
      not_before           timestamptz,
      instance_id          uuid,
      avoid_instance_id    uuid,
      stop_reason          text,
      failure_kind         text,
      failure_message      text,
      task_input           json,
      metadata             json,
      result               json,
      payload_bytes        integer            NOT NULL,
      prediction_method    text               NOT NULL,
      prediction_levels    double precision[] NOT NULL,
      prediction_quantiles double precision[] NOT NULL,
      max_attempts         integer            NOT NULL,
      attempt_timeout_ms   double precision   NOT NULL,
      demand_slots         double precision   NOT NULL,
      demand_cpu           double precision   NOT NULL,
      demand_memory_gb     double precision   NOT NULL,
      demand_gpu_memory_gb double precision   NOT NULL,
      submitted_at         timestamptz        NOT NULL,
      started_at           timestamptz,
      finished_at          timestamptz,
      execution_ms         double precision,
      epoch                bigint             NOT NULL,
      updated_at           timestamptz        NOT NULL,
      CONSTRAINT tasks_pkey PRIMARY KEY (id),
      CONSTRAINT tasks_kind_known CHECK (kind IN ('model', 'batch', 'placement')),
      CONSTRAINT tasks_state_known CHECK (
        state = 'queued' OR state IN ${ACTIVE} OR state IN ${TERMINAL}
      ),
      CONSTRAINT tasks_terminal_iff_finished CHECK (
        (state IN ${TERMINAL}) = (finished_at IS NOT NULL)
      ),
      CONSTRAINT tasks_active_has_owner CHECK (
        state NOT IN ${ACTIVE} OR (instance_id IS NOT NULL AND attempt_no > 0)
      ),
      CONSTRAINT tasks_released_is_placement CHECK (state <> 'released' OR kind = 'placement'),
      CONSTRAINT tasks_failed_iff_reason CHECK ((state = 'failed') = (failure_kind IS NOT NULL)),
      CONSTRAINT tasks_failure_kind_known CHECK (
        failure_kind IN ('exit', 'worker_error', 'lost', 'attempts_exhausted', 'start_error')
      ),
      CONSTRAINT tasks_stopping_has_reason CHECK (state <> 'stopping' OR stop_reason IS NOT NULL),
      CONSTRAINT tasks_stop_reason_known CHECK (stop_reason IN ('cancelled', 'timed_out')),
      CONSTRAINT tasks_attempts_positive CHECK (attempt_no >= 0 AND max_attempts > 0),
      CONSTRAINT tasks_durations_possible CHECK (attempt_timeout_ms > 0 AND execution_ms >= 0),
      CONSTRAINT tasks_live_has_payload CHECK (
        finished_at IS NOT NULL OR (task_input IS NOT NULL AND metadata IS NOT NULL)
      ),
      CONSTRAINT tasks_result_is_final CHECK (result IS NULL OR finished_at IS NOT NULL),
      CONSTRAINT tasks_quantiles_match CHECK (
        cardinality(prediction_levels) = cardinality(prediction_quantiles)
      )
    ) WITH (fillfactor = 85)`);
  // A client's repeat of its own id, and the lookup by it.
  await runner.query(`
    CREATE UNIQUE INDEX tasks_client_key
        ON tasks (client_task_id, kind)
     WHERE kind <> 'placement' AND client_task_id IS NOT NULL`);
  await runner.query(`
    CREATE UNIQUE INDEX tasks_live_placement_key
        ON tasks (client_task_id)
     WHERE kind = 'placement' AND client_task_id IS NOT NULL AND finished_at IS NULL`);
  // Restore at takeover: live rows only, however long the history is.
  await runner.query('CREATE INDEX tasks_live ON tasks (id) WHERE finished_at IS NULL');
  // Finished model tasks, newest first.
  await runner.query(`
    CREATE INDEX tasks_finished_models
        ON tasks (submitted_at DESC, id DESC)
     WHERE kind = 'model' AND finished_at IS NOT NULL`);
  // Retention: whose payload goes, then whose history goes. A row is in one of the two.
  await runner.query(`
    CREATE INDEX tasks_finished_with_payload
        ON tasks (finished_at)
     WHERE finished_at IS NOT NULL AND task_input IS NOT NULL`);
  await runner.query(`
    CREATE INDEX tasks_finished_without_payload
        ON tasks (finished_at)
     WHERE finished_at IS NOT NULL AND task_input IS NULL`);
}

async function createAttempts(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE attempts (
      task_id       uuid        NOT NULL,
      attempt_no    integer     NOT NULL,
      dispatch_id   uuid        NOT NULL,
      instance_id   uuid        NOT NULL,
      registration  integer     NOT NULL,
      state         text        NOT NULL,
      remote_id     text,
      reserved_at   timestamptz NOT NULL,
      sent_at       timestamptz,
      running_since timestamptz,
      ended_at      timestamptz,
      execution_ms  double precision,
      CONSTRAINT attempts_pkey PRIMARY KEY (task_id, attempt_no),
      CONSTRAINT attempts_dispatch_id_key UNIQUE (dispatch_id),
      CONSTRAINT attempts_task_fkey FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE,
      CONSTRAINT attempts_instance_fkey FOREIGN KEY (instance_id) REFERENCES instances (id),
      CONSTRAINT attempts_no_positive CHECK (attempt_no > 0),
      CONSTRAINT attempts_state_known CHECK (state IN ('live', 'lost', 'abandoned', 'ended')),
      CONSTRAINT attempts_over_iff_ended CHECK (
        (state IN ('lost', 'ended')) = (ended_at IS NOT NULL)
      ),
      CONSTRAINT attempts_execution_possible CHECK (execution_ms >= 0)
    ) WITH (fillfactor = 85)`);
  // At most one live attempt of a task. Restore counts them per instance; so does invariant I5.
  await runner.query(
    `CREATE UNIQUE INDEX attempts_one_live ON attempts (task_id) WHERE state = 'live'`,
  );
  // Restore: attempts that still occupy an instance although their task has ended.
  await runner.query(
    `CREATE INDEX attempts_abandoned ON attempts (task_id) WHERE state = 'abandoned'`,
  );
  // Lookup by the worker's own id, for a task that has left memory.
  await runner.query(`
    CREATE INDEX attempts_remote_id
        ON attempts (remote_id, instance_id)
     WHERE remote_id IS NOT NULL`);
}

async function createEvents(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE task_events (
      id          bigint      GENERATED ALWAYS AS IDENTITY,
      task_id     uuid        NOT NULL,
      seq         integer     NOT NULL,
      type        text        NOT NULL,
      from_state  text,
      to_state    text,
      attempt_no  integer     NOT NULL,
      instance_id uuid,
      at          timestamptz NOT NULL,
      message     text        NOT NULL,
      epoch       bigint      NOT NULL,
      CONSTRAINT task_events_pkey PRIMARY KEY (id),
      CONSTRAINT task_events_seq_key UNIQUE (task_id, seq),
      CONSTRAINT task_events_task_fkey FOREIGN KEY (task_id)
        REFERENCES tasks (id) ON DELETE CASCADE,
      CONSTRAINT task_events_seq_positive CHECK (seq > 0),
      CONSTRAINT task_events_move_legal CHECK (
        CASE
          WHEN from_state IS NULL THEN
            to_state IS NULL OR to_state IN ('queued', 'dispatching')
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
      )
    )`);
  // A task ends once.
  await runner.query(`
    CREATE UNIQUE INDEX task_events_one_end
        ON task_events (task_id)
     WHERE to_state IN ${TERMINAL}`);
}

/** What must hold whoever writes: a terminal row is immutable, and `attempt_no` never falls. */
async function guardTasks(runner: QueryRunner): Promise<void> {
  // Rows are compared as images (*<>), because json has no equality of its own.
  await runner.query(`
    CREATE FUNCTION refuse_task_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      allowed tasks := OLD;
    BEGIN
      IF OLD.finished_at IS NULL THEN
        RAISE EXCEPTION 'task % has had attempt %, which cannot become %',
          OLD.id, OLD.attempt_no, NEW.attempt_no
          USING ERRCODE = 'check_violation', CONSTRAINT = 'tasks_attempt_no_never_falls';
      END IF;
      IF NEW.task_input IS NULL THEN allowed.task_input := NULL; END IF;
      IF NEW.metadata IS NULL THEN allowed.metadata := NULL; END IF;
      IF NEW.result IS NULL THEN allowed.result := NULL; END IF;
      IF NEW *<> allowed THEN
        RAISE EXCEPTION 'task % is %, and its record is final', OLD.id, OLD.state
          USING ERRCODE = 'check_violation', CONSTRAINT = 'tasks_terminal_is_final';
      END IF;
      RETURN NEW;
    END
    $$`);
  await runner.query(`
    CREATE TRIGGER tasks_guard
    BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL OR NEW.attempt_no < OLD.attempt_no)
    EXECUTE FUNCTION refuse_task_change()`);
}
