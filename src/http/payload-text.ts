import { itemsOf, membersOf } from './json-members';
import { jsonText } from './json-text';

type Values = Readonly<Record<string, unknown>>;

/** How the objects of bodies were written, for as long as somebody holds them. */
const WRITTEN = new WeakMap<object, string>();

/**
 * Remembers how the payloads of a body were written: the objects among its members, and among
 * those of the items of its lists, as the tasks of a batch are.
 *
 * @param text the body's own text, known to be JSON
 */
export function rememberPayloads(body: object, text: string): void {
  for (const { name, value } of membersOf(text) ?? []) {
    const member = (body as Values)[name];
    if (!isObject(member)) continue;
    if (Array.isArray(member)) rememberItems(member, value);
    else WRITTEN.set(member, value);
  }
}

function rememberItems(list: readonly unknown[], text: string): void {
  for (const [index, item] of (itemsOf(text) ?? []).entries()) {
    const body = list[index];
    if (!isObject(body)) continue;
    for (const { name, value } of membersOf(item) ?? []) {
      const member = (body as Values)[name];
      if (isObject(member)) WRITTEN.set(member, value);
    }
  }
}

/**
 * The JSON text of a payload, character by character as it came in its body: parsed and printed
 * again, `-0` and names that come twice would be lost, and members change places. An object that
 * came in no body is printed.
 */
export function payloadText(payload: object): string {
  const written = WRITTEN.get(payload);
  // A copy: a slice would keep the whole body in memory for as long as the payload is kept.
  return written === undefined ? jsonText(payload) : Buffer.from(written).toString();
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
