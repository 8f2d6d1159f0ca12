import fc from 'fast-check';
import { depthOf, itemsOf, membersOf } from './json-members';

describe('membersOf', () => {
  it('gives the values as they are written', () => {
    const text = ' {"a" : 1.0, "b":[1, {"c":"],}"}],"":"x\\"y" ,"n":1e400}\n';
    expect(membersOf(text)).toEqual([
      { name: 'a', value: '1.0' },
      { name: 'b', value: '[1, {"c":"],}"}]' },
      { name: '', value: '"x\\"y"' },
      { name: 'n', value: '1e400' },
    ]);
  });

  it('keeps repeated names, in order, and reads escaped ones', () => {
    expect(membersOf('{"a":1,"\\u0061":2,"__proto__":3}')).toEqual([
      { name: 'a', value: '1' },
      { name: 'a', value: '2' },
      { name: '__proto__', value: '3' },
    ]);
  });

  it('lets a value that is no JSON spoil nothing else', () => {
    expect(membersOf('{"a":NaN,"b":2}')).toEqual([
      { name: 'a', value: 'NaN' },
      { name: 'b', value: '2' },
    ]);
  });

  it.each(['{}', ' { } '])('finds nothing in %j', (text) => {
    expect(membersOf(text)).toEqual([]);
  });

  it.each([
    '',
    '{',
    '}',
    'null',
    '[]',
    '"{}"',
    '{"a"}',
    '{"a":}',
    '{:1}',
    '{a:1}',
    '{"a":1,}',
    '{,"a":1}',
    '{"a":1 "b"}',
    '{"a":[1}',
    '{"a":"x}',
    '{"a":1}}',
    '{"a":]1[}',
    '{"\\x":1}',
    '{"a":"\\"}',
  ])('refuses %j', (text) => {
    // What is let through here must be refused by whoever reads the value.
    const members = membersOf(text);
    expect(members?.every(({ value }) => isJson(value)) ?? false).toBe(false);
  });

  it('takes any object apart and loses nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(2), (object, indent) => {
        const members = membersOf(JSON.stringify(object, null, indent)) ?? [];
        const again = members.map(({ name, value }) => [name, JSON.parse(value) as unknown]);
        const expected = JSON.parse(JSON.stringify(Object.entries(object))) as unknown;
        expect(again).toEqual(expected);
      }),
    );
  });
});

describe('itemsOf', () => {
  it('gives the items as they are written', () => {
    expect(itemsOf('[1, "a,b" ,{"c":[2]},[]]')).toEqual(['1', '"a,b"', '{"c":[2]}', '[]']);
    expect(itemsOf('[]')).toEqual([]);
  });

  it.each(['{}', '[', '[1,]', '[,]', '[1]]', '["a]'])('refuses %j', (text) => {
    expect(itemsOf(text)).toBeUndefined();
  });
});

describe('depthOf', () => {
  it.each([
    ['1', 0],
    ['"[{"', 0],
    ['[]', 1],
    ['[[],[[]]]', 3],
    ['{"a":[{"b":"]"}]}', 3],
  ])('of %s is %d', (text, depth) => {
    expect(depthOf(text)).toBe(depth);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
