import { defaultDataDir, layoutOf } from './layout';

describe('defaultDataDir', () => {
  it('is in the project, but for root, whose project others cannot enter', () => {
    expect(defaultDataDir({ isRoot: false, projectRoot: '/home/ada/foresail' })).toBe(
      '/home/ada/foresail/.data',
    );
    expect(defaultDataDir({ isRoot: true, projectRoot: '/root/foresail' })).toBe(
      '/var/lib/foresail',
    );
  });
});

describe('layoutOf', () => {
  it('keeps everything below the data directory, as absolute paths', () => {
    const { home, ...below } = layoutOf('some/where');
    expect(home).toBe(`${process.cwd()}/some/where`);
    for (const file of Object.values(below)) expect(file.startsWith(`${home}/`)).toBe(true);
    expect(below.cluster).toBe(`${home}/postgres-18`);
  });
});
