import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { INVARIANT_QUERIES, type InvariantQuery } from './invariant-queries';
import { answered } from './store';

/** Something on the record that must not be. */
export interface Violation {
  /** As in `I5`. */
  readonly invariant: string;
  /** What the rule says. */
  readonly rule: string;
  /** Whose row it is, and what is wrong with it. */
  readonly subject: string;
  readonly detail: string;
}

/** Those that read live rows only: their cost does not grow with the history. */
const CHECKED = INVARIANT_QUERIES.filter(({ reads }) => reads === 'live');

/** Rules that are checked in production, as in `I5`. */
export const CHECKED_INVARIANTS: readonly string[] = [...new Set(CHECKED.map(codeOf))];

/** Rows of one rule that are told of: the first ones say what is wrong. */
const MOST_PER_RULE = 10;

/** Looks for what must not be on the record (RELIABILITY_MODEL, section 9). */
@Injectable()
export class InvariantsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** One rule after the other, so that it takes one connection. @throws {StoreUnavailableError} */
  async violations(): Promise<readonly Violation[]> {
    const found: Violation[] = [];
    for (const query of CHECKED) {
      const text = `SELECT * FROM (${query.sql}) broken LIMIT ${MOST_PER_RULE}`;
      const rows = await answered(() =>
        this.dataSource.query<Pick<Violation, 'subject' | 'detail'>[]>(text),
      );
      const invariant = codeOf(query);
      found.push(...rows.map((row) => ({ invariant, rule: query.name, ...row })));
    }
    return found;
  }
}

function codeOf({ name }: InvariantQuery): string {
  return name.slice(0, name.indexOf(' '));
}
