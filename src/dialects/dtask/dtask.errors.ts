import type { ErrorCode, SchedulerError } from '../../core/errors';
import type { ErrorAnswer } from '../../http/dialect';
import type { Plain } from '../../http/dto-fields';
import type { DtaskErrorDto } from './dto/error.dto';

/** Where a task without an id is answered like one that fits nowhere. */
export const SCHEDULE_PATH = '/api/v1/schedule';

/** How a failure looks; the status goes with it. */
type Words = (error: SchedulerError) => string;

const ours: Words = ({ message }) => message;
/** Clients of the original compare this text. */
const nothingFits: Words = () => 'no available worker matching requirements';

const ANSWERS = {
  invalid_input: [400, ours],
  malformed_body: [400, ours],
  body_too_large: [413, ours],
  unsupported_content: [415, ours],
  unauthenticated: [401, ours],
  forbidden: [403, ours],
  unknown_route: [404, ours],
  method_not_allowed: [405, ours],
  unknown_task: [404, ours],
  unknown_instance: [404, ours],
  unknown_queue: [404, ours],
  unknown_strategy: [400, ours],
  unknown_licence_pool: [404, ours],
  unreachable_instance: [503, ours],
  wrong_model: [400, ours],
  refused_by_instance: [400, ours],
  no_instance: [503, nothingFits],
  unsatisfiable: [503, nothingFits],
  no_capacity: [503, nothingFits],
  queue_full: [503, ours],
  forbidden_transition: [400, ours],
  duplicate_task: [400, ours],
  rejected_by_store: [400, ours],
  store_unavailable: [503, ours],
  not_leading: [503, ours],
  internal: [500, ours],
} as const satisfies Record<ErrorCode, readonly [status: number, words: Words]>;

/** A failure in the words of dtask-scheduler (contracts/dtask.md). */
export function errorAnswer(error: SchedulerError, _requestId: string, path: string): ErrorAnswer {
  const [status, words] = ANSWERS[error.code];
  const body: Plain<DtaskErrorDto> = { error: words(error) };
  const asksForWorker = path === SCHEDULE_PATH || path === `${SCHEDULE_PATH}/`;
  return { status: asksForWorker && lacksTaskId(error) ? 503 : status, body };
}

function lacksTaskId({ details: { faults = [] } }: SchedulerError): boolean {
  return faults.some(({ loc, type }) => type === 'missing' && loc.at(-1) === 'task_id');
}
