import type { Server } from 'node:http';

/**
 * Bounds what a slow or silent client can hold: 15 s for the headers, 60 s for the whole request.
 * Idle connections stay open for 75 s, longer than the pools and proxies of most clients keep
 * them, so that it is the client who closes and no request meets a closing connection.
 */
export function applyServerLimits(server: Server): void {
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  server.keepAliveTimeout = 75_000;
  server.maxHeadersCount = 100;
}
