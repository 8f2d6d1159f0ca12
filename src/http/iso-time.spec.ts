import { isoTime } from './iso-time';

describe('isoTime', () => {
  it.each([
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-11-21T10:00+01:00', '2026-11-21T09:00:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ])('reads %s', (text, time) => {
    expect(new Date(isoTime(text)).toISOString()).toBe(time);
  });

  it('takes a time without a zone for a local one', () => {
    expect(isoTime('2026-11-21T10:00')).toBe(new Date(2026, 10, 21, 10).getTime());
  });

  it.each([
    ...['12', '1795257600', 'Nov 21 2026', 'yesterday', '2026-11-21 10:00', '2026-11-21T25:00'],
    ...['2026-02-31', '2026-02-29T10:00Z', '2026-13-01', '2026-00-10', '2026-11-31'],
  ])('refuses %s', (text) => {
    expect(isoTime(text)).toBeNaN();
  });
});
