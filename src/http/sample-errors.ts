import { type ErrorCode, SchedulerError } from '../core/errors';

const PORT_FAULT = {
  loc: ['body', 'port'],
  msg: 'port must not be greater than 65535; got 70000',
  type: 'range',
};

/** One error of each code, as callers may meet it: what the API document shows. */
const MESSAGES = {
  invalid_input: PORT_FAULT.msg,
  malformed_body: 'the body is not valid JSON (at character 17)',
  body_too_large: 'the body is larger than 1048576 bytes',
  unsupported_content:
    'content-type "text/plain" is not read here; allowed is application/json in UTF-8',
  unauthenticated:
    "this call needs a key: send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'",
  forbidden:
    'host "evil.example" is not one of ours; allowed are addresses, localhost, the name of the ' +
    'machine and FORESAIL_ALLOWED_HOSTS',
  unknown_route: 'there is no GET /nothing',
  method_not_allowed: 'GET is not taken at /queue/submit; allowed: POST',
  unknown_task: 'there is no task "t-17"',
  unknown_instance: 'no instance "gpu7:8100" is registered',
  unknown_queue: 'there is no queue of model "llama": it has neither instances nor settings',
  unknown_strategy: 'unknown strategy "fastest"; valid: earliest, shortest_queue, round_robin',
  unknown_licence_pool: 'there is no licence pool "innovus"',
  unreachable_instance: 'task instance gpu7:8100 cannot be reached: connection refused',
  wrong_model: 'gpu7:8100 serves "mistral", not "llama"',
  refused_by_instance:
    'task instance gpu7:8100, POST /models/start: answered 409: {"detail":"mistral is running"}',
  no_instance: 'no instance is registered for model "llama"',
  unsatisfiable: 'no instance could ever hold this task',
  no_capacity: 'nothing is free now',
  queue_full: '50000 tasks wait for model "llama"; the limit of its queue is 50000',
  forbidden_transition: 'a task that is succeeded cannot be cancelled',
  duplicate_task: 'task t-17 is taken',
  rejected_by_store: 'the database refused this task',
  store_unavailable: 'the database does not answer',
  not_leading: 'this process does not lead (yet); the leader, or this one soon, will answer',
  internal: 'the request failed inside; the log of request 0c3e8a52 says why',
} as const satisfies Record<ErrorCode, string>;

/** An error of that code with a message like those that callers get. */
export function sampleError(code: ErrorCode): SchedulerError {
  const details = code === 'invalid_input' ? { faults: [PORT_FAULT] } : {};
  return new SchedulerError(code, MESSAGES[code], details);
}
