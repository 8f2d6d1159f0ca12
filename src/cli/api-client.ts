import type { Pool } from 'undici';
import type { ClientConfig } from '../config/client-config';
import { CommandFailure, EXIT, type ExitCode } from './exit';

/** How an `ApiClient` connects. */
export interface ApiClientOptions {
  /** Connections that are kept open; further calls wait for a free one. Default 1. */
  readonly connections?: number;
  /** Patience for an answer, in ms. Default 30 000. */
  readonly answerTimeoutMs?: number;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Headers = Readonly<Record<string, string>>;

const CONNECT_TIMEOUT_MS = 2_000;
/** The service's own patience for its database is 10 s; its answer tells more than our timeout. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A service may ask for patience, but not for so much that a command seems to hang. */
const LONGEST_RETRY_AFTER_MS = 60_000;
const LONGEST_EXCERPT = 200;

/** Nobody answered at the service's URL. */
export class UnreachableError extends CommandFailure {
  /** @param refused true when no connection came about, so that nothing can have been sent */
  constructor(
    readonly url: string,
    readonly refused: boolean,
    reason: string,
    cause: unknown,
  ) {
    super(
      EXIT.unreachable,
      `cannot reach the scheduler at ${url} (${reason})\n` +
        'start it with "foresail serve", or name the right URL: FORESAIL_URL or --url',
      { cause },
    );
    this.name = 'UnreachableError';
  }
}

/** The service answered, and it did not do what it was asked for. */
export class RefusedError extends CommandFailure {
  constructor(
    readonly status: number,
    /** How long the service wants to be left alone, ms; 0 when it did not say. */
    readonly retryAfterMs: number,
    exitCode: ExitCode,
    message: string,
  ) {
    super(exitCode, message);
    this.name = 'RefusedError';
  }
}

/** Calls of the REST API over kept-open connections. Answers come as parsed JSON. */
export class ApiClient {
  private readonly prefix: string;
  private readonly headers: Headers;

