import type { Refusal } from './refusal';
import type { Answer, Json } from './service-process';

/** An instant as answers of the batch protocol show it. */
export const APR_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Expects a success of the batch protocol, in its envelope, and gives its data. */
export function dataOf({ status, headers, body }: Answer): Json {
  expect(body).toEqual({ status: 200, message: 'success', data: expect.any(Object) });
  expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  return body.data;
}

/** The items of a list of that name in the data of a success. */
export function listOf(answer: Answer, name: string): Json[] {
  return dataOf(answer)[name] as Json[];
}

/** Expects a refusal of the batch protocol, in its envelope. */
export function expectEnvelope({ status, headers, body }: Refusal, expected: number): void {
  expect({ status, body }).toEqual({
    status: expected,
    body: { status: expected, message: expect.any(String), data: expect.any(Object) },
  });
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(headers['x-request-id']).toMatch(/^[\x21-\x7e]+$/);
  expect(body.message).toMatch(/^[^\n]{1,600}$/);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.[jt]s:\d|SELECT|at \w+ \(/);
}

/** Expects 400 with a fault at that place. */
export function expectFault(answer: Refusal, loc: readonly unknown[], type?: string): void {
  expectEnvelope(answer, 400);
  const { data, message } = answer.body;
  expect(data.errors).toContainEqual({
    loc,
    msg: expect.any(String),
    type: type ?? expect.stringMatching(/^(?:missing|type|length|enum|range|value)$/),
  });
  expect(message).toContain(data.errors[0].msg);
}
