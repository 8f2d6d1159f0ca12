import type { LookupAddress } from 'node:dns';
import { addressFault, checkedLookup, originOf, type ResolveAll } from './outgoing-address';

describe('originOf', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:9000'],
    ['10.1.2.3', 'http://10.1.2.3:9000'],
    ['::1', 'http://[::1]:9000'],
    ['fd00::7', 'http://[fd00::7]:9000'],
    ['gpu-1.local', 'http://gpu-1.local:9000'],
    ['worker_1', 'http://worker_1:9000'],
  ])('allows %s', (host, url) => {
    expect(originOf({ host, port: 9000 })).toEqual({ kind: 'allowed', url });
  });

  it.each([
    '0.0.0.0',
    '::',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    '100.100.100.200',
    'fd00:ec2::254',
    '2852039166',
    '0xa9.0xfe.0xa9.0xfe',
  ])('refuses %s', (host) => {
    expect(originOf({ host, port: 9000 })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('is not an address that a service can have') as string,
    });
  });

  it.each([
    '',
    'a b',
    'user@host',
    'host/path',
    'host:80',
    '[::1]',
    'a?b',
    'a#b',
    'ho\u0000st',
    'fe80::1%eth0/../x',
    'x'.repeat(300),
  ])('refuses %j, which is no bare host', (host) => {
    expect(originOf({ host, port: 9000 })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('neither a host name nor an address') as string,
    });
  });
});

describe('addressFault', () => {
  it('leaves names to the lookup', () => {
    expect(addressFault('gpu-1')).toBeUndefined();
  });
});

describe('checkedLookup', () => {
  const good = { address: '10.0.0.1', family: 4 };
  const bad = { address: '169.254.169.254', family: 4 };

  const resolving =
    (addresses: LookupAddress[]): ResolveAll =>
    (_name, _options, callback) =>
      callback(null, addresses);

  const look = (
    resolve: ResolveAll,
    all: boolean,
  ): Promise<{ error: Error | null; address: string | LookupAddress[] }> =>
    new Promise((done) => {
      const lookup = checkedLookup(resolve);
      lookup('gpu-1', { all }, (error, address) => done({ error, address }));
    });

  it('hands on all addresses, or the first', async () => {
    const resolve = resolving([good, { address: '10.0.0.2', family: 4 }]);
    expect((await look(resolve, true)).address).toHaveLength(2);
    expect(await look(resolve, false)).toEqual({ error: null, address: '10.0.0.1' });
  });

  it('fails when one of the addresses is refused', async () => {
    const { error } = await look(resolving([good, bad]), true);
    expect(error?.message).toMatch(/gpu-1: 169\.254\.169\.254 is not an address/);
  });

  it('fails when the name does not resolve', async () => {
    const failing: ResolveAll = (_name, _options, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    expect((await look(failing, true)).error).toMatchObject({ code: 'ENOTFOUND' });
    expect((await look(resolving([]), true)).error?.message).toBe('gpu-1 has no address');
  });
});
