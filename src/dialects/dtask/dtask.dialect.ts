import type { Dialect, DialectRoute } from '../../http/dialect';
import { errorAnswer, SCHEDULE_PATH } from './dtask.errors';

const PREFIX = '/api/v1';
const HEARTBEAT_PATH = `${PREFIX}/heartbeat`;

const call = (method: DialectRoute['method'], path: string): DialectRoute => ({
  method,
  path,
  access: 'dialect',
});

/** The protocol of dtask-scheduler (contracts/dtask.md). */
export const dtaskDialect: Dialect = {
  name: 'dtask',
  routes: [
    call('POST', HEARTBEAT_PATH),
    call('POST', SCHEDULE_PATH),
    call('POST', `${PREFIX}/release`),
    call('GET', `${PREFIX}/workers`),
  ],
  owns: (path) => path === PREFIX || path.startsWith(`${PREFIX}/`),
  errorAnswer,
};

/** Bytes that bodies may have where that is not the general limit: 10 000 task ids in any script. */
export const DTASK_BODY_LIMITS: Readonly<Record<string, number>> = {
  [HEARTBEAT_PATH]: 16 * 1_048_576,
};
