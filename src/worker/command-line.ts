/** One word of a command line; a quoted one can be no operator of a shell. */
interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

const OPERATORS = /^(?:\|\|?|&&?|;|\d*[<>]{1,2}(?:&\d)?)$/;
/** A quoted piece, an escaped character, or plain text: what words are made of. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/sy;

/**
 * Splits a command line into the program and its arguments as a shell would, without being one:
 * quotes (`'`, `"`) and backslashes work; variables, wildcards, pipes and redirections do not.
 *
 * @throws {Error} that says what is wrong: nothing there, an open quote, an operator of a shell
 */
export function splitCommandLine(line: string): string[] {
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line.charAt(at))) {
      at += 1;
      continue;
    }
    const { word, end } = wordAt(line, at);
    words.push(word);
    at = end;
  }
  const operator = words.find(({ text, quoted }) => !quoted && OPERATORS.test(text));
  if (operator !== undefined) {
    throw new Error(
      `${operator.text} would need a shell, and none is used; write sh -c '…', or quote it`,
    );
  }
  return words.map(({ text }) => text);
}

function wordAt(line: string, start: number): { word: Word; end: number } {
  let text = '';
  let quoted = false;
  let at = start;
  while (at < line.length && !/\s/.test(line.charAt(at))) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(line);
    if (piece === null) {
      const rest = line.slice(at, at + 40);
      throw new Error(`a quote or backslash is not closed: ${rest}`);
    }
    const [whole, single, double, escaped, plain] = piece;
    quoted ||= plain === undefined;
    text += single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '';
    at += whole.length;
  }
  return { word: { text, quoted }, end: at };
}
