import { layoutOf } from './layout';

describe('layoutOf', () => {
  it('keeps everything below the data directory, as absolute paths', () => {
    const { home, ...below } = layoutOf('some/where');
    expect(home).toBe(`${process.cwd()}/some/where`);
    for (const file of Object.values(below)) expect(file.startsWith(`${home}/`)).toBe(true);
    expect(below.cluster).toBe(`${home}/postgres-18`);
  });
});
