import { isUtf8 } from 'node:buffer';
import { SchedulerError } from '../core/errors';
import { findUnkeepable } from './json-scan';

/** What a JSON text means, and the text itself, without a byte order mark. */
export interface ParsedJson {
  readonly value: unknown;
  readonly text: string;
}

/**
 * Reads JSON that came from outside, so that everything it returns can be stored and sent on
 * exactly. Keys named `__proto__` or `constructor` stay own keys; a leading byte order mark is
 * skipped.
 *
 * @param what it is, for messages
 * @throws {SchedulerError} `malformed_body` when it is not UTF-8 or not JSON; `invalid_input` when
 *   it holds what cannot be kept (`findUnkeepable`)
 */
export function parseJson(raw: Buffer, what = 'the body'): ParsedJson {
  if (!isUtf8(raw)) throw new SchedulerError('malformed_body', `${what} is not valid UTF-8`);
  const bytes = withoutByteOrderMark(raw);
  const fault = findUnkeepable(bytes);
  if (fault !== undefined)
    throw new SchedulerError('invalid_input', fault.msg, { faults: [fault] });
  const text = bytes.toString('utf8');
  try {
    return { value: JSON.parse(text) as unknown, text };
  } catch (error) {
    throw new SchedulerError('malformed_body', `${what} is not valid JSON${position(error)}`);
  }
}

function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Of the parser's own words only the offset is shown: the rest repeats pieces of the body. */
function position(error: unknown): string {
  const found = error instanceof Error ? /at position (\d+)/.exec(error.message) : null;
  return found === null ? '' : ` (at character ${found[1] ?? ''})`;
}
