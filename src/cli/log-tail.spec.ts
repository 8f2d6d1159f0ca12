import fc from 'fast-check';
import { LogTail } from './log-tail';

/** What is printed of a log that is looked at after each piece of it. */
function printed(pieces: readonly string[], most: number): string {
  const tail = new LogTail(most);
  let log = '';
  let out = '';
  for (const piece of pieces) {
    log += piece;
    const whole = log.replace(/\n$/, '');
    out += tail.next(log === '' ? [] : whole.split('\n').slice(-most));
  }
  return out;
}

describe('LogTail', () => {
  it('prints each line once, whole or in pieces', () => {
    expect(printed(['a\n', 'b', 'c\nd\n', '', 'e'], 10)).toBe('a\nbc\nd\ne');
  });

  it('goes on where only the last lines can be seen', () => {
    expect(printed(['1\n2\n3\n', '4\n', '5\n6\n'], 3)).toBe('1\n2\n3\n4\n5\n6');
  });

  it('says that lines went by unseen', () => {
    const left = '[foresail: lines were left out here]';
    expect(printed(['1\n2\n', '3\n4\n5\n6\n'], 2)).toBe(`1\n2\n${left}\n5\n6`);
  });

  it('prints every log of different lines as it is, however it grows', () => {
    const sizes = fc.array(fc.nat(6), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, (counts) => {
        let n = 0;
        const pieces = counts.map((count) =>
          Array.from({ length: count }, () => `line ${String(n++).padStart(4, '0')}\n`).join(''),
        );
        expect(printed(pieces, 8)).toBe(pieces.join('').replace(/\n$/, ''));
      }),
    );
  });

  it('prints every log that can be seen whole as it is, however its lines grow', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 5 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const log = pieces.join('');
        const out = printed(pieces, 1_000);
        // A log that ends in line breaks shows them with what comes behind them.
        expect(out.replace(/\n+$/, '')).toBe(log.replace(/\n+$/, ''));
      }),
    );
  });
});
