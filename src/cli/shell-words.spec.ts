import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { commandLine } from './shell-words';

describe('commandLine', () => {
  it('takes a single word for a command line', () => {
    expect(commandLine(['make && make test'])).toBe('make && make test');
  });

  it('quotes what is more than plain', () => {
    expect(commandLine(['echo', 'a b', `it's`, '$HOME', './x.sh', ''])).toBe(
      `echo 'a b' 'it'\\''s' '$HOME' ./x.sh ''`,
    );
  });

  it('lets a shell see the words that were given', () => {
    const word = fc.string({ maxLength: 12 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const line = commandLine(['printf', '%s\\n', ...words]);
        const seen = execFileSync('sh', ['-c', line]).toString();
        expect(seen).toBe(words.map((each) => `${each}\n`).join(''));
      }),
      { numRuns: 30 },
    );
  });
});
