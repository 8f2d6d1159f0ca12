import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row of which the condition is false is refused in that name. */
interface Rule {
  readonly name: string;
  readonly condition: string;
}

const ACTIVE = `('dispatching', 'dispatched', 'running', 'paused', 'stopping')`;
const TERMINAL = `('succeeded', 'failed', 'cancelled', 'timed_out', 'released')`;

const OF_TASKS: readonly Rule[] = [
  {
    name: 'tasks_active_has_owner',
    condition: `NEW.state NOT IN ${ACTIVE} OR (NEW.instance_id IS NOT NULL AND NEW.attempt_no > 0)`,
  },
  { name: 'tasks_attempts_positive', condition: 'NEW.attempt_no >= 0 AND NEW.max_attempts > 0' },
  {
    name: 'tasks_durations_possible',
    condition: 'NEW.attempt_timeout_ms > 0 AND NEW.execution_ms >= 0',
  },
  {
    name: 'tasks_failed_iff_reason',
    condition: `(NEW.state = 'failed') = (NEW.failure_kind IS NOT NULL)`,
  },
  {
    name: 'tasks_failure_kind_known',
    condition: `NEW.failure_kind IN ('exit', 'worker_error', 'lost', 'attempts_exhausted', 'start_error')`,
  },
  { name: 'tasks_job_is_batch', condition: `NEW.job IS NULL OR NEW.kind = 'batch'` },
  { name: 'tasks_kind_known', condition: `NEW.kind IN ('model', 'batch', 'placement')` },
  {
    name: 'tasks_live_has_payload',
    condition:
      'NEW.finished_at IS NOT NULL OR (NEW.task_input IS NOT NULL AND NEW.metadata IS NOT NULL)',
  },
  {
    name: 'tasks_quantiles_match',
    condition: 'cardinality(NEW.prediction_levels) = cardinality(NEW.prediction_quantiles)',
  },
  {
    name: 'tasks_released_is_placement',
    condition: `NEW.state <> 'released' OR NEW.kind = 'placement'`,
  },
  {
    name: 'tasks_result_is_final',
    condition: 'NEW.result IS NULL OR NEW.finished_at IS NOT NULL',
  },
  { name: 'tasks_retries_possible', condition: 'NEW.retries >= 0' },
  {
    name: 'tasks_state_known',
    condition: `NEW.state = 'queued' OR NEW.state IN ${ACTIVE} OR NEW.state IN ${TERMINAL}`,
  },
  {
    name: 'tasks_stop_reason_known',
    condition: `NEW.stop_reason IN ('cancelled', 'timed_out')`,
  },
  {
    name: 'tasks_stopped_as_asked',
    condition: `NEW.state NOT IN ('cancelled', 'timed_out') OR NEW.stop_reason IS NOT DISTINCT FROM NEW.state`,
  },
  {
    name: 'tasks_stopping_has_reason',
    condition: `NEW.state <> 'stopping' OR NEW.stop_reason IS NOT NULL`,
  },
  {
    name: 'tasks_terminal_iff_finished',
    condition: `(NEW.state IN ${TERMINAL}) = (NEW.finished_at IS NOT NULL)`,
  },
];

const OF_ATTEMPTS: readonly Rule[] = [
  { name: 'attempts_decision_is_object', condition: `jsonb_typeof(NEW.decision) = 'object'` },
  { name: 'attempts_execution_possible', condition: 'NEW.execution_ms >= 0' },
  { name: 'attempts_no_positive', condition: 'NEW.attempt_no > 0' },
  {
    name: 'attempts_over_iff_ended',
    condition: `(NEW.state IN ('lost', 'ended')) = (NEW.ended_at IS NOT NULL)`,
  },
  { name: 'attempts_speed_positive', condition: 'NEW.speed > 0' },
  {
    name: 'attempts_state_known',
    condition: `NEW.state IN ('live', 'lost', 'abandoned', 'ended')`,
  },
];

const OF_EVENTS: readonly Rule[] = [
  {
    name: 'task_events_move_legal',
    condition: `
      CASE
        WHEN NEW.from_state IS NULL THEN
          NEW.to_state IS NULL OR NEW.to_state IN ('queued', 'dispatching', 'dispatched')
        WHEN NEW.to_state IS NULL THEN false
        ELSE NEW.from_state || '>' || NEW.to_state IN (
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
      END`,
  },
  { name: 'task_events_seq_positive', condition: 'NEW.seq > 0' },
];

const TABLES: readonly { readonly table: string; readonly rules: readonly Rule[] }[] = [
  { table: 'tasks', rules: OF_TASKS },
  { table: 'attempts', rules: OF_ATTEMPTS },
  { table: 'task_events', rules: OF_EVENTS },
];

/**
 * Which rows cannot be is said by triggers. As `CHECK` constraints the same conditions were read from their
 * stored text anew in every statement, which was 40 % of what the server did for a flush of one
 * task; a session compiles a trigger once. (docs/adr/0011)
 */
export class CheckRowsByTriggers1795257600310 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await lockAll(runner);
    for (const { table, rules } of TABLES) {
      await runner.query(refusal(table, rules));
      await runner.query(`
        CREATE TRIGGER ${table}_possible
        BEFORE INSERT OR UPDATE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION refuse_impossible_${table}()`);
      const drops = rules.map(({ name }) => `DROP CONSTRAINT ${name}`);
      await runner.query(`ALTER TABLE ${table} ${drops.join(', ')}`);
    }
  }

  /** Not validated, which would read the whole history while everybody waits. */
  async down(runner: QueryRunner): Promise<void> {
    await lockAll(runner);
    for (const { table, rules } of TABLES) {
      const adds = rules.map(
        ({ name, condition }) =>
          `ADD CONSTRAINT ${name} CHECK (${condition.replaceAll('NEW.', '')}) NOT VALID`,
      );
      await runner.query(`ALTER TABLE ${table} ${adds.join(', ')}`);
      await runner.query(`DROP TRIGGER ${table}_possible ON ${table}`);
      await runner.query(`DROP FUNCTION refuse_impossible_${table}()`);
    }
  }
}

/** At once, and in the order in which a flush takes them: another leader may be writing. */
async function lockAll(runner: QueryRunner): Promise<void> {
  await runner.query('LOCK TABLE tasks, attempts, task_events IN ACCESS EXCLUSIVE MODE');
}

/** As with a `CHECK`, a condition that is null is met. */
function refusal(table: string, rules: readonly Rule[]): string {
  const cases = rules.map(({ name, condition }) => `WHEN NOT (${condition}) THEN '${name}'`);
  return `
    CREATE FUNCTION refuse_impossible_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      broken text := CASE ${cases.join('\n')} END;
    BEGIN
      IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'a row of "%" violates "%"', TG_TABLE_NAME, broken
          USING ERRCODE = 'check_violation', CONSTRAINT = broken, TABLE = TG_TABLE_NAME;
      END IF;
      RETURN NEW;
    END
    $$`;
}
