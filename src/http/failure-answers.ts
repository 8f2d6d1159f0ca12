import { Logger } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SchedulerError } from '../core/errors';
import type { NonEmpty } from '../core/units';
import type { Dialect } from './dialect';
import { errorFrom } from './error-from';
import { requestIdOf } from './request-context';
import { retryAfterSeconds } from './retry-after';
import { ownerOf } from './route-owner';

/**
 * Answers every failure, of whatever layer, in the words of the dialect that owns the path. Errors
 * that are nobody's fault outside are logged once, with their stack; nothing of them is shown.
 */
export class FailureAnswers {
  private readonly logger = new Logger('Http');

  constructor(private readonly dialects: NonEmpty<Dialect>) {}

  /** @param path as it was asked for, without query */
  answer(thrown: unknown, request: IncomingMessage, response: ServerResponse, path: string): void {
    const requestId = requestIdOf(request);
    const error = errorFrom(thrown, requestId);
    if (error.code === 'internal') this.log(thrown, error, requestId);
    if (response.headersSent) {
      // Half an answer is out: cutting the connection is the only way left to say that it failed.
      response.destroy();
      return;
    }
    const owner = ownerOf(this.dialects, path);
    const { status, body, contentType } = owner.errorAnswer(error, requestId, path);
    setHeaders(response, error);
    response.setHeader('X-Request-Id', requestId);
    response.setHeader('Content-Type', contentType ?? 'application/json; charset=utf-8');
    response.statusCode = status;
    response.end(JSON.stringify(body));
  }

  private log(thrown: unknown, error: SchedulerError, requestId: string): void {
    const cause = thrown === error && error.cause instanceof Error ? error.cause : thrown;
    const text = cause instanceof Error ? cause.message : String(cause);
    const stack = cause instanceof Error ? cause.stack : undefined;
    this.logger.error(`request ${requestId} failed: ${text}`, stack);
  }
}

function setHeaders(response: ServerResponse, error: SchedulerError): void {
  const { code, details } = error;
  if (code === 'unauthenticated') response.setHeader('WWW-Authenticate', 'Bearer');
  if (details.allow !== undefined) response.setHeader('Allow', details.allow.join(', '));
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) response.setHeader('Retry-After', String(seconds));
}
