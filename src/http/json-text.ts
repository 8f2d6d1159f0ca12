const LONG_DIGITS = /\d{16}/;
const INTEGER = /^-?\d+$/;
const NUMBER_START = /[-\d]/;
const NUMBER_PART = /[-+.eE\d]/;

/**
 * `JSON.stringify` for payloads that others read exactly. A float from 2^53 up to 10^21 is printed
 * as a long integer by JSON.stringify (`1e20` comes out as 100000000000000000000), which readers
 * with real integers, and our own `findUnkeepable`, take for something else: here it keeps its
 * exponent.
 *
 * @param value a JSON value (not undefined)
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return LONG_DIGITS.test(text) ? withExponents(text) : text;
}

/** JSON text of the object with one more member, whose own JSON text is set in as it is. */
export function withMember(object: object, name: string, text: string): string {
  const members = JSON.stringify(object).slice(1, -1);
  return `{${members}${members === '' ? '' : ','}${JSON.stringify(name)}:${text}}`;
}

/** Rewrites the integer literals beyond ±(2^53−1) of a JSON text; strings are left alone. */
function withExponents(text: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') {
      at = closingQuote(text, at);
    } else if (NUMBER_START.test(char)) {
      const end = numberEnd(text, at);
      const literal = text.slice(at, end);
      if (INTEGER.test(literal) && !Number.isSafeInteger(Number(literal))) {
        pieces.push(text.slice(copied, at), Number(literal).toExponential());
        copied = end;
      }
      at = end - 1;
    }
  }
  return pieces.join('') + text.slice(copied);
}

function closingQuote(text: string, open: number): number {
  let at = open + 1;
  while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
  return at;
}

function numberEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && NUMBER_PART.test(text.charAt(at))) at += 1;
  return at;
}
