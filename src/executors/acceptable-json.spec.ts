import fc from 'fast-check';
import { jsonFault, MAX_RESULT_DEPTH } from './acceptable-json';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('jsonFault', () => {
  it.each([
    'null',
    '{"a":[1,2.50,-0,1e308,12345678901234567890]}',
    '"\\ud83d\\ude00 \\uD83D\\uDE00 😀"',
    '"\\\\u0000 and \\\\ud800"',
    '"\\u00e9\\u0001"',
    nested(MAX_RESULT_DEPTH),
  ])('takes %s', (text) => {
    expect(jsonFault(text)).toBeUndefined();
  });

  it.each([
    ['"\\u0000"', 'NUL (\\u0000) in a string'],
    ['{"a\\u0000":1}', 'NUL (\\u0000) in a string'],
    ['"\\\\\\u0000"', 'NUL (\\u0000) in a string'],
    ['"\\ud83d"', 'lone surrogate (\\ud83d) in a string'],
    ['"\\ude00\\ud83d"', 'lone surrogate (\\ude00) in a string'],
    ['"\\ud83d\\ud83d\\ude00"', 'lone surrogate (\\ud83d) in a string'],
    ['"\\ud83d\\\\ude00"', 'lone surrogate (\\ud83d) in a string'],
    ['"\\ud83d\\ude00\\ude00"', 'lone surrogate (\\ude00) in a string'],
    ['"\u0000"', 'not valid JSON'],
    ['NaN', 'not valid JSON'],
    ['', 'not valid JSON'],
    ['{"a":1,}', 'not valid JSON'],
    [nested(MAX_RESULT_DEPTH + 1), 'nesting deeper than 64 levels'],
  ])('refuses %j', (text, fault) => {
    expect(jsonFault(text)).toBe(fault);
  });

  it('answers about a million brackets at once', () => {
    expect(jsonFault(nested(500_000))).toBe('nesting deeper than 64 levels');
    expect(jsonFault('['.repeat(1_000_000))).toBe('nesting deeper than 64 levels');
  });

  it('takes every text that is well-formed and without NUL, however it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = [...Array(text.length).keys()].map((at) => escapeOf(text.charCodeAt(at)));
        const expected = text.includes('\u0000') ? 'NUL (\\u0000) in a string' : undefined;
        expect(jsonFault(`"${escaped.join('')}"`)).toBe(expected);
      }),
    );
  });
});

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
