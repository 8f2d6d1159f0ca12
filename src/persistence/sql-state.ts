import { DatabaseError } from 'pg';

/** Data exceptions, violated constraints and exceeded limits: no repeat will make the row good. */
const REFUSED_CLASSES = ['22', '23', '54'];
/** The server says that this session is over, or never was. */
const GONE_CLASSES = ['08', '28', '57P', '25P03', '25P04', '3D'];

/** Serialisation, locks, cancellation, lack of memory or disk: over sooner or later. */
const PASSING_CLASSES = ['40', '53', '55', '57014'];

/** The five characters with which PostgreSQL says what went wrong; undefined when it did not. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** True when the database refused a row for what it is. */
export function isRefusal(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && REFUSED_CLASSES.some((prefix) => state.startsWith(prefix));
}

/** True when the key of a row belongs to another one. */
export function isTaken(error: unknown): boolean {
  return sqlStateOf(error) === '23505';
}

/** True when the connection is gone, so that nothing is known of what was under way on it. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || GONE_CLASSES.some((prefix) => state.startsWith(prefix));
}

/** True when the same statement on the same connection may do better another time. */
export function isPassing(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && PASSING_CLASSES.some((prefix) => state.startsWith(prefix));
}
