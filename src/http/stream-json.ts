import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/** How a client that hangs up shows. */
const HUNG_UP: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECONNRESET',
  'EPIPE',
]);

/**
 * Sends JSON text piece by piece, as fast as the client takes it, so that a long answer is never in
 * memory as a whole. What fails before the first piece is answered like any other failure; later
 * the connection is cut, since half an answer is out.
 */
export async function streamJson(
  response: Response,
  pieces: AsyncGenerator<string, void, undefined>,
): Promise<void> {
  const first = await pieces.next();
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.write(first.value ?? '');
  try {
    await pipeline(pieces, response);
  } catch (error) {
    if (!isHangUp(error)) throw error;
  }
}

function isHangUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && HUNG_UP.has(error.code);
}
