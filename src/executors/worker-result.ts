import { isUtf8 } from 'node:buffer';
import { jsonFault } from './acceptable-json';
import { AnswerFault, decode, shown } from '../outgoing/answer-fault';
import { printable } from '../outgoing/printable';
import { AnswerFields, fieldsOfItems, within } from './answer-fields';

/** 60 days: no attempt is counted for longer, so no execution can have taken longer. */
const LONGEST_EXECUTION_MS = 60 * 86_400_000;
const LONGEST_ERROR_CHARACTERS = 4_000;

const STATES = ['queued', 'running', 'completed', 'failed'] as const;

/** What a task instance says of one task that it was given. */
export interface WorkerResult {
  /** Its own id of the task. */
  readonly remoteId: string;
  readonly state: (typeof STATES)[number];
  /**
   * JSON text of the result as the worker wrote it, safe to store; null before the end, and where
   * there is none.
   */
  readonly resultText: string | null;
  /** Why it failed; null for anything else, and where it does not say. */
  readonly error: string | null;
  /** How long it ran; null where it does not say, or nothing possible. */
  readonly executionMs: number | null;
}

/** Reads `GET /results/{task_id}`. @throws {AnswerFault} also when it is of another task */
export function readResult(bytes: Buffer, asked: string, limitBytes: number): WorkerResult {
  // Not decoded strictly: a result that is not UTF-8 ends its task, and the rest must be read.
  const fields = AnswerFields.of(bytes.toString('utf8'));
  const remoteId = fields.raw('task_id') === undefined ? asked : fields.id('task_id');
  if (remoteId !== asked) throw new AnswerFault(`the answer is of task ${shown(remoteId)}`);
  return resultIn(fields, remoteId, { limitBytes, isText: isUtf8(bytes) });
}

/** Reads `GET /results`. */
export function readResults(bytes: Buffer, limitBytes: number): readonly WorkerResult[] {
  return fieldsOfItems(decode(bytes)).map((fields) =>
    resultIn(fields, fields.id('task_id'), { limitBytes, isText: true }),
  );
}

/**
 * Reads `GET /results?dispatch_id=`.
 * @throws {AnswerFault} also when it lists other attempts only: then the worker does not know the
 *   parameter, and what is missing from its list proves nothing
 */
export function readAttempt(
  bytes: Buffer,
  dispatchId: string,
  limitBytes: number,
): WorkerResult | 'absent' {
  const listed = fieldsOfItems(decode(bytes));
  const found = listed.find((fields) => fields.value('dispatch_id') === dispatchId);
  if (found) return resultIn(found, found.id('task_id'), { limitBytes, isText: true });
  if (listed.length === 0) return 'absent';
  throw new AnswerFault('the list is of other attempts');
}

/** The result of a task whose answer was too large to be read. */
export function tooLarge(remoteId: string, limitBytes: number): WorkerResult {
  const error = `result too large; allowed are ${limitBytes} bytes`;
  return { remoteId, state: 'failed', resultText: null, error, executionMs: null };
}

interface ResultRules {
  readonly limitBytes: number;
  /** False when the bytes were not UTF-8, so that the text is not what the worker meant. */
  readonly isText: boolean;
}

function resultIn(fields: AnswerFields, remoteId: string, rules: ResultRules): WorkerResult {
  const state = stateIn(fields);
  if (state === 'queued' || state === 'running') {
    return { remoteId, state, resultText: null, error: null, executionMs: null };
  }
  const time = fields.value('execution_time');
  const executionMs = within(time, 0, LONGEST_EXECUTION_MS) ? time : null;
  const text = fields.raw('result');
  const fault = text === undefined ? undefined : resultFault(text, rules);
  const isFailed = state === 'failed' || fault !== undefined;
  return {
    remoteId,
    state: isFailed ? 'failed' : 'completed',
    resultText: fault === undefined ? (text ?? null) : null,
    error: state === 'failed' ? (errorIn(fields) ?? fault ?? null) : (fault ?? null),
    executionMs,
  };
}

function stateIn(fields: AnswerFields): WorkerResult['state'] {
  const said = fields.text('status');
  const state = STATES.find((known) => known === said);
  if (state !== undefined) return state;
  throw new AnswerFault(`status is ${shown(said)}; expected one of ${STATES.join(', ')}`);
}

/** The worker's own message; one that is no text is shown as JSON. */
function errorIn(fields: AnswerFields): string | undefined {
  const value = fields.value('error');
  const text = typeof value === 'string' ? value : fields.raw('error');
  return text === undefined ? undefined : printable(text.slice(0, LONGEST_ERROR_CHARACTERS));
}

function resultFault(text: string, { limitBytes, isText }: ResultRules): string | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > limitBytes) return `result too large: ${bytes} bytes, allowed are ${limitBytes}`;
  const fault = isText ? jsonFault(text) : 'not UTF-8';
  return fault === undefined ? undefined : `unreadable result: ${fault}`;
}
