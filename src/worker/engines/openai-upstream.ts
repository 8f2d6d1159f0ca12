import { Pool, type Dispatcher } from 'undici';
import type { JsonObject } from '../../http/dto-fields';
import { jsonText } from '../../http/json-text';
import { retryAfterMs } from '../../outgoing/retry-after';
import { EventStream } from './event-stream';
import type { UpstreamRequest } from './openai-request';
import { StreamedAnswer } from './streamed-answer';
import { complaintIn } from './upstream-complaint';

/** What became of a call. */
export type UpstreamReply =
  | { readonly kind: 'answered'; readonly result: JsonObject }
  /** A repeat cannot help. `status` is null when the answer itself was at fault. */
  | { readonly kind: 'refused'; readonly status: number | null; readonly message: string }
  /** Not now. */
  | { readonly kind: 'busy'; readonly message: string; readonly retryAfterMs: number }
  /** Nobody is there: the call was not even sent. */
  | { readonly kind: 'absent'; readonly message: string }
  /** The connection broke; `produced` tells whether a part of the answer was there already. */
  | { readonly kind: 'lost'; readonly message: string; readonly produced: boolean };

/** Where an upstream is. */
export interface UpstreamAddress {
  /** Base URL, as in `http://127.0.0.1:11434/v1`. */
  readonly url: string;
  /** Sent as a bearer token; null: none. */
  readonly apiKey: string | null;
}

