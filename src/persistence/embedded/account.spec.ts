import { findInPasswd } from '../../ops/accounts';
import { type AccountFacts, chooseAccount } from './account';

const PASSWD = `root:x:0:0:root:/root:/bin/bash
# a comment
nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin
ada:x:1000:1001:Ada,,,:/home/ada:/bin/bash
`;

const facts = (given: Partial<AccountFacts> & { passwd?: string }): AccountFacts => ({
  ownerUid: undefined,
  configured: undefined,
  find: (key) => Promise.resolve(findInPasswd(given.passwd ?? PASSWD, key)),
  ...given,
});

const nameOf = async (given: Parameters<typeof facts>[0]): Promise<string> =>
  (await chooseAccount(facts(given))).name;

describe('chooseAccount', () => {
  it('takes the owner of the data, then the configured user, then postgres, then nobody', async () => {
    const passwd = `${PASSWD}postgres:x:70:70::/var/lib/postgres:/bin/sh\n`;
    expect(await nameOf({ ownerUid: 1000, configured: 'nobody', passwd })).toBe('ada');
    expect(await nameOf({ configured: 'ada', passwd })).toBe('ada');
    expect(await nameOf({ passwd })).toBe('postgres');
    expect(await nameOf({})).toBe('nobody');
  });

  it('does not fall back from an account that was named', async () => {
    await expect(chooseAccount(facts({ ownerUid: 4711 }))).rejects.toThrow(/uid 4711 owns/);
    await expect(chooseAccount(facts({ configured: 'eve' }))).rejects.toThrow(/"eve" is config/);
  });

  it('refuses root, and a machine without an account to take', async () => {
    await expect(chooseAccount(facts({ ownerUid: 0 }))).rejects.toThrow(/chown -R.*DATABASE_URL/);
    await expect(chooseAccount(facts({ configured: 'root' }))).rejects.toThrow(/as root/);
    await expect(chooseAccount(facts({ passwd: 'root:x:0:0::/:/bin/sh' }))).rejects.toThrow(
      /neither "postgres" nor "nobody".*DATABASE_URL/,
    );
  });
});
