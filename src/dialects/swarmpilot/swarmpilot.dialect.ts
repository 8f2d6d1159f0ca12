import type { Config } from '../../config/config.schema';
import type { Dialect, DialectRoute } from '../../http/dialect';
import { errorAnswer, HEALTH_PATH } from './swarmpilot.errors';

const call = (method: DialectRoute['method'], path: string): DialectRoute => ({
  method,
  path,
  access: 'dialect',
});

const PREFIXES = ['/ti', '/queue', '/task', '/notify', '/result'];

/** The protocol of the SwarmPilot scheduler (contracts/swarmpilot.md). */
export const swarmpilotDialect: Dialect = {
  name: 'swarmpilot',
  routes: [
    call('POST', '/ti/register'),
    call('POST', '/ti/remove'),
    call('POST', '/queue/submit'),
    call('POST', '/queue/submit_batch'),
    call('GET', '/queue/info'),
    call('GET', '/task/query'),
    call('GET', '/task/all_tasks'),
    call('POST', '/task/clear'),
    call('POST', '/notify/task_complete'),
    call('POST', '/result/submit'),
    call('POST', '/result/fetch'),
    call('POST', '/scheduler/set'),
    call('POST', '/scheduler/predict_mode'),
    { method: 'GET', path: HEALTH_PATH, access: 'open' },
  ],
  owns: (path) => PREFIXES.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
  errorAnswer,
};

/** Bytes of a batch; each of its tasks may have as many as any other body. */
const BATCH_BYTES = 32 * 1_048_576;

/**
 * Bytes that bodies may have where that is not the general limit. A result at its own limit must
 * get in, and one a little above it too: it ends its task, while a refused body would be dropped.
 */
export function swarmpilotBodyLimits({
  server,
  limits,
}: Pick<Config, 'server' | 'limits'>): Readonly<Record<string, number>> {
  return {
    '/queue/submit_batch': BATCH_BYTES,
    '/result/submit': limits.resultLimitBytes + server.bodyLimitBytes,
  };
}
