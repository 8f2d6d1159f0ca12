import { Fields, listOf } from './fields';

const fields = new Fields(
  { name: 'x', count: 2, on: true, none: null, inner: { a: 1 }, list: [{ b: 2 }], numbers: [1, 2] },
  'the answer',
);

describe('Fields', () => {
  it('reads each kind of field', () => {
    expect(fields.text('name')).toBe('x');
    expect(fields.number('count')).toBe(2);
    expect(fields.flag('on')).toBe(true);
    expect(fields.optionalText('none')).toBeNull();
    expect(fields.optionalNumber('absent')).toBeNull();
    expect(fields.object('inner').number('a')).toBe(1);
    expect(fields.optionalObject('inner')?.number('a')).toBe(1);
    expect(fields.optionalObject('none')).toBeNull();
    expect(fields.list('list').map((item) => item.number('b'))).toEqual([2]);
    expect(fields.numberList('numbers')).toEqual([1, 2]);
    expect(fields.any('name')).toBe('x');
  });

  it.each([
    ['text', () => fields.text('count')],
    ['absent text', () => fields.text('absent')],
    ['number', () => fields.number('name')],
    ['optional number', () => fields.optionalNumber('name')],
    ['flag', () => fields.flag('count')],
    ['object', () => fields.object('none')],
    ['optional object', () => fields.optionalObject('list')],
    ['list', () => fields.list('inner')],
    ['list of numbers', () => fields.numberList('list')],
    ['list of texts', () => listOf(['a'], 'it')],
    ['whole', () => new Fields(3, 'it')],
  ])('refuses a wrong %s', (_, read) => {
    expect(read).toThrow(/is not .*another version/);
  });

  it('does not find what the object inherits', () => {
    expect(fields.any('toString')).toBeUndefined();
  });
});
