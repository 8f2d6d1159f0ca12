import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { SchedulerError } from '../core/errors';
import { hasBody } from './content-check';
import { parseJson } from './parse-json';
import { rememberPayloads } from './payload-text';
import { routeOf } from './request-context';

/** Bytes that a body may have. */
export interface BodyLimits {
  readonly defaultBytes: number;
  /** Declared path (`/queue/submit_batch`) to its own limit. */
  readonly perPath: Readonly<Record<string, number>>;
}

/**
 * How long the rest of a refused body is read and dropped, in ms. Closing at once would reset the
 * connection and lose the answer at clients that read only after they have sent everything.
 */
const LINGER_MS = 10_000;

/** Reads JSON bodies of admitted requests, whichever entrance they took. */
export class BodyReader {
  private readonly perPath: ReadonlyMap<string, number>;

  constructor(private readonly limits: BodyLimits) {
    this.perPath = new Map(Object.entries(limits.perPath));
  }

  /** Bytes that a body may have at a declared path. */
  limitAt(path: string): number {
    return this.perPath.get(path) ?? this.limits.defaultBytes;
  }

  /**
   * Reads a body, and remembers how its payloads were written (`payloadText`). A body is an object;
   * an empty one counts as `{}`, so that the validation names what is missing.
   * @param limit bytes, counted while reading, also without Content-Length
   * @param done called once: with the body, or with undefined and a {SchedulerError}
   *   `body_too_large`, `malformed_body` or `invalid_input`
   */
  read(
    request: IncomingMessage,
    limit: number,
    done: (body: object | undefined, error?: unknown) => void,
  ): void {
    if (!hasBody(request.headers)) {
      done({});
      return;
    }
    collect(request, limit, (bytes) => {
      let body: object;
      try {
        body = bytes === undefined ? refuseSize(limit) : parseObject(bytes);
      } catch (error) {
        done(undefined, error);
        return;
      }
      done(body);
    });
  }
}

/**
 * Reads the JSON body of an admitted request into `request.body`. Bodies of GET and HEAD are not
 * read.
 *
 * @returns Express middleware that fails as `BodyReader` does
 */
export function readJson(limits: BodyLimits): RequestHandler {
  const reader = new BodyReader(limits);
  return (request, _response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      next();
      return;
    }
    reader.read(request, reader.limitAt(routeOf(request)?.route.path ?? ''), (body, error) => {
      request.body = body;
      next(error);
    });
  };
}

/** Calls back once: with the whole body, or with undefined as soon as it is above the limit. */
function collect(
  request: IncomingMessage,
  limit: number,
  done: (bytes: Buffer | undefined) => void,
): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    dropRest(request);
    done(undefined);
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => {
    request.off('data', onData).off('end', onEnd);
  };
  const onEnd = (): void => {
    stop();
    const [only] = chunks;
    done(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, size));
  };
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= limit) {
      chunks.push(chunk);
      return;
    }
    stop();
    dropRest(request);
    done(undefined);
  };
  request.on('data', onData).on('end', onEnd);
}

/** Reads on without keeping anything, for a while; then the connection is cut. */
function dropRest(request: IncomingMessage): void {
  const cut = setTimeout(() => request.socket.destroy(), LINGER_MS).unref();
  request.once('close', () => {
    clearTimeout(cut);
  });
  request.resume();
}

function parseObject(bytes: Buffer): object {
  if (bytes.length === 0) return {};
  const { value: body, text } = parseJson(bytes);
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    rememberPayloads(body, text);
    return body;
  }
  const msg = `the body must be a JSON object; got ${kindOf(body)}`;
  throw new SchedulerError('invalid_input', msg, {
    faults: [{ loc: ['body'], msg, type: 'type' }],
  });
}

function refuseSize(limit: number): never {
  throw new SchedulerError('body_too_large', `the body is larger than ${limit} bytes`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
