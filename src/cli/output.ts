import { once } from 'node:events';
import Table from 'cli-table3';
import { Option } from 'commander';
import colors from 'picocolors';
import type { Fields } from './fields';

/** How a command prints what it found. */
export type OutputFormat = 'table' | 'json';

/** What a verb has found: for programs, and for people. */
export interface View {
  readonly json: unknown;
  /** Lines for people, with a line end. */
  readonly text: () => string;
}

/** One column of a table. */
export interface Column<Row> {
  readonly head: string;
  /** May hold anything: what would upset a terminal is taken out. */
  readonly value: (row: Row) => string;
  /** Default left; numbers stand to the right. */
  readonly align?: 'left' | 'right';
  /** Colors the cell. */
  readonly paint?: (text: string) => string;
}

/** A name with its value, null when there is none, and what colors it. */
export type Entry = readonly [name: string, value: string | null, paint?: (text: string) => string];

/** Lines without borders, two blanks between columns: easy to read, to grep and to copy. */
const BORDERLESS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: '  ',
};

/** `-o table|json`: by default a table on a terminal and JSON in a pipe. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'table on a terminal, json in a pipe').choices([
    'table',
    'json',
  ]);
}

/** The format that was asked for, else the one that fits where the output goes. */
export function formatOf(
  asked: OutputFormat | undefined,
  stream: { readonly isTTY?: boolean } = process.stdout,
): OutputFormat {
  return asked ?? (stream.isTTY === true ? 'table' : 'json');
}

/** A value as JSON, indented, with a line end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Rows as a table with a line end; `none` when there are no rows. */
export function tableText<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  none: string,
): string {
  if (rows.length === 0) return `${none}\n`;
  const table = new Table({
    head: columns.map(({ head }) => colors.bold(head)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: BORDERLESS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) {
    table.push(columns.map(({ value, paint = plain }) => paint(printable(value(row)))));
  }
  return withoutTrailingBlanks(table.toString());
}

/** A list as a table, or as it came. @param none what the table says when there is nothing */
export function listView(
  items: readonly Fields[],
  columns: readonly Column<Fields>[],
  none: string,
): View {
  return {
    json: items.map(({ raw }) => raw),
    text: () => tableText(items, columns, none),
  };
}

/** Prints a finding on standard output, in the format that was asked for. */
export function print(view: View, asked: OutputFormat | undefined): void {
  process.stdout.write(formatOf(asked) === 'json' ? jsonText(view.json) : view.text());
}

/** Writes a list as JSON to standard output while it comes, as fast as it is read there. */
export async function writeJsonList(items: AsyncIterable<unknown>): Promise<void> {
  let before = '[\n';
  for await (const item of items) {
    const text = JSON.stringify(item, null, 2).replaceAll('\n', '\n  ');
    if (!process.stdout.write(`${before}  ${text}`)) await once(process.stdout, 'drain');
    before = ',\n';
  }
  process.stdout.write(before === ',\n' ? '\n]\n' : '[]\n');
}

/** Names and values below each other, values in one column; entries without a value are left out. */
export function recordText(entries: readonly Entry[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  const lines = entries.flatMap(([name, value, paint = plain]) =>
    value === null ? [] : [`${colors.bold(name.padEnd(width))}  ${paint(printable(value))}\n`],
  );
  return lines.join('');
}

/** Text from elsewhere, harmless on a terminal: control characters but tab and line end are `?`. */
export function printable(text: string): string {
  return text.replace(CONTROLS, '?');
}

// eslint-disable-next-line no-control-regex -- these are the characters that must not get through
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A duration in ms as people read it: `840 ms`, `12.3 s`, `4 min 10 s`, `3 h 05 min`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** An instant as local date and time with seconds. @param unixMs Unix ms */
export function instantText(unixMs: number): string {
  const at = new Date(unixMs);
  const two = (part: number): string => String(part).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Colors a state of a task, or the health of an instance; other words stay plain. */
export function paintState(state: string): string {
  return (PAINTS.get(state) ?? plain)(state);
}

const PAINTS: ReadonlyMap<string, (text: string) => string> = new Map([
  ['succeeded', colors.green],
  ['completed', colors.green],
  ['delivered', colors.green],
  ['online', colors.green],
  ['running', colors.cyan],
  ['suspect', colors.yellow],
  ['failed', colors.red],
  ['timed_out', colors.red],
  ['lost', colors.red],
  ['cancelled', colors.yellow],
]);

function plain(text: string): string {
  return text;
}

function withoutTrailingBlanks(text: string): string {
  return `${text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
