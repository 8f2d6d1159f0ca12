import { depthOf } from '../http/json-members';

/** How deep lists and objects of a result may be nested. */
export const MAX_RESULT_DEPTH = 64;

/** Every escape of a JSON text; its code unit when it is a numeric one. */
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|.)/g;
const LOW_SURROGATE = /^\\u[dD][c-fC-F][0-9a-fA-F]{2}$/;
const NUMERIC_ESCAPE_LENGTH = 6;

/**
 * What is wrong with a JSON text that is to be stored, sent on and read by others: not JSON, NUL,
 * a lone surrogate, or nesting deeper than `MAX_RESULT_DEPTH`. PostgreSQL's `json` takes the middle
 * two and fails only when somebody reads them.
 *
 * @param text decoded from valid UTF-8, so that a lone surrogate can only be an escape
 * @returns undefined when nothing is wrong
 */
export function jsonFault(text: string): string | undefined {
  if (depthOf(text) > MAX_RESULT_DEPTH) return `nesting deeper than ${MAX_RESULT_DEPTH} levels`;
  if (!isJson(text)) return 'not valid JSON';
  return escapeFault(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function escapeFault(text: string): string | undefined {
  if (!text.includes('\\u')) return undefined;
  let pairedUntil = 0;
  for (const { index, 1: digits } of text.matchAll(ESCAPE)) {
    if (digits === undefined || index < pairedUntil) continue;
    const unit = parseInt(digits, 16);
    if (unit === 0) return 'NUL (\\u0000) in a string';
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = index + NUMERIC_ESCAPE_LENGTH;
    const isPair =
      unit < 0xdc00 && LOW_SURROGATE.test(text.slice(next, next + NUMERIC_ESCAPE_LENGTH));
    if (!isPair) return `lone surrogate (\\u${digits}) in a string`;
    pairedUntil = next + NUMERIC_ESCAPE_LENGTH;
  }
  return undefined;
}
