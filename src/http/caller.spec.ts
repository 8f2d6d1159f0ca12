import type { IncomingMessage } from 'node:http';
import { callerOf } from './caller';

const KEY = `fsl_0123456789ab_${'0'.repeat(64)}`;

const requestOf = (
  headers: Record<string, string>,
  remoteAddress: string | undefined = '127.0.0.1',
): IncomingMessage => ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('callerOf', () => {
  it.each([
    [{ authorization: `Bearer ${KEY}` }, '127.0.0.1', 'key fsl_0123456789ab'],
    [{ 'x-api-key': KEY }, '127.0.0.1', 'key fsl_0123456789ab'],
    [{}, '127.0.0.1', '127.0.0.1'],
    [{}, '::ffff:10.0.0.7', '10.0.0.7'],
    [{}, '::1', '::1'],
    [{ authorization: 'Basic abc' }, '10.0.0.7', '10.0.0.7'],
  ])(
    'says who it was by the public part of the key, or by address: %j %s',
    (headers, from, who) => {
      expect(callerOf(requestOf(headers, from))).toBe(who);
    },
  );

  it('never says anything of a secret', () => {
    expect(callerOf(requestOf({ 'x-api-key': 'my own secret' }))).toBe('127.0.0.1');
  });
});
