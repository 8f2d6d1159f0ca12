import { errors, type Dispatcher, type Pool } from 'undici';
import type { CallError, CallErrorClass, CallErrorCode } from './call-error';
import { printable } from './printable';

/** Who is called. */
export interface Peer {
  /** As messages name it: `host:port`. */
  readonly address: string;
  /** What calls to it fail with. */
  readonly failed: CallErrorClass;
}

/** One request. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** Beside `accept` and `content-type`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Bytes of the answer that are read at most. */
  readonly limitBytes: number;
}

/** An answer with a status of 2xx. */
export interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** Of an answer with another status this much is read, for the message. */
const ERROR_BODY_BYTES = 8_192;
const SHOWN_ERROR_CHARACTERS = 300;
const SHOWN_PATH_CHARACTERS = 100;
/** A peer may ask for patience, but not so much that it is forgotten. */
const MOST_RETRY_AFTER_MS = 60_000;

/**
 * Sends one request and reads its answer.
 *
 * @throws {CallError} of the peer's class, for everything but a complete answer with 2xx; `sent` is false only
 *   when not a byte of the request can have left
 */
export function exchange(pool: Pool, peer: Peer, request: ExchangeRequest): Promise<Answer> {
  const { method, path, body } = request;
  return new Promise((resolve, reject) => {
    const handler = new ExchangeHandler(peer, request, resolve, reject);
    const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
    if (body !== undefined) headers['content-type'] = 'application/json';
    pool.dispatch({ method, path, headers, body: body ?? null }, handler);
  });
}

/** The request as messages name it. */
export function callOf({ method, path }: ExchangeRequest): string {
  return `${method} ${path.slice(0, SHOWN_PATH_CHARACTERS)}`;
}

/** Follows one exchange: counts what arrives, watches the clock, and ends exactly once. */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | null = null;
  private over = false;
  private status = 0;
  private retryAfterMs: number | null = null;
  private readonly chunks: Buffer[] = [];
  private received = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly peer: Peer,
    private readonly request: ExchangeRequest,
    private readonly resolve: (answer: Answer) => void,
    private readonly reject: (error: CallError) => void,
  ) {
    this.timer = setTimeout(() => this.expireSoon(), request.timeoutMs);
  }

  /** Called right before the first byte is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.over) controller.abort(new Error('nobody waits for it any more'));
    else this.controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.over) return;
    // Hints (1xx) come first; the last status is the one that counts.
    this.status = status;
    this.retryAfterMs = retryAfterMs(headers['retry-after']);
    if (this.isOk && Number(headers['content-length']) > this.request.limitBytes)
      this.failTooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.over) return;
    this.received += chunk.length;
    const isTooLarge = this.received > (this.isOk ? this.request.limitBytes : ERROR_BODY_BYTES);
    if (isTooLarge && this.isOk) {
      this.failTooLarge();
      return;
    }
    this.chunks.push(chunk);
    if (isTooLarge) this.failWithStatus();
  }

  onResponseEnd(): void {
    if (this.over) return;
    if (!this.isOk) {
      this.failWithStatus();
      return;
    }
    this.end();
    this.resolve({ status: this.status, bytes: Buffer.concat(this.chunks) });
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.over) return;
    this.fail(isBadHttp(error) ? 'bad_answer' : 'unreachable', reasonOf(error), error);
  }

  private get isOk(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** An answer that has arrived while this process was busy is read first: it came in time. */
  private expireSoon(): void {
    setImmediate(() => {
      if (!this.over) this.expire();
    });
  }

  private expire(): void {
    const { timeoutMs } = this.request;
    const what = this.controller === null ? 'no connection' : 'no complete answer';
    this.fail('timeout', `${what} within ${Math.round(timeoutMs)} ms`);
  }

  private failTooLarge(): void {
    const { limitBytes } = this.request;
    this.fail('too_large', `the answer is too large; allowed are ${limitBytes} bytes`);
  }

  private failWithStatus(): void {
    const said = Buffer.concat(this.chunks).toString('utf8').replace(/\s+/g, ' ').trim();
    const shown = said === '' ? '' : `: ${said.slice(0, SHOWN_ERROR_CHARACTERS)}`;
    this.fail('http_status', `answered ${this.status}${printable(shown)}`);
  }

  private fail(code: CallErrorCode, reason: string, cause?: Error): void {
    const { peer, request, status, retryAfterMs: retry, controller } = this;
    const { address } = peer;
    const call = callOf(request);
    const said = { status: status === 0 ? null : status, retryAfterMs: retry };
    const failure = { code, address, call, reason, sent: controller !== null, ...said };
    const error = new peer.failed(failure, cause && { cause });
    this.end();
    // What is still to come on this connection is of no interest.
    controller?.abort(error);
    this.reject(error);
  }

  private end(): void {
    this.over = true;
    clearTimeout(this.timer);
  }
}

function isBadHttp(error: Error): boolean {
  return (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError
  );
}

/**
 * What the error says, without the address, which the message names already. When every address of
 * a name failed, there is only a code.
 */
function reasonOf(error: Error): string {
  if (error instanceof errors.ConnectTimeoutError) return 'no connection in time';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (error.message === '') return code ?? 'the connection failed';
  const syscall = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : '';
  return syscall !== '' && code !== undefined ? `${syscall} ${code}` : error.message;
}

/** Seconds or an HTTP date, as a bounded number of ms from now; null when absent or unreadable. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.min(MOST_RETRY_AFTER_MS, Math.max(0, ms));
}
