import { Fifo } from './fifo';

describe('Fifo', () => {
  it('gives back in the order of arrival, over the point where it cuts its used part', () => {
    const fifo = new Fifo<number>();
    const taken: (number | undefined)[] = [];
    for (let n = 0; n < 300; n += 1) {
      fifo.push(n);
      if (n % 3 !== 0) taken.push(fifo.shift());
    }

    expect(taken).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(fifo.length).toBe(100);
    expect([...fifo]).toEqual(Array.from({ length: 100 }, (_, n) => n + 200));
  });

  it('is empty when all is taken', () => {
    const fifo = new Fifo<string>();
    fifo.push('a');

    expect(fifo.shift()).toBe('a');
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
  });
});
