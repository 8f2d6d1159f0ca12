import { Pool } from 'undici';
import { retryAfterMs } from './retry-after';

/** What the scheduler made of a call, as far as the worker has to tell cases apart. */
export type SchedulerReply =
  /** Done. */
  | { readonly kind: 'accepted' }
  /** Understood and refused with 200 `status:"error"`: the instance or the task is not known there. */
  | { readonly kind: 'rejected'; readonly message: string }
  /** A repeat cannot help: the request itself, or the key, is wrong. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Nobody there, or not now: a repeat makes sense, not before `retryAfterMs`. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs: number };

/** Where a worker is reached, and what it serves. */
export interface Registration {
  readonly host: string;
  readonly port: number;
  readonly model_name: string;
}

/** Connections to the scheduler: the reporter's, and one so that the rest never waits for it. */
export const REPORT_CONNECTIONS = 4;
const CONNECTIONS = REPORT_CONNECTIONS + 1;
const CONNECT_TIMEOUT_MS = 2000;
const ANSWER_TIMEOUT_MS = 10_000;
/** An answer is a line or two; more than this comes from something else. */
const LONGEST_ANSWER = 256 * 1024;

/** The calls that a worker makes on the scheduler. None of them throws: every end is a reply. */
export class SchedulerClient {
  private readonly pool: Pool;
  private readonly prefix: string;
  private readonly headers: Readonly<Record<string, string>>;

  /** @param url base URL of the scheduler, a path prefix included; @param key sent when given. */
  constructor(url: string, key?: string) {
    const { origin, pathname } = new URL(url);
    this.prefix = pathname.replace(/\/+$/, '');
    this.headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
    this.pool = new Pool(origin, {
      connections: CONNECTIONS,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
      maxResponseSize: LONGEST_ANSWER,
    });
  }

  register(registration: Registration): Promise<SchedulerReply> {
    return this.post('/ti/register', JSON.stringify(registration));
  }

  remove(host: string, port: number): Promise<SchedulerReply> {
    return this.post('/ti/remove', JSON.stringify({ host, port }));
  }

  /** @param body JSON text of the report. */
  submitResult(body: string): Promise<SchedulerReply> {
    return this.post('/result/submit', body);
  }

  /** Drops connections and whatever is under way on them. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async post(path: string, body: string): Promise<SchedulerReply> {
    try {
      const answer = await this.pool.request({
        method: 'POST',
        path: this.prefix + path,
        headers: this.headers,
        body,
      });
      const text = await answer.body.text();
      return replyOf(path, answer.statusCode, retryAfterMs(answer.headers['retry-after']), text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'unavailable', message: `${path}: ${reason}`, retryAfterMs: 0 };
    }
  }
}

function replyOf(path: string, status: number, retryMs: number, text: string): SchedulerReply {
  const answer = parse(text);
  const said = answer?.message ?? text.slice(0, 200);
  const message = `${path} answered ${status}: ${said}`;
  if (status === 200) {
    // 200 without a status is not the scheduler: a proxy's page, or another server on its port.
    if (answer?.status === undefined) {
      return { kind: 'unavailable', message, retryAfterMs: retryMs };
    }
    return answer.status === 'error' ? { kind: 'rejected', message } : { kind: 'accepted' };
  }
  const repeatable = status >= 500 || status === 429 || status === 408;
  if (repeatable) return { kind: 'unavailable', message, retryAfterMs: retryMs };
  return { kind: 'refused', message };
}

function parse(text: string): { status?: string; message?: string } | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  return { ...member(value, 'status'), ...member(value, 'message') };
}

function member<K extends string>(value: object, key: K): Partial<Record<K, string>> {
  const found: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  // The key is exactly K: the cast only undoes the widening of a computed key to string.
  return typeof found === 'string' ? ({ [key]: found } as Record<K, string>) : {};
}
