import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, Pair, parseDocument } from 'yaml';
import { ConfigFault, shownValue } from './config-error';

/** One entry of the file. Its key is not known to be a setting yet. */
export interface FileEntry {
  readonly key: string;
  readonly value: unknown;
  /** `foresail.yaml:3` */
  readonly where: string;
}

/** What a file holds, and what keeps it from being read. */
export interface FileContent {
  readonly entries: readonly FileEntry[];
  readonly faults: readonly ConfigFault[];
}

/**
 * Reads a YAML file of settings: one flat mapping. Nothing is thrown: an unreadable file, wrong
 * YAML (each place with its line) and a file that is no mapping are faults.
 *
 * @param namedBy what named the file (`FORESAIL_CONFIG`, `--config`), for the faults
 */
export function readConfigFile(path: string, namedBy: string): FileContent {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const msg = `the file ${shownValue(path)} cannot be read${reason(error)}`;
    return { entries: [], faults: [{ name: namedBy, where: 'settings file', msg }] };
  }
  return parseEntries(path, text);
}

function reason(error: unknown): string {
  const known = typeof error === 'object' && error !== null && 'code' in error;
  return known ? ` (${String(error.code)})` : '';
}

function parseEntries(path: string, text: string): FileContent {
  const lineCounter = new LineCounter();
  // A key that stands twice is a fault of its setting, told with all others: see `readFile`.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  const at = (offset: number): string => `${path}:${lineCounter.linePos(offset).line}`;
  const faults = document.errors.map(({ code, message, pos }): ConfigFault => ({
    name: code,
    where: at(pos[0]),
    msg: message,
  }));
  const { contents } = document;
  if (faults.length > 0 || contents === null) return { entries: [], faults };
  if (!isMap(contents)) {
    const msg = 'the file must be a mapping of setting names to values';
    return { entries: [], faults: [{ name: 'settings', where: at(0), msg }] };
  }
  const entries = contents.items.map((pair: Pair): FileEntry => {
    const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    const key = isScalar(pair.key) ? String(pair.key.value) : 'a key that is not a name';
    return { key, value: plain(pair.value), where: at(offset) };
  });
  return { entries, faults };
}

/** Lists and mappings of the parser as plain JavaScript values. */
function plain(value: unknown): unknown {
  return isNodeWithJson(value) ? value.toJSON() : value;
}

function isNodeWithJson(value: unknown): value is { toJSON(): unknown } {
  return typeof value === 'object' && value !== null && 'toJSON' in value;
}
