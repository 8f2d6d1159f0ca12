import { SchedulerError, type ErrorCode } from '../../core/errors';
import { dtaskDialect } from './dtask.dialect';

const answer = (code: ErrorCode, path = '/api/v1/workers', details = {}): unknown =>
  dtaskDialect.errorAnswer(new SchedulerError(code, 'what', details), 'request-1', path);

describe('what dtask owns', () => {
  it.each(['/api/v1', '/api/v1/', '/api/v1/none', '/api/v1/workers/x'])('%s', (path) => {
    expect(dtaskDialect.owns(path)).toBe(true);
  });

  it.each(['/', '/api', '/api/', '/api/v10', '/api/v2/workers', '/v1/tasks', '/API/v1/workers'])(
    'is not %s',
    (path) => {
      expect(dtaskDialect.owns(path)).toBe(false);
    },
  );
});

describe('the answers to failures', () => {
  it.each([
    [400, 'invalid_input'],
    [400, 'malformed_body'],
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'unknown_route'],
    [405, 'method_not_allowed'],
    [413, 'body_too_large'],
    [415, 'unsupported_content'],
    [500, 'internal'],
    [503, 'queue_full'],
    [503, 'store_unavailable'],
    [503, 'not_leading'],
  ] as const)('%i with the message alone: %s', (status, code) => {
    expect(answer(code)).toEqual({ status, body: { error: 'what' } });
  });

  it.each(['no_instance', 'no_capacity', 'unsatisfiable'] as const)(
    '503 with the text of the original, whyever nothing fits: %s',
    (code) => {
      const body = { error: 'no available worker matching requirements' };
      expect(answer(code)).toEqual({ status: 503, body });
    },
  );

  it('503 for a task without an id, where a worker is asked for and nowhere else', () => {
    const missing = (name: string): object => ({
      faults: [{ loc: ['body', name], msg: 'what', type: 'missing' }],
    });
    const status = (path: string, details: object): unknown =>
      (answer('invalid_input', path, details) as { status: number }).status;
    expect(status('/api/v1/schedule', missing('task_id'))).toBe(503);
    expect(status('/api/v1/schedule/', missing('task_id'))).toBe(503);
    expect(status('/api/v1/release', missing('task_id'))).toBe(400);
    expect(status('/api/v1/schedule', missing('worker_id'))).toBe(400);
    const tooLong = { faults: [{ loc: ['body', 'task_id'], msg: 'what', type: 'length' }] };
    expect(status('/api/v1/schedule', tooLong)).toBe(400);
  });
});
