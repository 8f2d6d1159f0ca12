import type { Dialect, DialectRoute } from '../../http/dialect';
import { errorAnswer } from './apr.errors';

const PREFIX = '/scheduler';

const reads = (path: string): DialectRoute => ({ method: 'GET', path, access: 'dialect' });
/** What makes commands run, or keeps them from it, needs a key once one exists. */
const changes = (path: string): DialectRoute => ({ method: 'POST', path, access: 'key' });

/** The protocol of the APR batch scheduler (contracts/apr.md). */
export const aprDialect: Dialect = {
  name: 'apr',
  routes: [
    { method: 'GET', path: `${PREFIX}/health`, access: 'open' },
    changes(`${PREFIX}/hosts/register`),
    { method: 'POST', path: `${PREFIX}/hosts/:host_id/heartbeat`, access: 'dialect' },
    reads(`${PREFIX}/hosts`),
    changes(`${PREFIX}/jobs`),
    changes(`${PREFIX}/jobs/batch`),
    reads(`${PREFIX}/jobs`),
    reads(`${PREFIX}/jobs/:job_id`),
    reads(`${PREFIX}/jobs/:job_id/logs`),
    changes(`${PREFIX}/jobs/:job_id/pause`),
    changes(`${PREFIX}/jobs/:job_id/resume`),
    changes(`${PREFIX}/jobs/:job_id/stop`),
    changes(`${PREFIX}/jobs/:job_id/rerun`),
    reads(`${PREFIX}/metrics/summary`),
  ],
  // But for the paths that SwarmPilot declares there.
  owns: (path) => path === PREFIX || path.startsWith(`${PREFIX}/`),
  errorAnswer,
};

/** Bytes that bodies may have where that is not the general limit; each job of a batch has that. */
export const APR_BODY_LIMITS: Readonly<Record<string, number>> = {
  [`${PREFIX}/jobs/batch`]: 32 * 1_048_576,
};
