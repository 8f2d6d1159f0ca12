import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

/** Makes a signal that aborts when the client goes away before its answer is written. */
export type SignalOfGone = () => AbortSignal;

/**
 * Gives a handler a `SignalOfGone`: who waits for something on behalf of a client can stop when it
 * goes away. Who does not wait makes no signal, which would cost more than most answers do.
 */
export const Gone = createParamDecorator(goneIn);

/** What `@Gone()` gives for a request that comes through Express; it is told apart by this function. */
export function goneIn(_data: unknown, context: ExecutionContext): SignalOfGone {
  return goneOf(context.switchToHttp().getResponse<ServerResponse>());
}

/** What `@Gone()` gives for the request that is answered by this response. */
export function goneOf(response: ServerResponse): SignalOfGone {
  return () => signalOf(response);
}

function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.on('close', () => {
    if (!response.writableEnded) gone.abort();
  });
  return gone.signal;
}
