/** What a worker has to do. */
export interface Load {
  readonly currentTasks: number;
  /** The tasks themselves; null: it only counts them. */
  readonly taskIds: readonly string[] | null;
}

/** Bounds of the heartbeat (docs/dtask.md). */
const MOST_TASKS = 1_000_000;
const MOST_TASK_IDS = 10_000;
const LONGEST_TASK_ID = 256;
const SHOWN_CHARACTERS = 80;

/**
 * Reads a whole number (`2`), or `{"current_tasks": 2, "task_ids": ["a", "b"]}` of which either may
 * be missing; the count is then that of the ids.
 *
 * @throws {Error} that says what is wrong, and what is allowed
 */
export function parseLoad(text: string): Load {
  const value = jsonIn(text);
  if (typeof value === 'number') return { currentTasks: countIn(value), taskIds: null };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw neither(text);
  const { task_ids: ids = null, current_tasks: count = null } = value as Readonly<
    Record<string, unknown>
  >;
  const taskIds = ids === null ? null : idsIn(ids);
  if (count === null && taskIds === null) throw neither(text);
  return { currentTasks: countIn(count ?? taskIds?.length), taskIds };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw neither(text);
  }
}

function countIn(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TASKS) {
    return value as number;
  }
  const what = shown(JSON.stringify(value));
  throw new Error(`current_tasks must be a whole number from 0 to ${MOST_TASKS}; got ${what}`);
}

function idsIn(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every(isTaskId)) {
    throw new Error(`task_ids must be a list of texts of 1 to ${LONGEST_TASK_ID} characters`);
  }
  if (value.length <= MOST_TASK_IDS) return value;
  throw new Error(`task_ids must be at most ${MOST_TASK_IDS}; got ${value.length}`);
}

function isTaskId(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= LONGEST_TASK_ID;
}

function neither(text: string): Error {
  const allowed = 'a whole number, or {"current_tasks": 2, "task_ids": ["a", "b"]}';
  const got = text.trim() === '' ? 'nothing' : shown(text.trim());
  return new Error(`${allowed} is needed; got ${got}`);
}

function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
