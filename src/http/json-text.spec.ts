import * as fc from 'fast-check';
import { jsonText, withMember } from './json-text';

describe('jsonText', () => {
  it('keeps the exponent of a float that JSON.stringify prints as a long integer', () => {
    const value = { a: [1e20, -1.5e18], s: '100000000000000000000 \\" 1', n: 9007199254740991 };
    expect(jsonText(value)).toBe(
      '{"a":[1e+20,-1.5e+18],"s":"100000000000000000000 \\\\\\" 1","n":9007199254740991}',
    );
  });

  it('prints what JSON.parse reads back to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 2 ** 53, max: 1e21, noNaN: true }), (number) => {
        expect(JSON.parse(jsonText({ number }))).toEqual({ number });
        expect(jsonText(number)).toContain('e+');
      }),
    );
  });
});

describe('withMember', () => {
  it('sets a text in as it is', () => {
    expect(withMember({}, 'r', '{"n":1.0}')).toBe('{"r":{"n":1.0}}');
    expect(withMember({ a: 1, b: 'x' }, '"', ' [1e2]')).toBe('{"a":1,"b":"x","\\"": [1e2]}');
  });
});
