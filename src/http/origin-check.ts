import type { IncomingHttpHeaders } from 'node:http';
import { SchedulerError } from '../core/errors';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What a browser says of a request that one of our own pages, or the user, caused. */
const OWN_SITE = new Set(['same-origin', 'none']);

/**
 * Refuses changes that somebody else's page asks for. Reads pass: without CORS headers a foreign
 * page cannot see the answer.
 *
 * @throws {SchedulerError} `forbidden` for a mutating request with a foreign `Origin`, or with
 *   `Sec-Fetch-Site` other than `same-origin` and `none`
 */
export function checkOrigin(method: string, headers: IncomingHttpHeaders): void {
  if (READS.has(method)) return;
  const { origin, host } = headers;
  if (origin !== undefined && !isOwnOrigin(origin, host ?? '')) {
    throw new SchedulerError(
      'forbidden',
      'the Origin of this request is another site; changes are taken from our own pages and from programs only',
    );
  }
  const site = headers['sec-fetch-site'];
  if (site === undefined || (typeof site === 'string' && OWN_SITE.has(site))) return;
  throw new SchedulerError(
    'forbidden',
    'this request was caused by a page of another site; changes are taken from our own pages and from programs only',
  );
}

/** True when the origin is the host that was asked, default ports filled in. */
function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const sender = new URL(origin);
  const asked = `${sender.protocol}//${host}`;
  return URL.canParse(asked) && new URL(asked).host === sender.host;
}
