import { networkInterfaces } from 'node:os';
import { parseNetworks } from '../config/networks';
import { ownEndpoints, type OwnEndpoint } from '../ops/own-endpoints';
import { addressRule } from './address-rule';
import { originOf } from '../outgoing/outgoing-address';

describe('addressRule', () => {
  const SCHEDULER: OwnEndpoint = {
    what: 'this scheduler',
    port: 8102,
    addresses: 'this machine',
  };
  const DATABASE: OwnEndpoint = { what: 'the database', port: 5432, addresses: ['10.0.0.9'] };
  const rule = addressRule([], [SCHEDULER, DATABASE]);

  it('lets everything pass that is not ours', () => {
    expect(rule('127.0.0.1', 8100)).toBeUndefined();
    expect(rule('10.0.0.8', 5432)).toBeUndefined();
    expect(rule('10.0.0.9', 8100)).toBeUndefined();
    expect(rule('192.0.2.77', 8102)).toBeUndefined();
  });

  it('refuses its own port at every address of this machine', () => {
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', ...addresses.map((a) => a.address)]) {
      expect(rule(address, 8102)).toBe(`this scheduler listens at ${address} port 8102`);
    }
  });

  it('refuses the database where it is', () => {
    expect(rule('10.0.0.9', 5432)).toBe('the database listens at 10.0.0.9 port 5432');
    expect(rule('::ffff:a00:9', 5432)).toMatch(/^the database listens/);
  });

  it('holds to the networks that are named', () => {
    const inside = addressRule(parseNetworks(['10.0.0.0/8', 'fd00::/8']), [DATABASE]);
    expect(inside('10.1.2.3', 8100)).toBeUndefined();
    expect(inside('::ffff:10.1.2.3', 8100)).toBeUndefined();
    expect(inside('fd00::7', 8100)).toBeUndefined();
    expect(inside('127.0.0.1', 8100)).toBe('127.0.0.1 is in none of FORESAIL_WORKER_NETWORKS');
    expect(inside('10.0.0.9', 5432)).toMatch(/^the database listens/);
  });

  it('holds for other spellings of an address too', () => {
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '::ffff:127.0.0.1']) {
      expect(originOf({ host, port: 8102 }, rule)).toMatchObject({ kind: 'refused' });
    }
  });
});

describe('ownEndpoints', () => {
  const databaseAt = async (url: string): Promise<unknown> => (await ownEndpoints(1, url))[1];

  it('guards a database on this machine at all its addresses', async () => {
    const everywhere = { what: 'the database', port: 6000, addresses: 'this machine' };
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      expect(await databaseAt(`postgresql://u:p@${host}:6000/d`)).toEqual(everywhere);
    }
  });

  it('guards a database elsewhere where its name leads', async () => {
    expect(await databaseAt('postgresql://u:p@192.0.2.77/d')).toEqual({
      what: 'the database',
      port: 5432,
      addresses: ['192.0.2.77'],
    });
  });

  it('has no port to guard where the database has none', async () => {
    expect(await databaseAt('postgresql:///d?host=/var/run/postgresql')).toBeUndefined();
    expect(await databaseAt('postgresql://%2Fvar%2Frun%2Fpostgresql/d')).toBeUndefined();
  });
});
