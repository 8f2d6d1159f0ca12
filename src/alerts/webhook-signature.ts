import { createHmac } from 'node:crypto';

/**
 * What a receiver can check: HMAC-SHA256 under the shared secret over the time of sending (Unix
 * seconds, as in the header) and the body, with a dot between them; in hexadecimal digits.
 */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
