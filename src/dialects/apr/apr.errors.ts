import type { ErrorCode, SchedulerError } from '../../core/errors';
import type { ErrorAnswer } from '../../http/dialect';
import type { Plain } from '../../http/dto-fields';
import type { AprErrorDto } from './dto/envelope.dto';

const STATUSES = {
  invalid_input: 400,
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
  unknown_strategy: 400,
  unknown_licence_pool: 404,
  unreachable_instance: 503,
  wrong_model: 400,
  refused_by_instance: 400,
  no_instance: 503,
  unsatisfiable: 400,
  no_capacity: 503,
  queue_full: 503,
  forbidden_transition: 400,
  duplicate_task: 400,
  rejected_by_store: 400,
  store_unavailable: 503,
  not_leading: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/** A failure in the envelope of the batch protocol (contracts/apr.md). */
export function errorAnswer({ code, message, details }: SchedulerError): ErrorAnswer {
  const status = STATUSES[code];
  const data = details.faults === undefined ? {} : { errors: [...details.faults] };
  return { status, body: { status, message, data } satisfies Plain<AprErrorDto> };
}
