import { defaultDataDir } from './data-dir';

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
