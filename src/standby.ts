import type { IncomingMessage, ServerResponse } from 'node:http';
import { DIALECTS } from './app.module';
import { SchedulerError } from './core/errors';
import { ownerOf } from './http/route-owner';
import { pathOf, requestIdOf } from './http/request-context';

const RETRY_AFTER_SECONDS = 1;

/** Answers every request while another process leads: 503 in the words of the path's owner. */
export function answerAsStandby(request: IncomingMessage, response: ServerResponse): void {
  const path = pathOf(request.url ?? '/');
  const message = 'this process does not lead (yet); the leader, or this one soon, will answer';
  const error = new SchedulerError('not_leading', message);
  const requestId = requestIdOf(request);
  const { status, body, contentType } = ownerOf(DIALECTS, path).errorAnswer(error, requestId, path);
  response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  response.setHeader('X-Request-Id', requestId);
  const type = contentType ?? 'application/json; charset=utf-8';
  answer(response, status, type, JSON.stringify(body));
}

/** Answers that the process is alive, whoever leads. */
export function answerAlive(response: ServerResponse): void {
  answer(response, 200, 'text/plain; charset=utf-8', 'ok');
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
