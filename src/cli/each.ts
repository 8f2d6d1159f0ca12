import { RefusedError, type ApiClient } from './api-client';
import { withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT } from './exit';
import type { Fields } from './fields';
import { print, tableText, type Column } from './output';

/** What came of one of several things that were asked for. */
interface Outcome {
  /** As it was given on the command line. */
  readonly id: string;
  readonly answer: Fields | null;
  /** Why not; null when it was done. */
  readonly error: string | null;
}

/** The same call for several ids. */
export interface EachCall {
  readonly ids: readonly string[];
  readonly call: (client: ApiClient, id: string) => Promise<Fields>;
  /** What an answer is, in JSON: `task`, `instance`. */
  readonly name: string;
  /** What people want to know of an answer. */
  readonly columns: readonly Column<Fields>[];
}

/** Refusals that are about one id; any other would meet the next one too. */
const ABOUT_ONE = new Set([400, 404, 409, 422]);

/**
 * Makes a call for each id, in order, and prints what came of each.
 * @throws {CommandFailure} failed, when some were refused; or what ended it before the last
 */
export async function callEach(flags: ClientFlags, each: EachCall): Promise<void> {
  const outcomes: Outcome[] = [];
  try {
    await withClient(flags, async (client) => {
      for (const id of each.ids) outcomes.push(await outcomeOf(id, each, client));
    });
  } finally {
    if (outcomes.length > 0) printOutcomes(outcomes, each, flags);
  }
  const refused = outcomes.filter(({ error }) => error !== null).length;
  if (refused === 0) return;
  throw new CommandFailure(EXIT.failed, `${refused} of ${outcomes.length} refused`);
}

async function outcomeOf(id: string, { call }: EachCall, client: ApiClient): Promise<Outcome> {
  try {
    return { id, answer: await call(client, id), error: null };
  } catch (error) {
    if (!(error instanceof RefusedError) || !ABOUT_ONE.has(error.status)) throw error;
    return { id, answer: null, error: error.message };
  }
}

function printOutcomes(
  outcomes: readonly Outcome[],
  { name, columns }: EachCall,
  { output }: ClientFlags,
): void {
  const json = outcomes.map(({ id, answer, error }) => ({
    id,
    [name]: answer?.raw ?? null,
    error,
  }));
  print({ json, text: () => tableText(outcomes, outcomeColumns(columns), '') }, output);
}

function outcomeColumns(columns: readonly Column<Fields>[]): readonly Column<Outcome>[] {
  const answered = columns.map(({ head, align = 'left', value, paint }): Column<Outcome> => {
    const column = { head, align, value: readAnswer(value) };
    return paint === undefined ? column : { ...column, paint };
  });
  const error = { head: 'ERROR', value: (outcome: Outcome): string => outcome.error ?? '' };
  return [{ head: 'ID', value: ({ id }) => id }, ...answered, error];
}

function readAnswer(value: (answer: Fields) => string): (outcome: Outcome) => string {
  return ({ answer }) => (answer === null ? '–' : value(answer));
}
