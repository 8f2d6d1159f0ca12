import { QueryFailedError, TypeORMError, type DataSource, type EntityManager } from 'typeorm';
import { isSchedulerError, SchedulerError } from '../core/errors';
import type { Term } from '../ops/term';
import { FENCE_SQL } from './journal-sql';
import { isConnectionLoss, isPassing } from './sql-state';
import { StoreUnavailableError } from './store-unavailable.error';

/**
 * Runs reads or writes and says in the words of the domain when PostgreSQL does not answer.
 * @throws {StoreUnavailableError}
 */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    const message = 'PostgreSQL does not answer';
    throw new StoreUnavailableError(message, 'unknown', null, { cause: error });
  }
}

/**
 * Runs writes in one transaction that holds the lease row: they happen within this term, or not at
 * all. A term that turns out to be over is ended.
 * @throws {SchedulerError} not_leading when another term has begun
 * @throws {StoreUnavailableError} whether it was written is unknown
 */
export async function inTerm<T>(
  dataSource: DataSource,
  term: Term,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return answered(() =>
    dataSource.transaction(async (manager) => {
      const rows = await manager.query<unknown[]>(FENCE_SQL, [term.epoch]);
      if (rows.length === 0) {
        term.end('another process has begun a term');
        throw new SchedulerError('not_leading', `term ${term.epoch} has ended`);
      }
      return work(manager);
    }),
  );
}

function isOutage(error: unknown): boolean {
  if (isSchedulerError(error)) return false;
  if (error instanceof QueryFailedError) {
    return isConnectionLoss(error.driverError) || isPassing(error.driverError);
  }
  const isDefect =
    error instanceof TypeORMError || error instanceof TypeError || error instanceof RangeError;
  return !isDefect;
}
