import { canonicalJson } from './canonical-json';

describe('canonicalJson', () => {
  it('does not depend on the order of keys, at any depth', () => {
    const one = canonicalJson({ b: [{ y: 1, x: null }], a: 'ä"' });
    const other = canonicalJson({ a: 'ä"', b: [{ x: null, y: 1 }] });

    expect(one).toBe('{"a":"ä\\"","b":[{"x":null,"y":1}]}');
    expect(other).toBe(one);
  });

  it('orders integer-like keys by code unit and keeps __proto__', () => {
    const value: unknown = JSON.parse('{"9":1,"10":2,"__proto__":{"a":3}}');

    expect(canonicalJson(value)).toBe('{"10":2,"9":1,"__proto__":{"a":3}}');
  });

  it('keeps the order of arrays', () => {
    expect(canonicalJson([3, 1, 2])).toBe('[3,1,2]');
  });
});
