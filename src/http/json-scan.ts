import type { Fault } from '../core/errors';

/** How deep lists and objects of a body may be nested, the body itself included. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_U = 0x75;
/** `{` and `[` differ in this bit only, and so do `}` and `]`. */
const BRACE_BIT = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** 2^53 − 1 has 16 digits: what is shorter and has no exponent is always kept. */
const SUSPICIOUS_DIGITS = 16;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const SHOWN_LITERAL = 40;

/**
 * Finds what a payload cannot keep, on the raw text of a JSON body: nesting deeper than
 * `MAX_JSON_DEPTH`, NUL, lone surrogates, integers beyond ±(2^53−1) and numbers that overflow. A
 * whole number with a point or an exponent is a float: refused only when doubles do not hold it
 * (`9007199254740993.0`, but not `1e20`).
 * One pass over the bytes, without building anything; text that is not JSON at all is left to the
 * parser, so a result of undefined does not mean that the text is valid.
 *
 * @param bytes the body, known to be well-formed UTF-8
 */
export function findUnkeepable(bytes: Buffer): Fault | undefined {
  const nul = bytes.indexOf(0);
  if (nul >= 0) return fault(`NUL at offset ${nul}; text must not contain it`);
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      const end = endOfString(bytes, at + 1);
      if (typeof end !== 'number') return end;
      at = end;
    } else if ((byte & ~BRACE_BIT) === OPEN) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return tooDeep(at);
    } else if ((byte & ~BRACE_BIT) === CLOSE) {
      depth -= 1;
    } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
      const end = endOfNumber(bytes, at);
      if (typeof end !== 'number') return end;
      at = end;
    }
  }
  return undefined;
}

/** The offset of the closing quote (or the end of an unclosed string), or what is wrong inside. */
function endOfString(bytes: Buffer, start: number): number | Fault {
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte !== BACKSLASH) continue;
    at += 1;
    if (bytes[at] !== LOWER_U) continue;
    const end = endOfEscape(bytes, at - 1);
    if (typeof end !== 'number') return end;
    at = end;
  }
  return at;
}

/** Looks at `\uXXXX` starting at `at`, and at its second half when it is a surrogate. */
function endOfEscape(bytes: Buffer, at: number): number | Fault {
  const unit = escapedUnit(bytes, at);
  if (unit === 0) return fault(`NUL (\\u0000) at offset ${at}; text must not contain it`);
  if (unit === undefined || unit < 0xd800 || unit > 0xdfff) return at + 5;
  const next = unit < 0xdc00 ? escapedUnit(bytes, at + 6) : undefined;
  if (next !== undefined && next >= 0xdc00 && next <= 0xdfff) return at + 11;
  const shown = unit.toString(16);
  return fault(`lone surrogate \\u${shown} at offset ${at}; text must be well-formed`);
}

/** The code unit of the escape at `at`; undefined where there is none, or a broken one. */
function escapedUnit(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== LOWER_U) return undefined;
  const digits = bytes.toString('latin1', at + 2, at + 6);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? parseInt(digits, 16) : undefined;
}

/** The offset of the last byte of the number, or what is wrong with it. */
function endOfNumber(bytes: Buffer, start: number): number | Fault {
  let at = start + 1;
  let exponent = false;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte >= ZERO && byte <= NINE) continue;
    const letter = byte | BRACE_BIT;
    if (letter === 0x65) exponent = true;
    else if (byte !== 0x2e && byte !== 0x2b && byte !== MINUS) break;
  }
  if (!exponent && at - start < SUSPICIOUS_DIGITS) return at - 1;
  const literal = bytes.toString('latin1', start, at);
  return numberFault(literal, start) ?? at - 1;
}

function numberFault(literal: string, at: number): Fault | undefined {
  const parts = JSON_NUMBER.exec(literal);
  if (parts === null) return undefined;
  const value = Number(literal);
  if (isUnsafeInteger(literal, parts)) {
    return fault(
      `integer ${shorten(literal)} at offset ${at} cannot be kept exactly; ` +
        `allowed are integers from -9007199254740991 to 9007199254740991`,
    );
  }
  if (Number.isFinite(value)) return undefined;
  return fault(
    `number ${shorten(literal)} at offset ${at} is too large; ` +
      `allowed are numbers up to ±1.7976931348623157e308`,
  );
}

/** True for an integer beyond ±(2^53−1), and for a whole float that is printed as another one. */
function isUnsafeInteger(literal: string, [, fraction, exponent]: RegExpExecArray): boolean {
  const value = Number(literal);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return false;
  if (fraction === undefined && exponent === undefined) return true;
  if (!Number.isFinite(value)) return false;
  const [written, kept] = [decimalOf(literal), decimalOf(value.toExponential())];
  return written.power >= 0 && written.digits !== kept.digits;
}

/** The digits from the first to the last that is not 0, and the power of ten of the last one. */
function decimalOf(literal: string): { readonly digits: string; readonly power: number } {
  const [mantissa = '', exponent = '0'] = literal.replace('-', '').toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  let end = all.length;
  while (all[end - 1] === '0') end -= 1;
  const digits = all.slice(0, end).replace(/^0+/, '');
  return { digits, power: Number(exponent) - fraction.length + (all.length - end) };
}

function tooDeep(at: number): Fault {
  return fault(
    `nesting deeper than ${MAX_JSON_DEPTH} at offset ${at}; allowed are ${MAX_JSON_DEPTH} levels`,
    'range',
  );
}

function fault(msg: string, type = 'value'): Fault {
  return { loc: ['body'], msg, type };
}

function shorten(literal: string): string {
  return literal.length > SHOWN_LITERAL ? `${literal.slice(0, SHOWN_LITERAL)}…` : literal;
}
