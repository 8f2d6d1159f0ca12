import { taskId } from '../core/units';
import { PayloadCache } from './payload-cache';

const MIB = 1024 * 1024;
const payload = (bytes: number) => ({ taskInput: 'x'.repeat(bytes), metadata: '' });
const ID = (n: number) => taskId(`t${n}`);

describe('PayloadCache', () => {
  it('keeps the newest 4 MiB, and never more than 8', () => {
    const cache = new PayloadCache();
    for (let n = 0; n < 100; n++) {
      cache.put(ID(n), payload(0.99 * MIB));
      const kept = [...Array(n + 1).keys()].filter((each) => cache.get(ID(each)) !== undefined);
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(n + 1, 4));
      expect(kept.length).toBeLessThanOrEqual(8);
      expect(kept).toEqual(
        [...Array(kept.length).keys()].map((back) => n + 1 - kept.length + back),
      );
    }
  });

  it('counts what small payloads take beside their text', () => {
    const cache = new PayloadCache();
    for (let n = 0; n < 100_000; n++) cache.put(ID(n), payload(1));
    const kept = [...Array(100_000).keys()].filter((n) => cache.get(ID(n)) !== undefined);
    expect(kept.length).toBeLessThan(60_000);
    expect(cache.get(ID(99_999))).toBeDefined();
  });

  it('counts a payload once, however often it is put', () => {
    const cache = new PayloadCache();
    cache.put(taskId('kept'), payload(MIB));
    for (let n = 0; n < 100; n++) cache.put(taskId('again'), payload(2 * MIB));
    expect(cache.get(taskId('kept'))).toBeDefined();
    cache.delete(taskId('again'));
    cache.put(taskId('other'), payload(2.5 * MIB));
    expect(cache.get(taskId('kept'))).toBeDefined();
    expect(cache.get(taskId('again'))).toBeUndefined();
  });

  it('keeps the older payloads until the newer half is full, and forgets what is deleted', () => {
    const cache = new PayloadCache();
    cache.put(ID(1), payload(3 * MIB));
    cache.put(ID(2), payload(3 * MIB));
    expect(cache.get(ID(1))).toBeDefined();
    cache.delete(ID(1));
    expect(cache.get(ID(1))).toBeUndefined();
    expect(cache.get(ID(2))).toBeDefined();
  });

  it('lets nothing go for a task that waits, and takes it in again once there is room', () => {
    const cache = new PayloadCache();
    for (let n = 0; n < 100; n++) cache.offer(ID(n), payload(0.99 * MIB));
    const kept = [...Array(100).keys()].filter((n) => cache.get(ID(n)) !== undefined);
    expect(kept).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const n of [0, 1, 2, 3]) cache.delete(ID(n));
    cache.offer(ID(100), payload(0.99 * MIB));
    expect([4, 7, 100].map((n) => cache.get(ID(n)) !== undefined)).toEqual([true, true, true]);
    cache.put(ID(101), payload(4 * MIB - 200));
    cache.offer(ID(102), payload(MIB));
    expect([7, 100, 101, 102].map((n) => cache.get(ID(n)) !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('does not keep one that alone would fill half of it', () => {
    const cache = new PayloadCache();
    cache.put(ID(1), payload(MIB));
    cache.put(ID(2), payload(5 * MIB));
    expect(cache.get(ID(1))).toBeDefined();
    expect(cache.get(ID(2))).toBeUndefined();
  });
});
