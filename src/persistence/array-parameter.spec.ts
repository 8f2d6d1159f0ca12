import { arrayParameter } from './array-parameter';

const ID = '01900000-0000-7000-8000-0000000000ff';

describe('arrayParameter', () => {
  it('writes the header that PostgreSQL reads: dimensions, nulls, type, length, first index', () => {
    expect(arrayParameter('int4', [7, null]).toString('hex')).toBe(
      ['00000001', '00000001', '00000017', '00000002', '00000001'].join('') +
        ['00000004', '00000007', 'ffffffff'].join(''),
    );
  });

  it('writes texts as UTF-8, whatever is in them', () => {
    expect(arrayParameter('text', ['ä"\\,{}']).subarray(20).toString()).toBe(
      '\0\0\0\x07' + 'ä"\\,{}',
    );
  });

  it('writes UUIDs as 16 bytes', () => {
    expect(arrayParameter('uuid', [ID]).subarray(24).toString('hex')).toBe(ID.replaceAll('-', ''));
  });

  it('writes instants in microseconds since 2000', () => {
    const micros = (unixMs: number): bigint =>
      arrayParameter('timestamptz', [unixMs]).readBigInt64BE(24);
    expect(micros(Date.UTC(2000, 0, 1))).toBe(0n);
    expect(micros(Date.UTC(2000, 0, 1) + 1.5)).toBe(1_500n);
    expect(micros(Date.UTC(1999, 11, 31))).toBe(-86_400_000_000n);
    expect(micros(Date.UTC(2026, 10, 21) + 0.001)).toBe(848_534_400_000_001n);
  });

  it('writes floating-point numbers as they are, infinity among them', () => {
    for (const value of [0.1, -1e300, Infinity]) {
      expect(arrayParameter('float8', [value]).readDoubleBE(24)).toBe(value);
    }
  });

  it.each([
    ['uuid', 'x'],
    ['uuid', ID.slice(1)],
    ['uuid', `${ID}0`],
    ['uuid', ID.replace('f', 'g')],
    ['uuid', ID.replaceAll('-', 'a')],
    ['int4', 2 ** 31],
    ['int4', Number.NaN],
    ['int4', '1'],
    ['int4', 1.5],
    ['float8', Number.NEGATIVE_INFINITY],
    ['float8', Number.NaN],
    ['timestamptz', Number.POSITIVE_INFINITY],
    ['timestamptz', Number.NaN],
  ] as const)('refuses as %s: %j', (type, value) => {
    expect(() => arrayParameter(type, [value])).toThrow(RangeError);
  });
});
