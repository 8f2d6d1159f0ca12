import type { ErrorCode, SchedulerError } from '../../core/errors';
import type { Dialect, ErrorAnswer } from '../../http/dialect';
import type { Plain } from '../../http/dto-fields';
import type { PredictorErrorDto } from './dto/error.dto';

const PREFIX = '/predictor';

const STATUSES = {
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

/** A failure in the words of the predictor (contracts/predictor.md). */
export function errorAnswer({ code, message, details }: SchedulerError): ErrorAnswer {
  const faults = details.faults === undefined ? {} : { detail: [...details.faults] };
  const body: Plain<PredictorErrorDto> = { status: 'error', message, ...faults };
  return { status: STATUSES[code], body };
}

/** The predictor's interface: `http://scheduler/predictor` is a predictor for anyone else. */
export const predictorDialect: Dialect = {
  name: 'predictor',
  routes: [
    { method: 'POST', path: `${PREFIX}/predict`, access: 'dialect' },
    { method: 'GET', path: `${PREFIX}/health`, access: 'dialect' },
    { method: 'GET', path: `${PREFIX}/models`, access: 'dialect' },
  ],
  owns: (path) => path === PREFIX || path.startsWith(`${PREFIX}/`),
  errorAnswer,
};
