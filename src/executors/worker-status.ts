import type { WorkerProtocol } from '../core/instance';
import { LONGEST_QUEUE_NAME } from '../core/units';
import { AnswerFields, within } from './answer-fields';

/** Slots that one instance can have. */
const MOST_SLOTS = 4_096;
/** A year: no queue is longer, and sums of such waits stay finite. */
const LONGEST_WAIT_MS = 366 * 86_400_000;
/** Speeds beyond these are a mistake or a lie; they would make every wait 0 or endless. */
const SPEED = { least: 0.001, most: 1_000 };

/** What a task instance says of itself. */
export interface WorkerStatus {
  /** Its own name. */
  readonly name: string;
  /** Null when it serves none. */
  readonly model: string | null;
  /** Replicas that run: tasks that it executes at the same time. */
  readonly slots: number;
  /** Tasks that wait there. */
  readonly queueSize: number;
  /** It says that it executes nothing. */
  readonly idle: boolean;
  /** It knows attempts by our dispatch ids, and so can prove that it does not have one. */
  readonly dispatchIds: boolean;
  /** It finishes what it has and takes nothing more. */
  readonly draining: boolean;
  /** Work per ms, from 0.001 to 1 000; null when it does not say, or nothing possible. */
  readonly speed: number | null;
}

/** Who answers at an address, and in which words. */
export interface WorkerIdentity {
  readonly protocol: WorkerProtocol;
  readonly status: WorkerStatus;
}

/** What a task instance predicts for its own queue. */
export interface WorkerPrediction {
  /** Mean wait of a task that came now, in ms. */
  readonly expectedMs: number;
  /** Standard deviation of it, in ms. */
  readonly errorMs: number;
  readonly queueSize: number;
}

/** Reads `GET /status`. */
export function readStatus(text: string): WorkerStatus {
  const fields = AnswerFields.of(text);
  return {
    name: fields.id('instance_id'),
    model: modelIn(fields, 'model_type'),
    slots: fields.count('replicas_running', MOST_SLOTS),
    queueSize: fields.count('queue_size'),
    idle: fields.text('status') === 'idle',
    ...extensionsIn(fields),
  };
}

/** Reads `GET /info` of the later generation, which has no name of its own. */
export function readInfo(text: string, address: string): WorkerStatus {
  const fields = AnswerFields.of(text);
  const deployed = fields.object('deployed_model');
  return {
    name: address,
    model: deployed?.id('model_name', LONGEST_QUEUE_NAME) ?? null,
    slots: deployed?.count('replicas', MOST_SLOTS) ?? 0,
    queueSize: fields.object('queue_info')?.count('length_of_queue') ?? 0,
    idle: fields.text('instance_status') === 'idle',
    ...extensionsIn(fields),
  };
}

/** Reads `POST /queue/predict`, and the same members of `GET /queue/status`. */
export function readPrediction(text: string): WorkerPrediction {
  const fields = AnswerFields.of(text);
  return {
    expectedMs: fields.duration('expected_ms', LONGEST_WAIT_MS),
    errorMs: fields.duration('error_ms', LONGEST_WAIT_MS),
    queueSize: fields.count('queue_size'),
  };
}

/** A model's name; an empty one is none. */
function modelIn(fields: AnswerFields, name: string): string | null {
  const isNone = fields.raw(name) === undefined || fields.value(name) === '';
  return isNone ? null : fields.id(name, LONGEST_QUEUE_NAME);
}

function extensionsIn(
  fields: AnswerFields,
): Pick<WorkerStatus, 'dispatchIds' | 'draining' | 'speed'> {
  const speed = fields.value('speed');
  return {
    dispatchIds: fields.value('dispatch_ids') === true,
    draining: fields.value('draining') === true,
    speed: within(speed, SPEED.least, SPEED.most) ? speed : null,
  };
}
