import { TRANSITIONS } from '../core/task';

/** A statement that must return no row, at any moment (RELIABILITY_MODEL, section 9). */
export interface InvariantQuery {
  /** As in `I3`, with what it says. */
  readonly name: string;
  /** Each row names what breaks it: `subject` and `detail`. */
  readonly sql: string;
  /** `live`: reads live rows only. `history`: reads all, so it gets slower with the years. */
  readonly reads: 'live' | 'history';
}

const LEGAL = TRANSITIONS.map(([from, to]) => `'${from ?? ''}>${to}'`).join(', ');
const TERMINAL = `('succeeded', 'failed', 'cancelled', 'timed_out', 'released')`;

/** I1, I6, I7, I12 to I14 are not here: they compare with what only a client or the memory knows. */
export const INVARIANT_QUERIES: readonly InvariantQuery[] = [
  {
    name: 'I2 terminal if and only if finished_at is set',
    reads: 'history',
    sql: `
      SELECT id AS subject, state AS detail
        FROM tasks
       WHERE (state IN ${TERMINAL}) <> (finished_at IS NOT NULL)`,
  },
  {
    name: 'I3 at most one live attempt of a task',
    reads: 'live',
    sql: `
      SELECT task_id AS subject, count(*) || ' live attempts' AS detail
        FROM attempts
       WHERE state = 'live'
       GROUP BY task_id
      HAVING count(*) > 1`,
  },
  {
    name: 'I4 at most one end of a task',
    reads: 'history',
    sql: `
      SELECT task_id AS subject, count(*) || ' ends' AS detail
        FROM task_events
       WHERE to_state IN ${TERMINAL}
       GROUP BY task_id
      HAVING count(*) > 1`,
  },
  {
    name: 'I5 an active task has a live attempt, the newest one',
    reads: 'live',
    sql: `
      SELECT t.id AS subject, t.state || ', attempt ' || t.attempt_no AS detail
        FROM tasks t
        LEFT JOIN attempts a
          ON a.task_id = t.id AND a.attempt_no = t.attempt_no AND a.state = 'live'
       WHERE t.finished_at IS NULL AND t.instance_id IS NOT NULL AND t.state <> 'queued'
         AND a.task_id IS NULL`,
  },
  {
    name: 'I5 a live attempt belongs to an active task',
    reads: 'live',
    sql: `
      SELECT a.task_id AS subject, 'attempt ' || a.attempt_no || ' of a task ' || t.state AS detail
        FROM attempts a
        JOIN tasks t ON t.id = a.task_id
       WHERE a.state = 'live' AND (t.finished_at IS NOT NULL OR t.state = 'queued')`,
  },
  {
    name: 'I5 an abandoned attempt belongs to a task that has ended',
    reads: 'live',
    sql: `
      SELECT a.task_id AS subject, 'attempt ' || a.attempt_no || ' of a task ' || t.state AS detail
        FROM attempts a
        JOIN tasks t ON t.id = a.task_id
       WHERE a.state = 'abandoned' AND t.finished_at IS NULL`,
  },
  {
    name: 'I8 every recorded move is a legal one',
    reads: 'history',
    sql: `
      SELECT task_id AS subject, coalesce(from_state, '') || '>' || coalesce(to_state, '') AS detail
        FROM task_events
       WHERE coalesce(from_state, '') || '>' || coalesce(to_state, '') NOT IN ('>', ${LEGAL})`,
  },
  {
    name: 'I8 the moves of a task follow each other, from its entry to its present state',
    reads: 'history',
    sql: `
      WITH moves AS (
        SELECT task_id, seq, from_state, to_state,
               lag(to_state) OVER task AS before,
               lead(to_state) OVER task AS next
          FROM task_events
         WHERE to_state IS NOT NULL
        WINDOW task AS (PARTITION BY task_id ORDER BY seq)
      )
      SELECT m.task_id AS subject,
             coalesce(m.from_state, 'entry') || ' to ' || m.to_state || ' after '
               || coalesce(m.before, 'nothing') || ', now ' || t.state AS detail
        FROM moves m
        JOIN tasks t ON t.id = m.task_id
       WHERE m.from_state IS DISTINCT FROM m.before
          OR (m.next IS NULL AND m.to_state <> t.state)`,
  },
  {
    name: 'I9 nothing is dispatching for more than 60 s',
    reads: 'live',
    sql: `
      SELECT t.id AS subject, 'since ' || t.updated_at AS detail
        FROM tasks t
       WHERE t.finished_at IS NULL AND t.instance_id IS NOT NULL AND t.state = 'dispatching'
         AND t.updated_at < now() - interval '60 seconds'`,
  },
  {
    name: 'I10 no lease has expired more than 60 s ago while somebody leads',
    reads: 'live',
    sql: `
      SELECT name AS subject, 'term ' || epoch || ' expired at ' || expires_at AS detail
        FROM leadership
       WHERE holder IS NOT NULL AND expires_at < now() - interval '60 seconds'`,
  },
  {
    name: 'I11 the term never falls from one event to the next',
    reads: 'history',
    sql: `
      SELECT task_id AS subject, 'term ' || epoch || ' after ' || before AS detail
        FROM (SELECT task_id, epoch, lag(epoch) OVER (ORDER BY id) AS before FROM task_events) e
       WHERE epoch < before`,
  },
  {
    name: 'I11 nothing was written by a term that has not begun',
    reads: 'live',
    sql: `
      SELECT t.id AS subject, 'term ' || t.epoch AS detail
        FROM tasks t, leadership l
       WHERE t.finished_at IS NULL AND t.epoch > l.epoch`,
  },
];