  private constructor(
    private readonly pool: Pool,
    private readonly config: ClientConfig,
  ) {
    this.prefix = new URL(config.url).pathname.replace(/\/+$/, '');
    const { key } = config;
    this.headers = {
      accept: 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
  }

  /** Connects with the first call, not yet here. */
  static async open(config: ClientConfig, options: ApiClientOptions = {}): Promise<ApiClient> {
    // Loading undici takes longer than all the rest of a command; `--help` must not wait for it.
    const { Pool } = await import('undici');
    const timeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    const pool = new Pool(new URL(config.url).origin, {
      connections: options.connections ?? 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    return new ApiClient(pool, config);
  }

  /**
   * @param path with its query, as in `/v1/tasks/17`
   * @throws {UnreachableError} when nobody answers
   * @throws {RefusedError} for any answer but success in JSON
   */
  get(path: string): Promise<unknown> {
    return this.call('GET', path);
  }

  /**
   * @param json the body, as JSON text
   * @param headers beside those of every call
   * @throws {UnreachableError} when nobody answers
   * @throws {RefusedError} for any answer but success in JSON
   */
  post(path: string, json: string, headers: Headers = {}): Promise<unknown> {
    return this.call('POST', path, json, headers);
  }

  /**
   * @param json the body, as JSON text
   * @throws {UnreachableError} when nobody answers
   * @throws {RefusedError} for any answer but success in JSON
   */
  patch(path: string, json: string): Promise<unknown> {
    return this.call('PATCH', path, json);
  }

  /**
   * @throws {UnreachableError} when nobody answers
   * @throws {RefusedError} for any answer but success in JSON
   */
  delete(path: string): Promise<unknown> {
    return this.call('DELETE', path);
  }

  /** Closes the connections; calls under way fail. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async call(
    method: Method,
    path: string,
    json?: string,
    headers: Headers = {},
  ): Promise<unknown> {
    const { status, retryAfter, text } = await this.exchange(method, path, json, headers);
    const body = parsed(text);
    const where = `${method} ${this.config.url}${path}`;
    if (status >= 200 && status < 300 && body !== undefined) return body;
    throw refusal({ status, where, body, text, retryAfterMs: retryAfterMs(retryAfter) });
  }

  private async exchange(
    method: Method,
    path: string,
    json: string | undefined,
    own: Headers,
  ): Promise<{ status: number; retryAfter: string | undefined; text: string }> {
    try {
      const { statusCode, headers, body } = await this.pool.request({
        method,
        path: this.prefix + path,
        headers: { ...this.headers, ...own, ...(json === undefined ? {} : JSON_BODY) },
        body: json ?? null,
      });
      const retryAfter = headers['retry-after'];
      const text = await body.text();
      const first = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
      return { status: statusCode, retryAfter: first, text };
    } catch (error) {
      const code = codeOf(error);
      throw new UnreachableError(
        this.config.url,
        NOTHING_SENT.has(code),
        REASONS.get(code) ?? messageOf(error),
        error,
      );
    }
  }
}

/** True when the same call may succeed a little later: nobody there, or not now. */
export function isTransient(error: unknown): error is UnreachableError | RefusedError {
  if (error instanceof UnreachableError) return true;
  return error instanceof RefusedError && (error.status === 429 || error.status >= 500);
}

const JSON_BODY = { 'content-type': 'application/json' };

const NOTHING_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection lost'],
  ['UND_ERR_SOCKET', 'connection lost'],
  ['ENOTFOUND', 'no such host'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'no answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'no whole answer in time'],
]);

interface Refusal {
  readonly status: number;
  readonly where: string;
  readonly body: unknown;
  readonly text: string;
  readonly retryAfterMs: number;
}

function refusal({ status, where, body, text, retryAfterMs: pause }: Refusal): RefusedError {
  if (body === undefined) {
    const excerpt = text.slice(0, LONGEST_EXCERPT);
    const message = `${where} answered ${status} and no JSON; is it Foresail? It says: ${excerpt}`;
    return new RefusedError(status, pause, EXIT.failed, message);
  }
  const message = saidBy(body);
  const faults = faultsOf(body).filter(({ msg }) => !message.includes(msg));
  const said = [message, ...faults.map(({ where: at, msg }) => `- ${at}${msg}`)].join('\n');
  if (status === 401) {
    const remedy = 'put a key into FORESAIL_KEY; "foresail keys create" makes one';
    return new RefusedError(status, pause, EXIT.failed, `${said} (401)\n${remedy}`);
  }
  if (status === 403) {
    const remedy = 'the key in FORESAIL_KEY, or where you call from, does not allow this';
    return new RefusedError(status, pause, EXIT.failed, `${said} (403)\n${remedy}`);
  }
  const wrongInput = [400, 413, 415, 422].includes(status);
  const later = pause > 0 ? `; try again in ${Math.ceil(pause / 1000)} s` : '';
  const code = wrongInput ? EXIT.usage : EXIT.failed;
  return new RefusedError(status, pause, code, `${said} (${status})${later}`);
}

/** The message of an error body, in whichever dialect it came. */
function saidBy(body: unknown): string {
  for (const name of ['detail', 'message', 'error', 'title']) {
    const text = member(body, name);
    if (typeof text === 'string' && text !== '') return text;
  }
  return JSON.stringify(body).slice(0, LONGEST_EXCERPT);
}

/** What is wrong with each field: `detail` of the dialect, `errors` of the native API. */
function faultsOf(body: unknown): ShownFault[] {
  const lists = [member(body, 'detail'), member(body, 'errors')];
  return lists.flatMap((list): ShownFault[] => (Array.isArray(list) ? list.map(faultIn) : []));
}

interface ShownFault {
  /** The field and a colon; empty when the fault names none. */
  readonly where: string;
  readonly msg: string;
}

function faultIn(fault: unknown): ShownFault {
  const loc = member(fault, 'loc');
  const msg = member(fault, 'msg');
  if (typeof msg !== 'string') return { where: '', msg: JSON.stringify(fault) };
  return { where: Array.isArray(loc) ? `${loc.join('.')}: ` : '', msg };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds or an HTTP date, as a bounded number of ms from now; 0 when absent or unreadable. */
function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms)) : 0;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return String(error.code);
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
