import * as fc from 'fast-check';
import { isAmong, isCommandLine, splitCommandLine } from './command-line';

describe('splitCommandLine', () => {
  it.each([
    ['', []],
    ['  \t ', []],
    ['ssh -o BatchMode=yes user@host', ['ssh', '-o', 'BatchMode=yes', 'user@host']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a'b c'"d e"f`, ['ab cd ef']],
    [`'' ""`, ['', '']],
    [`a\\ b \\' "\\"\\x"`, ['a b', `'`, '"\\x']],
    [`'a\\b'`, ['a\\b']],
    ['$(id) `id` ; | > * ~', ['$(id)', '`id`', ';', '|', '>', '*', '~']],
  ])('of %j', (line, words) => {
    expect(splitCommandLine(line)).toEqual(words);
  });

  it.each([`'`, `a "b`, 'a\\', 'a\0b'])('refuses %j', (line) => {
    expect(splitCommandLine(line)).toBeUndefined();
  });

  it('finds again whatever was quoted', () => {
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitCommandLine(words.map(quote).join(' '))).toEqual(words);
      }),
    );
  });
});

describe('isCommandLine', () => {
  it.each([
    ['ssh a', true],
    ['', false],
    [`'' a`, false],
    [`ssh 'a`, false],
  ])('of %j is %s', (line, is) => {
    expect(isCommandLine(line)).toBe(is);
  });
});

describe('isAmong', () => {
  const PREFIXES = ['ssh -o BatchMode=yes *', 'ssh deploy@gpu*.lab', `run 'a b'`];

  it.each([
    [['ssh', '-o', 'BatchMode=yes', 'ada@h1'], true],
    [['ssh', 'deploy@gpu7.lab'], true],
    [['run', 'a b'], true],
    [[], false],
    [['ssh', '-o', 'BatchMode=yes'], false],
    [['ssh', '-o', 'BatchMode=yes', ''], false],
    [['ssh', '-o', 'BatchMode=yes', '-oProxyCommand=id'], false],
    [['ssh', '-o', 'BatchMode=yes', 'h1', 'h2'], false],
    [['ssh', 'deploy@gpu7xlab'], false],
    [['ssh', 'root@gpu7.lab'], false],
    [['run', 'a', 'b'], false],
  ])('of %j is %s', (words, is) => {
    expect(isAmong(words, PREFIXES)).toBe(is);
  });

  it('is false where nothing is allowed', () => {
    expect(isAmong(['ssh', 'h'], [])).toBe(false);
  });
});
