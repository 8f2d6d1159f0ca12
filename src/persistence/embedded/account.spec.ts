import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type AccountFacts,
  chooseAccount,
  findInPasswd,
  firstClosedDirectory,
  mayEnter,
} from './account';
import type { Account } from './run-program';

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

describe('findInPasswd', () => {
  it('finds by name and by uid', () => {
    const ada: Account = { name: 'ada', uid: 1000, gid: 1001 };
    expect(findInPasswd(PASSWD, 'ada')).toEqual(ada);
    expect(findInPasswd(PASSWD, 1000)).toEqual(ada);
    expect(findInPasswd(PASSWD, '1000')).toBeUndefined();
    expect(findInPasswd(PASSWD, 1001)).toBeUndefined();
    expect(findInPasswd('', 0)).toBeUndefined();
  });
});

describe('mayEnter', () => {
  const ada: Account = { name: 'ada', uid: 1000, gid: 1001 };
  it.each([
    [0o755, 0, 0, true],
    [0o700, 0, 0, false],
    [0o710, 0, 1001, true],
    [0o701, 0, 1001, false],
    [0o700, 1000, 0, true],
    [0o677, 1000, 0, false],
    [0o711, 0, 0, true],
    [0o744, 0, 0, false],
  ])('mode %o of %d:%d: %s', (mode, uid, gid, expected) => {
    expect(mayEnter({ mode: 0o40000 | mode, uid, gid }, ada)).toBe(expected);
  });
});

describe('firstClosedDirectory', () => {
  let root: string;
  const stranger: Account = { name: 'stranger', uid: 54_321, gid: 54_321 };

  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'account-spec-'));
    await chmod(root, 0o755);
    await mkdir(path.join(root, 'a', 'b', 'c'), { recursive: true });
    await chmod(path.join(root, 'a'), 0o755);
  });
  afterEach(() => rm(root, { recursive: true }));

  it('names the outermost directory that is closed, the target itself left out', async () => {
    const target = path.join(root, 'a', 'b', 'c');
    await chmod(target, 0o700);
    await chmod(path.join(root, 'a', 'b'), 0o755);
    expect(await firstClosedDirectory(target, stranger)).toBeUndefined();
    await chmod(path.join(root, 'a', 'b'), 0o700);
    expect(await firstClosedDirectory(target, stranger)).toBe(path.join(root, 'a', 'b'));
    await chmod(path.join(root, 'a'), 0o750);
    expect(await firstClosedDirectory(target, stranger)).toBe(path.join(root, 'a'));
    const { uid, gid } = await stat(root);
    expect(await firstClosedDirectory(target, { name: 'me', uid, gid })).toBeUndefined();
  });

  it('passes over what does not exist yet', async () => {
    const target = path.join(root, 'a', 'new', 'deeper');
    expect(await firstClosedDirectory(target, stranger)).toBeUndefined();
  });
});
