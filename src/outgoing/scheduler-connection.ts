import { Pool } from 'undici';
import { retryAfterMs } from './retry-after';

/** What became of a call on the scheduler. */
export type SchedulerAnswer =
  /** 200, in the words of a scheduler: its own `status`, and the answer for messages. */
  | { readonly kind: 'answered'; readonly status: unknown; readonly message: string }
  /** A repeat cannot help: the request itself, or the key, is wrong. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly message: string }
  /** Nobody there, or not now: a repeat makes sense, not before `retryAfterMs`. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs: number };

/** Where the scheduler is, and how it is called. */
export interface SchedulerConnectionOptions {
  /** Base URL, a path prefix included. */
  readonly url: string;
  /** Sent when given. */
  readonly key?: string | undefined;
  /** Connections that are kept at most. */
  readonly connections: number;
  /** Patience for an answer, ms. */
  readonly answerMs: number;
}

const CONNECT_TIMEOUT_MS = 2000;
/** An answer is a line or two; more than this comes from something else. */
const LONGEST_ANSWER = 256 * 1024;
const SHOWN_CHARACTERS = 200;

/** The connections of a worker or an agent to its scheduler. No call throws: every end is an answer. */
export class SchedulerConnection {
  private readonly pool: Pool;
  private readonly prefix: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor({ url, key, connections, answerMs }: SchedulerConnectionOptions) {
    const { origin, pathname } = new URL(url);
    this.prefix = pathname.replace(/\/+$/, '');
    this.headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
    this.pool = new Pool(origin, {
      connections,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      maxResponseSize: LONGEST_ANSWER,
    });
  }

  /** @param body JSON text */
  async post(path: string, body: string): Promise<SchedulerAnswer> {
    try {
      const answer = await this.pool.request({
        method: 'POST',
        path: this.prefix + path,
        headers: this.headers,
        body,
      });
      const text = await answer.body.text();
      return answerOf(path, answer.statusCode, retryAfterMs(answer.headers['retry-after']), text);
    } catch (error) {
      return { kind: 'unavailable', message: `${path}: ${reasonOf(error)}`, retryAfterMs: 0 };
    }
  }

  /** Drops connections and whatever is under way on them. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }
}

function answerOf(
  path: string,
  httpStatus: number,
  retryMs: number,
  text: string,
): SchedulerAnswer {
  const body = parsed(text);
  const said = textIn(body, 'message') ?? textIn(body, 'error') ?? text.slice(0, SHOWN_CHARACTERS);
  const message = `${path} answered ${httpStatus}: ${said}`;
  if (httpStatus === 200) {
    const status = body.get('status');
    if (status !== undefined) return { kind: 'answered', status, message };
  }
  // 200 without a status is not the scheduler: a proxy's page, or another server on its port.
  const isPassing = [200, 408, 429].includes(httpStatus) || httpStatus >= 500;
  if (isPassing) return { kind: 'unavailable', message, retryAfterMs: retryMs };
  return { kind: 'refused', httpStatus, message };
}

/** The members of an object; none of anything else. */
function parsed(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}

function textIn(body: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = body.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** When every address of a name failed, there is only a code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return error.message === '' ? code : error.message;
}
