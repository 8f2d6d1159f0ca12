import { markdownTable } from './markdown';
import type { Limits } from './limits';
import type { Surroundings } from './surroundings';

/** One line of the results. */
export interface Row {
  /** Of the list of figures to reach, as in `P1`. */
  readonly id: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the machine itself did in the same moments, in the same unit. */
  readonly limit?: number;
  /** What `limit` is of, as in `Nest echo`. */
  readonly of?: string;
  /** The value over the limit, round by round. */
  readonly ratio?: number;
  /** In words; absent: the row stands beside others. */
  readonly goal?: string;
  readonly reached?: boolean;
}

/** How long things take. */
export interface Extent {
  /** Of one round of a load. */
  readonly seconds: number;
  readonly rounds: number;
  /** Tasks, instances and the like, as a share of what the figure asks for. */
  readonly scale: number;
  /** Finished tasks on record, where that matters. */
  readonly history: number;
}

/** What a figure is measured in. */
export interface Stage {
  readonly surroundings: Surroundings;
  readonly limits: Limits;
  readonly extent: Extent;
}

/** Measures one of the figures. */
export type Figure = (stage: Stage) => Promise<readonly Row[]>;

const HEAD = ['figure', 'what', 'measured', 'this machine, same run', 'ratio', 'to reach', ''];

/** The rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  return markdownTable(HEAD, rows.map(cellsOf), 2);
}

/** One row in words. */
export function cellsOf(row: Row): readonly string[] {
  const { id, what, value, unit, limit, of = '', ratio, goal = '', reached } = row;
  const beside = limit === undefined ? '' : `${of} ${amount(limit, unit)}`;
  const verdict = reached === undefined ? '' : reached ? 'reached' : '**missed**';
  return [id, what, amount(value, unit), beside, ratio?.toFixed(2) ?? '', goal, verdict];
}

/** With the digits that mean something. */
function amount(value: number, unit: string): string {
  if (Number.isNaN(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toFixed(digits).replace(/\B(?=(\d{3})+$)/g, ' ');
  return unit === '' ? text : unit.startsWith('/') ? `${text}${unit}` : `${text} ${unit}`;
}
