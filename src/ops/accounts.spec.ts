import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findInPasswd, firstClosedDirectory, mayEnter, type Account } from './accounts';

const PASSWD = `root:x:0:0:root:/root:/bin/bash
# a comment
nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin
ada:x:1000:1001:Ada,,,:/home/ada:/bin/bash
`;

describe('findInPasswd', () => {
  it('finds by name and by uid', () => {
    const ada: Account = { name: 'ada', uid: 1000, gid: 1001, home: '/home/ada' };
    expect(findInPasswd(PASSWD, 'ada')).toEqual(ada);
    expect(findInPasswd(PASSWD, 1000)).toEqual(ada);
    expect(findInPasswd(PASSWD, '1000')).toBeUndefined();
    expect(findInPasswd(PASSWD, 1001)).toBeUndefined();
    expect(findInPasswd('', 0)).toBeUndefined();
  });
});

describe('mayEnter', () => {
  const ada: Account = { name: 'ada', uid: 1000, gid: 1001, home: '/home/ada' };
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
  const stranger: Account = { name: 'stranger', uid: 54_321, gid: 54_321, home: '/' };

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
    expect(await firstClosedDirectory(target, { name: 'me', uid, gid, home: '/' })).toBeUndefined();
  });

  it('passes over what does not exist yet', async () => {
    const target = path.join(root, 'a', 'new', 'deeper');
    expect(await firstClosedDirectory(target, stranger)).toBeUndefined();
  });
});
