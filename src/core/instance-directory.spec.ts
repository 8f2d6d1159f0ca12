import { instanceOf } from '../../test/support/builders';
import { InstanceDirectory } from './instance-directory';

describe('InstanceDirectory', () => {
  it('finds an instance by its id, its address and its name', () => {
    const directory = new InstanceDirectory();
    const a = instanceOf('a', 1, { name: 'gpu-7' });
    directory.add(a);
    for (const ref of ['a', 'a.test:8000', 'gpu-7']) expect(directory.find(ref)).toBe(a);
    expect([directory.get(a.id), [...directory.all.values()]]).toEqual([a, [a]]);
    expect(directory.find('b')).toBeUndefined();
  });

  it('does not guess which of namesakes is meant, and knows the one that stays', () => {
    const directory = new InstanceDirectory();
    const [a, b] = [instanceOf('a', 1, { name: 'gpu' }), instanceOf('b', 1, { name: 'gpu' })];
    directory.add(a);
    directory.add(b);
    expect([directory.find('gpu'), directory.called('gpu')]).toEqual([undefined, [a, b]]);
    directory.rename(b, 'other');
    expect(directory.find('gpu')).toBe(a);
    directory.rename(b, 'gpu');
    directory.delete(b);
    expect(directory.find('gpu')).toBe(a);
  });

  it('means the one in service, not its namesake that was taken out', () => {
    const directory = new InstanceDirectory();
    const [a, b] = [instanceOf('a', 1, { name: 'gpu' }), instanceOf('b', 1, { name: 'gpu' })];
    directory.add(a);
    directory.add(b);
    b.removed = true;
    expect(directory.find('gpu')).toBe(a);
    a.removed = true;
    expect(directory.find('gpu')).toBeUndefined();
  });

  it('finds it under its new name only', () => {
    const directory = new InstanceDirectory();
    const a = instanceOf('a', 1, { name: 'old' });
    directory.add(a);
    directory.rename(a, 'new');
    expect([directory.find('old'), directory.find('new'), a.name]).toEqual([undefined, a, 'new']);
  });

  it('finds it by its address although that was its name', () => {
    const directory = new InstanceDirectory();
    const a = instanceOf('a', 1, { name: 'a.test:8000' });
    directory.add(a);
    directory.rename(a, 'gpu-7');
    expect(directory.find('a.test:8000')).toBe(a);
  });

  it('finds a host by its address, although a worker has the same name', () => {
    const directory = new InstanceDirectory();
    const named = { host: 'node-7', port: 0, name: 'node-7' } as const;
    const host = instanceOf('host', 1, { ...named, kind: 'host' });
    const worker = instanceOf('worker', 1, { ...named, kind: 'worker' });
    directory.add(host);
    directory.add(worker);
    expect(directory.find('node-7:0')).toBe(host);
    directory.delete(worker);
    expect([directory.find('node-7:0'), directory.find('node-7')]).toEqual([host, host]);
  });

  it('forgets it under all its names', () => {
    const directory = new InstanceDirectory();
    const a = instanceOf('a', 1, { name: 'gpu-7' });
    directory.add(a);
    directory.delete(a);
    for (const ref of ['a', 'a.test:8000', 'gpu-7']) expect(directory.find(ref)).toBeUndefined();
    expect(directory.all.size).toBe(0);
  });
});
