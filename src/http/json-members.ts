const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** `{` and `[` differ in this bit only, and so do `}` and `]`. */
const BRACE_BIT = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** A text that means what it says. */
const PLAIN_NAME = /^"\w*"$/;

/** One member of a JSON object, as it is written. */
export interface Member {
  readonly name: string;
  /** The text of its value: well-formed only as far as brackets and quotes go. */
  readonly value: string;
}

/**
 * Takes a JSON object apart without reading its values, so that they can be kept as they are and
 * one that is no JSON does not spoil the others.
 *
 * @returns its members in order, repeated names included; undefined when it is not an object
 */
export function membersOf(text: string): readonly Member[] | undefined {
  const parts = partsOf(text, '{', '}');
  if (parts === undefined) return undefined;
  const members: Member[] = [];
  for (const part of parts) {
    const member = memberOf(part);
    if (member === undefined) return undefined;
    members.push(member);
  }
  return members;
}

/** The texts of the items of a JSON list; undefined when it is not a list. */
export function itemsOf(text: string): readonly string[] | undefined {
  return partsOf(text, '[', ']');
}

/** How deep lists and objects are nested in a JSON text: 0 for `1`, 2 for `[{}]`. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = closingQuote(text, at);
    else if ((unit & ~BRACE_BIT) === OPEN) deepest = Math.max(deepest, (depth += 1));
    else if ((unit & ~BRACE_BIT) === CLOSE) depth -= 1;
  }
  return deepest;
}

/** What stands between the commas of a list or object, trimmed. */
function partsOf(text: string, open: string, close: string): string[] | undefined {
  const trimmed = text.trim();
  if (trimmed.length < 2 || !trimmed.startsWith(open) || !trimmed.endsWith(close)) return undefined;
  const inside = trimmed.slice(1, -1);
  if (inside.trim() === '') return [];
  const parts: string[] = [];
  let start = 0;
  while (start <= inside.length) {
    const end = endOfPart(inside, start);
    if (end === undefined) return undefined;
    const part = inside.slice(start, end).trim();
    if (part === '') return undefined;
    parts.push(part);
    start = end + 1;
  }
  return parts;
}

/** Offset of the comma behind the part, or the text's length; undefined when it is unbalanced. */
function endOfPart(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = closingQuote(text, at);
      if (at === text.length) return undefined;
    } else if (unit === COMMA) {
      if (depth === 0) return at;
    } else if ((unit & ~BRACE_BIT) === OPEN) {
      depth += 1;
    } else if ((unit & ~BRACE_BIT) === CLOSE) {
      depth -= 1;
      if (depth < 0) return undefined;
    }
  }
  return depth === 0 ? text.length : undefined;
}

function memberOf(part: string): Member | undefined {
  if (part.charCodeAt(0) !== QUOTE) return undefined;
  const close = closingQuote(part, 0);
  const rest = part.slice(close + 1).trimStart();
  if (rest.charCodeAt(0) !== COLON) return undefined;
  const name = textOf(part.slice(0, close + 1));
  const value = rest.slice(1).trimStart();
  return name === undefined || value === '' ? undefined : { name, value };
}

/** Offset of the closing quote of the string that begins at `open`; the text's length without one. */
function closingQuote(text: string, open: number): number {
  for (let at = open + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    if (!isEscaped(text, at)) return at;
  }
}

/** True for what stands behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text.charCodeAt(start - 1) === BACKSLASH) start -= 1;
  return (at - start) % 2 === 1;
}

function textOf(literal: string): string | undefined {
  if (PLAIN_NAME.test(literal)) return literal.slice(1, -1);
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
