import { taskId } from '../core/units';
import { PayloadCache } from './payload-cache';

const MIB = 1024 * 1024;
const payload = (bytes: number) => ({ taskInput: 'x'.repeat(bytes), metadata: '' });

describe('PayloadCache', () => {
  it('keeps the newest 32 MiB', () => {
    const cache = new PayloadCache();
    for (let i = 0; i < 40; i++) cache.put(taskId(`t${i}`), payload(MIB));
    expect(cache.get(taskId('t7'))).toBeUndefined();
    expect(cache.get(taskId('t8'))).toBeDefined();
    expect(cache.get(taskId('t39'))).toBeDefined();
  });

  it('counts a payload once, however often it is put', () => {
    const cache = new PayloadCache();
    cache.put(taskId('kept'), payload(MIB));
    for (let i = 0; i < 100; i++) cache.put(taskId('again'), payload(20 * MIB));
    expect(cache.get(taskId('kept'))).toBeDefined();
    cache.delete(taskId('again'));
    cache.put(taskId('other'), payload(30 * MIB));
    expect(cache.get(taskId('kept'))).toBeDefined();
    expect(cache.get(taskId('again'))).toBeUndefined();
  });
});
