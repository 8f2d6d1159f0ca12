import { AnswerFault, shown } from '../outgoing/answer-fault';
import { itemsOf, membersOf } from '../http/json-members';

/** Characters of a name or id at most. */
const LONGEST_NAME = 512;
const NUMBER = /^-?\d/;
const UNPRINTABLE = /[\p{Surrogate}\p{Cc}]/u;

/**
 * The members of one JSON object of an answer. Each is read on its own, so that one that is not
 * JSON (a `NaN`, say) spoils nothing but itself.
 */
export class AnswerFields {
  private constructor(private readonly members: ReadonlyMap<string, string>) {}

  /** @throws {AnswerFault} when it is not an object */
  static of(text: string): AnswerFields {
    const members = membersOf(text);
    if (members === undefined) throw new AnswerFault(`expected a JSON object, got ${shown(text)}`);
    return new AnswerFields(new Map(members.map(({ name, value }) => [name, value])));
  }

  /** The JSON text of a member; undefined when it is absent or null. */
  raw(name: string): string | undefined {
    const text = this.members.get(name);
    return text === 'null' ? undefined : text;
  }

  /** The value of a member; undefined when it is absent, null, or not JSON. */
  value(name: string): unknown {
    const text = this.raw(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  }

  /** @throws {AnswerFault} when it is there, and not an object */
  object(name: string): AnswerFields | undefined {
    const text = this.raw(name);
    return text === undefined ? undefined : AnswerFields.of(text);
  }

  /**
   * A name or id: a text of 1 to so many characters, by default 512, or a number, which is kept as
   * it is written.
   * @throws {AnswerFault} for anything else
   */
  id(name: string, longest = LONGEST_NAME): string {
    const text = this.raw(name) ?? '';
    const value = this.value(name);
    const id = typeof value === 'number' && NUMBER.test(text) ? text : value;
    const isId = typeof id === 'string' && id.length > 0 && id.length <= longest;
    if (isId && !UNPRINTABLE.test(id)) return id;
    throw this.wrong(name, `a text of 1 to ${longest} characters`);
  }

  /** @throws {AnswerFault} when it is not a text */
  text(name: string): string {
    const value = this.value(name);
    if (typeof value === 'string') return value;
    throw this.wrong(name, 'a text');
  }

  /** @throws {AnswerFault} when it is not a list of texts */
  texts(name: string): readonly string[] {
    const value = this.value(name);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw this.wrong(name, 'a list of texts');
  }

  /** @throws {AnswerFault} when it is not a whole number from 0 to `most` */
  count(name: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name);
    if (Number.isInteger(value) && within(value, 0, most)) return value;
    throw this.wrong(name, `a whole number from 0 to ${most}`);
  }

  /** @throws {AnswerFault} when it is not a number from 0 to `most` */
  duration(name: string, most: number): number {
    const value = this.value(name);
    if (within(value, 0, most)) return value;
    throw this.wrong(name, `a number from 0 to ${most}`);
  }

  private wrong(name: string, allowed: string): AnswerFault {
    const text = this.members.get(name);
    const given = text === undefined ? 'absent' : shown(text);
    return new AnswerFault(`${name} is ${given}; expected ${allowed}`);
  }
}

/** True for a number within the bounds, both included; false for anything else, NaN too. */
export function within(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

/** @throws {AnswerFault} when it is not a list of objects */
export function fieldsOfItems(text: string): readonly AnswerFields[] {
  const items = itemsOf(text);
  if (items === undefined) throw new AnswerFault(`expected a JSON list, got ${shown(text)}`);
  return items.map((item) => AnswerFields.of(item));
}
