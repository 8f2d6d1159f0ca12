import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { copyDistribution, findDistribution, linkLibraries } from './binaries';

describe('the bundled PostgreSQL', () => {
  it('is found by the version that will be copied under', async () => {
    const { native, version } = await findDistribution();
    expect(version).toMatch(/^18\.\d+$/);
    expect(await readdir(path.join(native, 'bin'))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^initdb/), expect.stringMatching(/^pg_ctl/)]),
    );
  });
});

describe('a distribution', () => {
  let scratch: string;
  let native: string;
  const lib = (name: string): string => path.join(native, 'lib', name);

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(os.tmpdir(), 'binaries-spec-'));
    native = path.join(scratch, 'native');
    await mkdir(path.join(native, 'lib'), { recursive: true });
    await mkdir(path.join(native, 'bin'));
    await writeFile(lib('libpq.so.5.18'), 'library');
    await writeFile(path.join(native, 'bin', 'postgres'), 'program');
    const links = ['libpq.so', 'libpq.so.5'].map((name) => ({
      source: 'native/lib/libpq.so.5.18',
      target: `native/lib/${name}`,
    }));
    await writeFile(path.join(native, 'pg-symlinks.json'), JSON.stringify(links));
  });
  afterEach(() => rm(scratch, { recursive: true }));

  it('gets the library links that npm cannot carry, once', async () => {
    expect(await linkLibraries(native)).toBe(true);
    expect(await readlink(lib('libpq.so'))).toBe('libpq.so.5.18');
    expect(await readFile(lib('libpq.so.5'), 'utf8')).toBe('library');
    expect(await linkLibraries(native)).toBe(true);
  });

  it('keeps a link that another process has just made', async () => {
    await Promise.all([linkLibraries(native), linkLibraries(native), linkLibraries(native)]);
    expect(await readlink(lib('libpq.so.5'))).toBe('libpq.so.5.18');
  });

  it('says so when its list of links is damaged', async () => {
    await writeFile(path.join(native, 'pg-symlinks.json'), '[{"source": 1}]');
    await expect(linkLibraries(native)).rejects.toThrow(/pg-symlinks.json is damaged.*npm ci/);
  });

  it('is copied with links, open to every account however closed the original is', async () => {
    const copy = path.join(scratch, 'bin-18.4');
    await chmod(lib('libpq.so.5.18'), 0o600);
    await chmod(path.join(native, 'bin', 'postgres'), 0o700);
    await chmod(native, 0o700);
    await copyDistribution(native, copy);
    const modeOf = async (file: string): Promise<number> =>
      (await stat(path.join(copy, file))).mode & 0o777;
    expect(await modeOf('.')).toBe(0o755);
    expect(await modeOf('lib')).toBe(0o755);
    expect(await modeOf('lib/libpq.so.5.18')).toBe(0o644);
    expect(await modeOf('bin/postgres')).toBe(0o755);
    expect(await readFile(path.join(copy, 'lib', 'libpq.so'), 'utf8')).toBe('library');
    expect((await readdir(scratch)).sort()).toEqual(['bin-18.4', 'native']);
  });

  it('leaves nothing behind when the copy fails', async () => {
    await writeFile(path.join(native, 'pg-symlinks.json'), '{}');
    await expect(copyDistribution(native, path.join(scratch, 'copy'))).rejects.toThrow(/damaged/);
    expect(await readdir(scratch)).toEqual(['native']);
  });
});
