import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { IncomingMessage } from 'node:http';
import { parseNetworks } from '../config/networks';
import { SchedulerError } from '../core/errors';
import { checkContent } from './content-check';
import type { Dialect } from './dialect';
import { hostCheck } from './host-check';
import { KeyCheck, KeyGate } from './key-check';
import { checkOrigin } from './origin-check';
import { readQuery } from './read-query';
import { pathOf, rememberRoute, requestIdOf } from './request-context';
import {
  allowedMethods,
  checkPathParameters,
  routeFor,
  RouteTable,
  type RouteMatch,
} from './route-table';

/** Who may talk to this process. */
export interface Admission {
  /** CIDR blocks whose members may use `dialect` routes without a key. */
  readonly trustedNetworks: readonly string[];
  /** Names, beside addresses, localhost and the machine's own, that `Host` may carry. */
  readonly allowedHosts: readonly string[];
  readonly keys: KeyCheck;
  /** Default: those of the scheduler. */
  readonly remedies?: Remedies;
}

/** What the reader of a refusal can do, in the settings of the process that refuses. */
export interface Remedies {
  /** Told to a call that needs a key and has none: a sentence. */
  readonly key: string;
  /** Where the allowed names of `Host` come from: a noun. */
  readonly host: string;
}

const SCHEDULER_REMEDIES: Remedies = {
  key: "this call needs a key: send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'",
  host: 'FORESAIL_ALLOWED_HOSTS',
};

/**
 * The checks that a request passes before anything of its body is read, whichever entrance it takes:
 * host, origin and key. What is refused here costs no parsing and reaches no controller.
 */
export class Doorkeeper {
  /** Refuses requests for other hosts. @throws {SchedulerError} `forbidden` */
  readonly checkHost: (host: string | undefined) => void;
  private readonly keys: KeyGate;

  /** @throws {Error} when a trusted network is not a CIDR block */
  constructor({ allowedHosts, trustedNetworks, keys, remedies = SCHEDULER_REMEDIES }: Admission) {
    this.checkHost = hostCheck(allowedHosts, remedies.host);
    this.keys = new KeyGate(keys, parseNetworks(trustedNetworks), remedies.key);
  }

  /**
   * Lets the request through to a declared route, and remembers on it which one that is.
   * @returns a promise only when the key has to be looked up
   * @throws {SchedulerError} `forbidden`, `unauthenticated`
   */
  admitTo(match: RouteMatch, request: IncomingMessage): Promise<void> | undefined {
    rememberRoute(request, match);
    checkOrigin(request.method ?? '', request.headers);
    return this.keys.check(request, match.route.access);
  }
}

/**
 * The door of every request that goes to Express: request id, host, known path and method, origin,
 * key, query, content type. In particular nothing that is not declared in a dialect can be reached.
 * OPTIONS is answered here, with `Allow` and without CORS headers.
 *
 * @returns Express middleware that throws {SchedulerError} `forbidden`, `unknown_route`,
 *   `method_not_allowed`, `unauthenticated`, `invalid_input` (query or path) or
 *   `unsupported_content`
 * @throws {Error} when a trusted network is not a CIDR block, or a route is declared twice
 */
export function admit(dialects: readonly Dialect[], admission: Admission): RequestHandler {
  const routes = new RouteTable(dialects);
  const doorkeeper = new Doorkeeper(admission);
  return (request, response, next) => {
    response.setHeader('X-Request-Id', requestIdOf(request));
    doorkeeper.checkHost(request.headers.host);
    const path = pathOf(request.url);
    const entries = routes.at(path);
    if (entries.length === 0) throw unknownRoute(request.method, path);
    if (request.method === 'OPTIONS') {
      answerOptions(response, allowedMethods(entries));
      return;
    }
    const match = routeFor(entries, request.method);
    if (match === undefined) throw wrongMethod(request.method, path, allowedMethods(entries));
    const verdict = doorkeeper.admitTo(match, request);
    const enter = (): void => {
      checkPathParameters(match.route.path, path);
      shadowQuery(request);
      checkContent(request.headers, match.dialect);
      next();
    };
    if (verdict === undefined) enter();
    else enterLater(verdict, enter, next);
  };
}

function enterLater(verdict: Promise<void>, enter: () => void, next: NextFunction): void {
  verdict.then(enter).catch(next);
}

/** Express parses `request.query` at every read: an own property is parsed once. */
function shadowQuery(request: Request): void {
  const value = readQuery(request.url);
  Object.defineProperty(request, 'query', { value, configurable: true, enumerable: true });
}

function answerOptions(response: Response, allow: readonly string[]): void {
  response.setHeader('Allow', [...allow, 'OPTIONS'].join(', '));
  response.setHeader('Content-Length', '0');
  response.statusCode = 200;
  response.end();
}

function unknownRoute(method: string, path: string): SchedulerError {
  const shown = path.length > 80 ? `${path.slice(0, 80)}…` : path;
  return new SchedulerError('unknown_route', `there is no ${method} ${shown}`);
}

function wrongMethod(method: string, path: string, allow: readonly string[]): SchedulerError {
  const message = `${method} is not taken at ${path}; allowed: ${allow.join(', ')}`;
  return new SchedulerError('method_not_allowed', message, { allow });
}
