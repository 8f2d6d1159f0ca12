import type { ErrorCode, Fault } from '../core/errors';
import type { Dialect, DialectRoute } from './dialect';

/** An error of the native API: RFC 9457, with our code and the faults beside it. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Id of the request, as in the `X-Request-Id` header and the log. */
  readonly instance: string;
  readonly code: ErrorCode;
  readonly errors?: readonly Fault[];
}

interface Problem {
  readonly status: number;
  readonly title: string;
}

const PROBLEMS = {
  invalid_input: { status: 422, title: 'Invalid input' },
  malformed_body: { status: 400, title: 'Malformed body' },
  body_too_large: { status: 413, title: 'Body too large' },
  unsupported_content: { status: 415, title: 'Unsupported content' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  forbidden: { status: 403, title: 'Forbidden' },
  unknown_route: { status: 404, title: 'Unknown path' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  unknown_task: { status: 404, title: 'Unknown task' },
  unknown_instance: { status: 404, title: 'Unknown instance' },
  unknown_queue: { status: 404, title: 'Unknown queue' },
  unknown_strategy: { status: 422, title: 'Unknown strategy' },
  unknown_licence_pool: { status: 404, title: 'Unknown licence pool' },
  unreachable_instance: { status: 502, title: 'Instance cannot be reached' },
  wrong_model: { status: 409, title: 'Instance serves another model' },
  refused_by_instance: { status: 409, title: 'Refused by the instance' },
  no_instance: { status: 503, title: 'No instance for this task' },
  unsatisfiable: { status: 422, title: 'No instance could ever hold this task' },
  no_capacity: { status: 503, title: 'No capacity now' },
  queue_full: { status: 429, title: 'Queue full' },
  forbidden_transition: { status: 409, title: 'Not in this state' },
  duplicate_task: { status: 409, title: 'Task exists already' },
  rejected_by_store: { status: 422, title: 'Refused by the database' },
  store_unavailable: { status: 503, title: 'Database unavailable' },
  not_leading: { status: 503, title: 'Not the leader' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<ErrorCode, Problem>;

/**
 * The dialect of our own API (`/v1`) and of every path that is nobody else's. Put it last: it owns
 * the rest. Bodies must say `application/json`.
 *
 * @param routes every native call, documents included (`/docs`, `/docs/*rest`, `/openapi.json`)
 */
export function nativeDialect(routes: readonly DialectRoute[]): Dialect {
  return {
    name: 'native',
    routes,
    strictContentType: true,
    owns: () => true,
    errorAnswer: ({ code, message, details }, requestId) => {
      const { status, title } = PROBLEMS[code];
      const problem: ProblemDetails = {
        type: `urn:foresail:problem:${code}`,
        title,
        status,
        detail: message,
        instance: requestId,
        code,
        ...(details.faults === undefined ? {} : { errors: details.faults }),
      };
      return { status, body: problem, contentType: 'application/problem+json' };
    },
  };
}
