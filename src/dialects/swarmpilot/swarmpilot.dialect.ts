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
    call('GET', '/queue/info'),
    call('GET', '/task/query'),
    call('POST', '/notify/task_complete'),
    call('POST', '/result/submit'),
    call('POST', '/scheduler/set'),
    { method: 'GET', path: HEALTH_PATH, access: 'open' },
  ],
  owns: (path) => PREFIXES.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
  errorAnswer,
};

/**
 * Bytes that bodies may have where that is not the general limit. A result at its own limit must
 * get in, and one a little above it too: it ends its task, while a refused body would be dropped.
 */
export function swarmpilotBodyLimits({
  server,
  limits,
}: Pick<Config, 'server' | 'limits'>): Readonly<Record<string, number>> {
  return { '/result/submit': limits.resultLimitBytes + server.bodyLimitBytes };
}
