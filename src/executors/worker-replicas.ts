import { AnswerFields } from './answer-fields';
import { printable } from '../outgoing/printable';

/** Characters of a detail, or of a replica's name, that are passed on. */
const SHOWN_CHARACTERS = 300;

/** What a task instance says after replicas were to be started. */
export interface ReplicasStarted {
  /** In its own words; empty when it has none. */
  readonly detail: string;
  readonly started: number;
  /** How many there are then. */
  readonly total: number;
}

/** What a task instance says after replicas were to be stopped. */
export interface ReplicasStopped {
  /** In its own words; empty when it has none. */
  readonly detail: string;
  /** Names of those that were stopped, as far as it says. */
  readonly stopped: readonly string[];
  /** How many are left. */
  readonly remaining: number;
}

/** Reads the answer of `POST /models/start`. */
export function readReplicasStarted(text: string): ReplicasStarted {
  const fields = AnswerFields.of(text);
  return {
    detail: shortened(fields.value('detail')),
    started: fields.count('replicas_started'),
    total: fields.count('total_replicas'),
  };
}

/** Reads the answer of `POST /models/stop`. */
export function readReplicasStopped(text: string): ReplicasStopped {
  const fields = AnswerFields.of(text);
  return {
    detail: shortened(fields.value('detail')),
    stopped: fields.texts('stopped_replicas').map(shortened),
    remaining: fields.count('remaining_replicas'),
  };
}

/** A text of the worker's as it may be shown; empty for whatever is no text. */
function shortened(text: unknown): string {
  return typeof text === 'string' ? printable(text.slice(0, SHOWN_CHARACTERS)) : '';
}
