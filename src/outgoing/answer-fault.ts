import { isUtf8 } from 'node:buffer';

const SHOWN_CHARACTERS = 60;

/** An answer that is not what the contract says. */
export class AnswerFault extends Error {}

/** @throws {AnswerFault} when the bytes are not UTF-8 */
export function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new AnswerFault('the answer is not UTF-8');
  return bytes.toString('utf8');
}

/** The beginning of a text, quoted. */
export function shown(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return JSON.stringify(cut);
}
