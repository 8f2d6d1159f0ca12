import { backoffMs } from './backoff';

const always = (value: number) => ({ next: () => value });

describe('backoffMs', () => {
  it('doubles its bound from 0.2 s to 5 s', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => backoffMs(failures, always(1)));

    expect(bounds).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  it('is spread from 0 on, but not below what was asked for', () => {
    expect(backoffMs(3, always(0))).toBe(0);
    expect(backoffMs(3, always(0.5))).toBe(400);
    expect(backoffMs(3, always(0.5), 3000)).toBe(3000);
  });
});
