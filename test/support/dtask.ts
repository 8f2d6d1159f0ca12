import type { Refusal } from './refusal';

/** Expects a refusal of the placement protocol. */
export function expectError({ status, headers, body }: Refusal, expected: number): void {
  expect({ status, body }).toEqual({ status: expected, body: { error: expect.any(String) } });
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(headers['x-request-id']).toMatch(/^[\x21-\x7e]+$/);
  expect(body.error).toMatch(/^[^\n]{1,600}$/);
  expect(body.error).not.toMatch(/node_modules|\.[jt]s:\d|SELECT|at \w+ \(/);
}

/** A heartbeat of that worker, with room for 4 tasks and none there. */
export function heartbeatOf(workerId: string, overrides: object = {}): object {
  return {
    worker_id: workerId,
    address: `${workerId}.example:9000`,
    resource_tags: [],
    max_tasks: 4,
    current_tasks: 0,
    timestamp: Date.now() / 1000,
    ...overrides,
  };
}
