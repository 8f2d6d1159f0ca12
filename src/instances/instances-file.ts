import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

/** One entry of the file. */
export interface FileInstance {
  readonly host: string;
  readonly port: number;
  readonly modelName: string | undefined;
}

/** The instances file cannot be used; the message names the file, the line and what is wrong. */
export class InstancesFileError extends Error {
  constructor(file: string, faults: readonly string[]) {
    super(`instances file ${file}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'InstancesFileError';
  }
}

const ENTRY = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  model_name: z.string().min(1).max(256).optional(),
});
const FILE = z.strictObject({ instances: z.array(ENTRY) });

/**
 * Reads `instances: [{host, port, model_name?}]` (contracts/swarmpilot).
 * @throws {InstancesFileError} with every fault and its line
 */
export function readInstancesFile(file: string): readonly FileInstance[] {
  const lines = new LineCounter();
  const document = parseDocument(read(file), { lineCounter: lines });
  const broken = document.errors.map(({ message, pos }) => {
    return `line ${lines.linePos(pos[0]).line}: ${message.split('\n')[0] ?? 'is not YAML'}`;
  });
  if (broken.length > 0) throw new InstancesFileError(file, broken);
  const parsed = FILE.safeParse(document.toJS());
  if (parsed.success) {
    return parsed.data.instances.map(({ host, port, model_name: modelName }) => {
      return { host, port, modelName };
    });
  }
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
  throw new InstancesFileError(file, faults);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InstancesFileError(file, [`cannot be read: ${String(error)}`]);
  }
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
