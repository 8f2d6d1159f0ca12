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
