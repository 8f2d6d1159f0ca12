import type { IncomingMessage } from 'node:http';
import { presentedKey } from './key-check';

/** A key's public part, in front of its secret. */
const PUBLIC_PART = /^fsl_[0-9a-f]{12}(?=_)/;
/** How an IPv4 address looks at a socket that takes both kinds. */
const MAPPED = /^::ffff:(?=\d+\.)/;

/** Who sent an admitted request, for the record: by the public part of the key, or by address. */
export function callerOf(request: IncomingMessage): string {
  const key = PUBLIC_PART.exec(presentedKey(request) ?? '')?.[0];
  return key === undefined
    ? (request.socket.remoteAddress ?? 'somewhere').replace(MAPPED, '')
    : `key ${key}`;
}
