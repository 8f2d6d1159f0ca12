import * as fc from 'fast-check';
import { findUnkeepable, MAX_JSON_DEPTH } from './json-scan';
import { jsonText } from './json-text';

const scan = (text: string) => findUnkeepable(Buffer.from(text));
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('findUnkeepable', () => {
  it.each([
    ['the largest safe integer', '{"n":9007199254740991,"m":-9007199254740991}'],
    ['an exponent that fits', '{"n":1e300,"m":1.7976931348623157E+308,"k":-1e-400}'],
    ['whole floats that doubles hold', '[1e20,-3.4028235e38,9007199254740994.0,1.2E+22,5e-324]'],
    ['a float of many digits', '[0.12345678901234567890, 12345678901234567.5]'],
    ['a surrogate pair', '{"s":"\\ud83d\\ude00 \\uD83D\\uDE00"}'],
    ['raw text of all widths', '{"s":"é ü 漢 😀"}'],
    ['an escaped backslash before u0000', '{"s":"\\\\u0000 \\\\ud800"}'],
    ['long digits inside a string', '{"s":"9007199254740993 1e999 [[[["}'],
    ['brackets inside a string', JSON.stringify({ s: '['.repeat(500) })],
    ['the deepest nesting', nested(MAX_JSON_DEPTH)],
    ['many lists beside each other', `[${'[],'.repeat(500)}[]]`],
    ['text that is not JSON', '{"a": 1-2e5, "unclosed \\'],
    ['a broken escape', '"\\u12'],
    ['nothing', ''],
  ])('lets pass %s', (_name, text) => {
    expect(scan(text)).toBeUndefined();
  });

  it.each([
    ['2^53', '{"n":9007199254740992}', /integer 9007199254740992 at offset 5 .*9007199254740991/],
    ['2^53+1', '[1, 9007199254740993]', /integer 9007199254740993 at offset 4/],
    ['-2^53-1', '[-9007199254740993]', /integer -9007199254740993 at offset 1/],
    ['2^53+1 with a point', '[9007199254740993.0]', /integer 9007199254740993\.0 at offset 1/],
    ['2^53+1 with an exponent', '[9007199254740993e0]', /integer 9007199254740993e0/],
    ['2^53+1 shifted', '[-900719925474099.30E1]', /integer -900719925474099\.30E1/],
    ['an integer that overflows', `[1${'0'.repeat(400)}]`, /integer 1000.*… at offset 1/],
    ['1e999', '{"n":1e999}', /number 1e999 at offset 5 is too large/],
    ['-1E999', '[-1E999]', /number -1E999 at offset 1/],
    ['a long float that overflows', `[1${'0'.repeat(400)}.5]`, /number 1000/],
    ['an escaped NUL', '{"s":"a\\u0000"}', /NUL .*offset 7/],
    ['a literal NUL', '{"s":"a\0"}', /NUL at offset 7/],
    ['NUL in a key', '{"\\u0000":1}', /NUL/],
    ['a lone high surrogate', '{"s":"\\ud800x"}', /lone surrogate \\ud800 at offset 6/],
    ['a lone low surrogate', '{"s":"\\uDC00"}', /lone surrogate \\udc00/],
    ['two high surrogates', '"\\ud83d\\ud83d\\ude00"', /lone surrogate \\ud83d at offset 1/],
    ['a high surrogate at the end', '"\\ud83d', /lone surrogate/],
    ['a lone surrogate in a key', '{"\\udfff":1}', /lone surrogate/],
    ['one level too many', nested(MAX_JSON_DEPTH + 1), /nesting deeper than 64 at offset 64/],
    ['9 000 levels', '{"a":'.repeat(9_000) + '1' + '}'.repeat(9_000), /nesting/],
  ])('refuses %s', (_name, text, message) => {
    expect(scan(text)).toMatchObject({ loc: ['body'], msg: expect.stringMatching(message) });
  });

  it('lets pass every JSON value of doubles and text that jsonText prints', () => {
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }).filter(withoutNul);
    fc.assert(fc.property(value, (json) => scan(jsonText(json)) === undefined));
    const double = fc.double({ noDefaultInfinity: true, noNaN: true });
    fc.assert(fc.property(double, (number) => scan(jsonText([number])) === undefined));
  });
});

function withoutNul(value: unknown): boolean {
  return !JSON.stringify(value).includes('\\u0000');
}
