import type { ErrorCode, Fault } from '../core/errors';
import type { Dialect, DialectRoute, ErrorAnswer } from '../http/dialect';

const call = (method: DialectRoute['method'], path: string): DialectRoute => ({
  method,
  path,
  access: 'dialect',
});

const STATUS = {
  invalid_input: 422,
  malformed_body: 400,
  body_too_large: 413,
  unsupported_content: 415,
  unauthenticated: 401,
  forbidden: 403,
  unknown_route: 404,
  method_not_allowed: 405,
  unknown_task: 404,
  unknown_instance: 404,
  unknown_queue: 404,
  unknown_strategy: 404,
  unknown_licence_pool: 404,
  unreachable_instance: 502,
  wrong_model: 409,
  refused_by_instance: 409,
  no_instance: 503,
  unsatisfiable: 422,
  no_capacity: 503,
  queue_full: 429,
  forbidden_transition: 409,
  duplicate_task: 409,
  rejected_by_store: 422,
  store_unavailable: 503,
  not_leading: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/**
 * The protocol between a scheduler and a worker (contracts/task-instance.md). Errors look as they
 * do in the original's framework: `{"detail": <text>}`, and for invalid input
 * `{"detail": [{"loc", "msg", "type"}]}` with 422.
 */
export const taskInstanceDialect: Dialect = {
  name: 'task-instance',
  routes: [
    call('POST', '/models/start'),
    call('POST', '/models/stop'),
    call('GET', '/status'),
    call('POST', '/queue/enqueue'),
    call('POST', '/queue/predict'),
    call('GET', '/queue/status'),
    call('GET', '/results'),
    call('GET', '/results/:task_id'),
  ],
  owns: () => true,
  errorAnswer: ({ code, message, details }): ErrorAnswer => {
    const detail: string | readonly Fault[] =
      code === 'invalid_input' && details.faults !== undefined ? details.faults : message;
    return { status: STATUS[code], body: { detail } };
  },
};
