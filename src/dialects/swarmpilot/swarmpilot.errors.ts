import { VERSION } from '../../config/version';
import type { ErrorCode, SchedulerError } from '../../core/errors';
import type { ErrorAnswer } from '../../http/dialect';
import type { Plain } from '../../http/dto-fields';
import type { UnhealthyDto } from './dto/health.dto';

/** Where a load balancer looks: what keeps the scheduler from working has a shape of its own there. */
export const HEALTH_PATH = '/health';

/** How a failure looks; the status goes with it. */
type Shape = (error: SchedulerError) => object;

const failure: Shape = ({ message }) => ({ status: 'error', message, detail: message });

/** 422 always lists faults, also where the error itself knows only a message. */
const faults: Shape = ({ message, details }) => ({
  status: 'error',
  message,
  detail: details.faults ?? [{ loc: ['body'], msg: message, type: 'value' }],
});

/** A registration that did not hold what it promised is no HTTP error in the original. */
const notRegistered: Shape = ({ message }) => ({ status: 'error', message, ti_uuid: '' });

/** Neither is a strategy that is not known. */
const notChosen: Shape = ({ message }) => ({ status: 'error', message });

const ANSWERS = {
  invalid_input: [422, faults],
  malformed_body: [400, failure],
  body_too_large: [413, failure],
  unsupported_content: [415, failure],
  unauthenticated: [401, failure],
  forbidden: [403, failure],
  unknown_route: [404, failure],
  method_not_allowed: [405, failure],
  unknown_task: [404, failure],
  unknown_instance: [404, failure],
  unknown_queue: [404, failure],
  unknown_strategy: [200, notChosen],
  unknown_licence_pool: [404, failure],
  unreachable_instance: [200, notRegistered],
  wrong_model: [200, notRegistered],
  refused_by_instance: [409, failure],
  no_instance: [503, failure],
  unsatisfiable: [503, failure],
  no_capacity: [503, failure],
  queue_full: [429, failure],
  forbidden_transition: [409, failure],
  duplicate_task: [409, failure],
  rejected_by_store: [422, faults],
  store_unavailable: [503, failure],
  not_leading: [503, failure],
  internal: [500, failure],
} as const satisfies Record<ErrorCode, readonly [status: number, shape: Shape]>;

/** A failure in the words of SwarmPilot (contracts/swarmpilot.md). */
export function errorAnswer(error: SchedulerError, _requestId: string, path: string): ErrorAnswer {
  const [status, shape] = ANSWERS[error.code];
  const isHealth = path === HEALTH_PATH && status === 503;
  return { status, body: isHealth ? unhealthy(error) : shape(error) };
}

function unhealthy({ message }: SchedulerError): Plain<UnhealthyDto> {
  const whatFails = { reason: message, message, detail: message };
  return { status: 'unhealthy', service: 'scheduler', version: VERSION, ...whatFails };
}
