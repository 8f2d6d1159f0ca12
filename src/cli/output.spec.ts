import { stripVTControlCharacters as plain } from 'node:util';
import { durationText, formatOf, instantText, printable, recordText, tableText } from './output';

interface Row {
  readonly name: string;
  readonly count: number;
}

const COLUMNS = [
  { head: 'NAME', value: ({ name }: Row) => name },
  { head: 'COUNT', value: ({ count }: Row) => String(count), align: 'right' as const },
];

describe('tableText', () => {
  it('aligns columns, without borders and trailing blanks', () => {
    const rows = [
      { name: 'a', count: 1 },
      { name: 'longer', count: 1000 },
    ];

    expect(plain(tableText(rows, COLUMNS, 'none'))).toBe(
      'NAME    COUNT\na           1\nlonger   1000\n',
    );
  });

  it('says so when there is nothing', () => {
    expect(tableText([], COLUMNS, 'no rows yet')).toBe('no rows yet\n');
  });

  it('lets nothing through that would upset a terminal', () => {
    const rows = [{ name: '\u001b[2Jx\u009b1my', count: 0 }];

    expect(plain(tableText(rows, COLUMNS, ''))).toContain('?[2Jx?1my');
  });
});

describe('recordText', () => {
  it('puts values into one column and leaves absent ones out', () => {
    const text = recordText([
      ['id', '17'],
      ['absent', null],
      ['state', 'x', (value) => `<${value}>`],
    ]);

    expect(plain(text)).toBe('id      17\nstate   <x>\n');
  });
});

describe('printable', () => {
  it('keeps lines, tabs and letters of all scripts', () => {
    expect(printable('ä\n文\ttab\r\u0007')).toBe('ä\n文\ttab??');
  });
});

describe('formatOf', () => {
  it('is a table on a terminal, JSON in a pipe, and what was asked for', () => {
    expect(formatOf(undefined, { isTTY: true })).toBe('table');
    expect(formatOf(undefined, {})).toBe('json');
    expect(formatOf('json', { isTTY: true })).toBe('json');
    expect(formatOf('table', {})).toBe('table');
  });
});

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [999.6, '1.0 s'],
    [12_340, '12.3 s'],
    [59_960, '1 min 0 s'],
    [250_000, '4 min 10 s'],
    [3_599_600, '1 h 00 min'],
    [11_100_000, '3 h 05 min'],
  ])('%d ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('instantText', () => {
  it('is local time to the second', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5, 600);

    expect(instantText(at.getTime())).toBe('2026-01-02 03:04:05');
  });
});
