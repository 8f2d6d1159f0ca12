import { request } from 'undici';
import type { Json } from './service-process';

/** An answer that refuses. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Json;
}

/** Sends what no client of ours would. */
export async function sendTo(
  method: string,
  url: string,
  body?: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Refusal> {
  const answer = await request(url, {
    method: method as 'POST',
    headers,
    body: body ?? null,
  });
  const raw = await answer.body.text();
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: raw === '' ? undefined : JSON.parse(raw),
  };
}

/** Expects a refusal in SwarmPilot's shape. */
export function expectRefusal({ status, headers, body }: Refusal, expected: number): void {
  expect({ status, body }).toEqual({
    status: expected,
    body: { status: 'error', message: expect.any(String), detail: expect.anything() },
  });
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(headers['x-request-id']).toMatch(/^[\x21-\x7e]+$/);
  expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
  expect(body.message).toMatch(/^[^\n]{1,600}$/);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.[jt]s:\d|SELECT|at \w+ \(/);
}

/** Expects 422 with a fault at that place. */
export function expectFaults(answer: Refusal, loc: readonly unknown[], type?: string): void {
  expectRefusal(answer, 422);
  const { detail, message } = answer.body;
  expect(detail).toContainEqual({
    loc,
    msg: expect.any(String),
    type: type ?? expect.stringMatching(/^(?:missing|type|length|enum|range|value)$/),
  });
  for (const fault of detail) expect(Object.keys(fault as object)).toEqual(['loc', 'msg', 'type']);
  expect(message).toContain(detail[0].msg);
}
