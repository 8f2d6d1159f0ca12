import type { IncomingMessage, ServerResponse } from 'node:http';
import { DIALECTS } from './app.module';
import { SchedulerError } from './core/errors';
import { ownerOf } from './http/route-owner';
import { pathOf, requestIdOf } from './http/request-context';
import { versionAnswer } from './ops/version.controller';

const RETRY_AFTER_SECONDS = 1;

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Answers every request while this process does not lead: its version, and else 503 in the words of
 * the path's owner.
 * @param because why it does not lead
 */
export function answerAsStandby(
  request: IncomingMessage,
  response: ServerResponse,
  because: string,
): void {
  const path = pathOf(request.url ?? '/');
  if (path === '/version' && isRead(request)) {
    answer(response, 200, JSON_TYPE, JSON.stringify(versionAnswer()));
    return;
  }
  const error = new SchedulerError('not_leading', `this process does not lead: ${because}`);
  const requestId = requestIdOf(request);
  const { status, body, contentType } = ownerOf(DIALECTS, path).errorAnswer(error, requestId, path);
  response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  response.setHeader('X-Request-Id', requestId);
  answer(response, status, contentType ?? JSON_TYPE, JSON.stringify(body));
}

/** True for the methods of a question. */
export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Answers that the process is alive, whoever leads. */
export function answerAlive(response: ServerResponse): void {
  answer(response, 200, 'text/plain; charset=utf-8', 'ok');
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
