const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * One command line for `sh` out of the words after `--`. A single word is one already, as in
 * `'make && make test'`; several are quoted, so that each stays one word.
 */
export function commandLine(words: readonly string[]): string {
  const [only = '', ...more] = words;
  return more.length === 0 ? only : words.map(quoted).join(' ');
}

function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll(`'`, `'\\''`)}'`;
}
