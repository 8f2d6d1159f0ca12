/** A state that no predictor of this version has written. */
export class DamagedStateError extends Error {
  constructor(expected: string, found: unknown) {
    super(`expected ${expected}, found ${excerptOf(found)}`);
    this.name = 'DamagedStateError';
  }
}

const LONGEST_EXCERPT = 100;

function excerptOf(found: unknown): string {
  return found === undefined ? 'nothing' : JSON.stringify(found).slice(0, LONGEST_EXCERPT);
}

// Readers of what was JSON: every one throws a DamagedStateError for anything but what it is to read.

export function fieldsIn(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DamagedStateError('an object', value);
  }
  return value as Readonly<Record<string, unknown>>;
}

export function listIn(value: unknown, most = Infinity): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) {
    throw new DamagedStateError(`a list of at most ${most} items`, value);
  }
  return value;
}

export function numberIn(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new DamagedStateError('a number', value);
  }
  return value;
}

export function textIn(value: unknown): string {
  if (typeof value !== 'string') throw new DamagedStateError('a text', value);
  return value;
}

/** @param count how many numbers it must be; absent: any */
export function numbersIn(value: unknown, count?: number): number[] {
  const numbers = listIn(value).map(numberIn);
  if (count !== undefined && numbers.length !== count) {
    throw new DamagedStateError(`${count} numbers`, value);
  }
  return numbers;
}
