/** A word as it is written: bare, or with parts in quotes, or with characters behind a backslash. */
const WORD = /(?:[^\s"'\\]|\\[^]|"(?:[^"\\]|\\[^])*"|'[^']*')+/y;
const SPACE = /\s*/y;
/** A part of a word: what is in single quotes, in double quotes, behind a backslash, or bare. */
const PART = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^"'\\]+)/g;

/**
 * The arguments of a command line, split as a shell would without its expansions: by white space,
 * with quotes and backslashes. No shell is asked.
 * @returns undefined when a quote is not closed, or a NUL is in it
 */
export function splitCommandLine(line: string): readonly string[] | undefined {
  if (line.includes('\0')) return undefined;
  const words: string[] = [];
  for (let at = skip(SPACE, line, 0); at < line.length; at = skip(SPACE, line, at)) {
    const end = skip(WORD, line, at);
    if (end === at) return undefined;
    words.push(unquoted(line.slice(at, end)));
    at = end;
  }
  return words;
}

/** True for a command line that names at least a program. */
export function isCommandLine(line: string): boolean {
  const [program = ''] = splitCommandLine(line) ?? [];
  return program !== '';
}

/** True for arguments that one of the patterns stands for, whole. See `matchesWord`. */
export function isAmong(words: readonly string[], patterns: readonly string[]): boolean {
  return patterns.some((line) => {
    const pattern = splitCommandLine(line) ?? [];
    return (
      pattern.length === words.length &&
      pattern.every((part, index) => matchesWord(words[index] ?? '', part))
    );
  });
}

/**
 * A `*` stands for any characters of one argument, but what it stands for at the beginning is not
 * empty and does not begin with a `-`: where a name was meant, nobody must come with an option.
 */
function matchesWord(word: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  const begin = pattern.startsWith('*') ? '(?=[^-])' : '';
  return new RegExp(`^${begin}${parts.join('[^]*')}$`).test(word);
}

/** Where what the pattern finds at this place ends; the same place when it finds nothing. */
function skip(pattern: RegExp, line: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(line) ? pattern.lastIndex : at;
}

function unquoted(word: string): string {
  return word.replace(
    PART,
    (_, single?: string, double?: string, escaped?: string, bare?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? bare ?? '',
  );
}
