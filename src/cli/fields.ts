import { CommandFailure, EXIT } from './exit';

/**
 * A JSON object from elsewhere, read field by field. Every reader fails in the same words when the
 * field has not the type that it should have: the answer is then not of a service we know.
 */
export class Fields {
  private readonly members: ReadonlyMap<string, unknown>;

  /**
   * @param what the thing in the words of a message, as in "the answer to GET /v1/instances"
   * @throws {CommandFailure} when it is no object
   */
  constructor(
    readonly raw: unknown,
    private readonly what: string,
  ) {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      throw unexpected(`${what} is not an object`);
    }
    this.members = new Map(Object.entries(raw));
  }

  /** @throws {CommandFailure} when it is absent or no text */
  text(name: string): string {
    return this.optionalText(name) ?? this.missing(name, 'text');
  }

  /** Null when absent or null. @throws {CommandFailure} when it is something else than text */
  optionalText(name: string): string | null {
    const value = this.members.get(name) ?? null;
    return value === null || typeof value === 'string' ? value : this.missing(name, 'text');
  }

  /** @throws {CommandFailure} when it is absent or no number */
  number(name: string): number {
    return this.optionalNumber(name) ?? this.missing(name, 'a number');
  }

  /** Null when absent or null. @throws {CommandFailure} when it is something else than a number */
  optionalNumber(name: string): number | null {
    const value = this.members.get(name) ?? null;
    return value === null || typeof value === 'number' ? value : this.missing(name, 'a number');
  }

  /** @throws {CommandFailure} when it is absent or neither true nor false */
  flag(name: string): boolean {
    const value = this.members.get(name);
    return typeof value === 'boolean' ? value : this.missing(name, 'true or false');
  }

  /** The field as it came; undefined when absent. */
  any(name: string): unknown {
    return this.members.get(name);
  }

  /** @throws {CommandFailure} when it is absent or no object */
  object(name: string): Fields {
    return this.optionalObject(name) ?? this.missing(name, 'an object');
  }

  /** Null when absent or null. @throws {CommandFailure} when it is something else than an object */
  optionalObject(name: string): Fields | null {
    const value = this.members.get(name) ?? null;
    return value === null ? null : new Fields(value, `"${name}" of ${this.what}`);
  }

  /** All fields with their numbers, in their order. @throws {CommandFailure} when one is no number */
  numbers(): readonly (readonly [name: string, value: number])[] {
    return [...this.members.keys()].map((name) => [name, this.number(name)] as const);
  }

  /** @throws {CommandFailure} when it is no list of numbers */
  numberList(name: string): readonly number[] {
    const value = this.members.get(name);
    const isIt = Array.isArray(value) && value.every((item) => typeof item === 'number');
    return isIt ? value : this.missing(name, 'a list of numbers');
  }

  /** @throws {CommandFailure} when it is no list of texts */
  textList(name: string): string[] {
    const value = this.members.get(name);
    const isIt = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return isIt ? value : this.missing(name, 'a list of texts');
  }

  /** @throws {CommandFailure} when it is no list of objects */
  list(name: string): readonly Fields[] {
    const value = this.members.get(name);
    return listOf(value, `"${name}" of ${this.what}`);
  }

  private missing(name: string, kind: string): never {
    throw unexpected(`"${name}" of ${this.what} is not ${kind}`);
  }
}

/** @throws {CommandFailure} when it is no list of objects */
export function listOf(value: unknown, what: string): readonly Fields[] {
  if (!Array.isArray(value)) throw unexpected(`${what} is not a list`);
  return value.map((item: unknown, index) => new Fields(item, `item ${index} of ${what}`));
}

function unexpected(what: string): CommandFailure {
  return new CommandFailure(EXIT.failed, `${what}; does this service have another version?`);
}
