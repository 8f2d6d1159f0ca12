import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

/**
 * A signal that aborts when the client goes away before its answer is written: who waits for
 * something on its behalf can stop. It is made for the handlers that ask for it, and costs the
 * others nothing.
 */
export const Gone = createParamDecorator(goneIn);

/** What `@Gone()` gives for a request that comes through Express; it is told apart by this function. */
export function goneIn(_data: unknown, context: ExecutionContext): AbortSignal {
  return goneOf(context.switchToHttp().getResponse<ServerResponse>());
}

/** What `@Gone()` gives for the request that is answered by this response. */
export function goneOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.on('close', () => {
    if (!response.writableEnded) gone.abort();
  });
  return gone.signal;
}
