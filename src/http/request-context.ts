import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RouteMatch } from './route-table';

const REQUEST_ID = Symbol('requestId');
const ROUTE = Symbol('route');
/** Short and printable: what comes from outside ends up in logs and answers. */
const KEPT_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

type Carrier = IncomingMessage & { [REQUEST_ID]?: string; [ROUTE]?: RouteMatch };

/**
 * The id that names this request in answers and logs: the caller's `X-Request-Id` when it is 1 to
 * 128 printable ASCII characters without spaces, else a random one. The same for every call.
 */
export function requestIdOf(request: IncomingMessage): string {
  const carrier: Carrier = request;
  const known = carrier[REQUEST_ID];
  if (known !== undefined) return known;
  const id = callersId(request) ?? randomUUID();
  carrier[REQUEST_ID] = id;
  return id;
}

/** Remembers which declared route the request was admitted to. */
export function rememberRoute(request: IncomingMessage, match: RouteMatch): void {
  const carrier: Carrier = request;
  carrier[ROUTE] = match;
}

/** The declared route of an admitted request; undefined before and without admission. */
export function routeOf(request: IncomingMessage): RouteMatch | undefined {
  const carrier: Carrier = request;
  return carrier[ROUTE];
}

/** The path of a request target, as sent: nothing decoded, without query. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end < 0 ? target : target.slice(0, end);
}

function callersId(request: IncomingMessage): string | undefined {
  const id = request.headers['x-request-id'];
  return typeof id === 'string' && KEPT_REQUEST_ID.test(id) ? id : undefined;
}