const CONNECT_TIMEOUT_MS = 5000;
const PROBE_TIMEOUT_MS = 10_000;
/** Longest complaint that is read, bytes. */
const COMPLAINT_BYTES = 65_536;
const SUCCESS = 2;
/** What a server, or a proxy before one that restarts, says when it cannot just now. */
const BUSY: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
const UNCONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The calls on an OpenAI-compatible server. Every end is a reply; only an abort throws. */
export class OpenAiUpstream {
  private readonly pool: Pool;
  private readonly prefix: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor({ url, apiKey }: UpstreamAddress) {
    const { origin, pathname } = new URL(url);
    this.prefix = pathname.replace(/\/+$/, '');
    this.headers = {
      'content-type': 'application/json',
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    // How long an answer may take is a matter of the task's time limit.
    const limits = { headersTimeout: 0, bodyTimeout: 0, connect: { timeout: CONNECT_TIMEOUT_MS } };
    this.pool = new Pool(origin, limits);
  }

  /**
   * Makes the call and collects its answer.
   * @param limitBytes largest answer
   * @throws {Error} when it was aborted
   */
  async ask(
    request: UpstreamRequest,
    limitBytes: number,
    signal: AbortSignal,
  ): Promise<UpstreamReply> {
    const { endpoint, body, streamed } = request;
    const asked = streamed
      ? { ...body, stream: true, stream_options: { include_usage: true } }
      : body;
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.pool.request({
        method: 'POST',
        path: `${this.prefix}/${endpoint}`,
        headers: this.headers,
        body: jsonText(asked),
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      return unanswered(error);
    }
    const reading = new Reading(answer, limitBytes);
    try {
      if (!isSuccess(answer)) return await reading.complaint();
      const isStream = String(answer.headers['content-type']).includes('text/event-stream');
      // Upstreams may answer in one piece although they were asked for many.
      if (!isStream || endpoint === 'embeddings') return await reading.whole();
      return await reading.pieces(new StreamedAnswer(endpoint));
    } catch (error) {
      signal.throwIfAborted();
      const message = `the connection to the upstream broke: ${reasonOf(error)}`;
      return { kind: 'lost', message, produced: reading.produced > 0 };
    }
  }

  /** Why it would take no work, in words; null when it would. Lists its models, as all of them can. */
  async probe(): Promise<string | null> {
    const path = `${this.prefix}/models`;
    try {
      const { statusCode, body } = await this.pool.request({
        method: 'GET',
        path,
        headers: this.headers,
        headersTimeout: PROBE_TIMEOUT_MS,
        bodyTimeout: PROBE_TIMEOUT_MS,
      });
      await body.dump();
      return Math.floor(statusCode / 100) === SUCCESS
        ? null
        : `it answered ${statusCode} to GET ${path}`;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** Drops all connections. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }
}

/** One answer while it is read. What breaks the connection is thrown. */
class Reading {
  /** Characters of a generation that have arrived. */
  produced = 0;

  constructor(
    private readonly answer: Dispatcher.ResponseData,
    private readonly limitBytes: number,
  ) {}

  async complaint(): Promise<UpstreamReply> {
    const { statusCode: status, headers } = this.answer;
    const text = (await this.text(COMPLAINT_BYTES)) ?? '';
    const message = `the upstream answered ${status}: ${complaintIn(text)}`;
    if (!BUSY.has(status)) return { kind: 'refused', status, message };
    return { kind: 'busy', message, retryAfterMs: retryAfterMs(headers['retry-after']) };
  }

  async whole(): Promise<UpstreamReply> {
    const text = await this.text(this.limitBytes);
    return text === null ? this.tooLarge() : answered(text);
  }

  async pieces(collected: StreamedAnswer): Promise<UpstreamReply> {
    const stream = new EventStream();
    for await (const piece of this.answer.body) {
      for (const data of stream.push(piece as Buffer)) {
        const end = this.take(collected, data);
        if (end !== null) return end;
      }
      if (collected.size + stream.pending > this.limitBytes) return this.tooLarge();
    }
    for (const data of stream.end()) {
      const end = this.take(collected, data);
      if (end !== null) return end;
    }
    if (collected.isFinished) return this.finished(collected);
    const message = 'the upstream ended its stream before the end of the answer';
    return { kind: 'lost', message, produced: this.produced > 0 };
  }

  /** The reply, when this event ends the stream. */
  private take(collected: StreamedAnswer, data: string): UpstreamReply | null {
    if (data === '[DONE]') return this.finished(collected);
    const chunk = objectIn(data);
    if (chunk === undefined)
      return faulty(`a piece of the answer is no JSON object: ${shown(data)}`);
    if (isComplaint(chunk)) return faulty(`the upstream failed: ${complaintIn(data)}`);
    collected.add(chunk);
    this.produced = collected.size;
    return null;
  }

  private finished(collected: StreamedAnswer): UpstreamReply {
    const result = collected.whole();
    const isTooLarge = Buffer.byteLength(jsonText(result)) > this.limitBytes;
    return isTooLarge ? this.tooLarge() : { kind: 'answered', result };
  }

  private tooLarge(): UpstreamReply {
    return faulty(`result too large: more than ${this.limitBytes} bytes from the upstream`);
  }

  /** The body; null when it is larger than that. */
  private async text(mostBytes: number): Promise<string | null> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.answer.body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > mostBytes) return null;
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function unanswered(error: unknown): UpstreamReply {
  const reason = reasonOf(error);
  if (UNCONNECTED.has(codeOf(error))) return { kind: 'absent', message: reason };
  return { kind: 'lost', message: `the upstream gave no answer: ${reason}`, produced: false };
}

function answered(text: string): UpstreamReply {
  const result = objectIn(text);
  if (result === undefined) return faulty(`the answer is no JSON object: ${shown(text)}`);
  if (isComplaint(result)) return faulty(`the upstream failed: ${complaintIn(text)}`);
  return { kind: 'answered', result };
}

function faulty(message: string): UpstreamReply {
  return { kind: 'refused', status: null, message };
}

/** Some tell of an error with 200, or in the middle of a stream. */
function isComplaint(answer: JsonObject): boolean {
  const { error, choices, data } = answer;
  return error !== undefined && error !== null && choices === undefined && data === undefined;
}

function isSuccess({ statusCode }: Dispatcher.ResponseData): boolean {
  return Math.floor(statusCode / 100) === SUCCESS;
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Of several addresses that all failed only the code is told. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? codeOf(error) : error.message;
}
