import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { InputError } from './input-error';

/** A YAML file that cannot be used; the message names the file, each line and what is wrong there. */
export class YamlFileError extends InputError {
  constructor(what: string, file: string, faults: readonly string[]) {
    super(`${what} ${file}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'YamlFileError';
  }
}

/**
 * Reads a YAML file of that shape.
 * @param what the file is, as in `instances file`
 * @throws {YamlFileError} with every fault and its line
 */
export function readYamlFile<T>(what: string, file: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(textOf(what, file), { lineCounter: lines });
  const broken = document.errors.map(({ message, pos }) => {
    return `line ${lines.linePos(pos[0]).line}: ${message.split('\n')[0] ?? 'is not YAML'}`;
  });
  if (broken.length > 0) throw new YamlFileError(what, file, broken);
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      if (hasRange(node)) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const faults = parsed.error.issues.map(({ path, message }) => {
    return `line ${lineOf(path)}: ${path.join('.') || 'the file'}: ${message}`;
  });
  throw new YamlFileError(what, file, faults);
}

function textOf(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new YamlFileError(what, file, [`cannot be read: ${String(error)}`]);
  }
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
