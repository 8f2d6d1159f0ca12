import type { Outcome } from '../../core/task';
import { dispatchId, type DispatchId, type Instant } from '../../core/units';
import type { JsonObject, Plain } from '../../http/dto-fields';
import { payloadText } from '../../http/payload-text';
import { FETCH_RESULT } from '../../tasks/early-reports';
import type { Report, ReportAnswer } from '../../tasks/worker-report';
import type {
  ResultSubmitAnswerDto,
  ResultSubmitDto,
  TaskCompleteAnswerDto,
  TaskCompleteDto,
} from './dto/report.dto';

/** Characters of an error that are kept. */
const LONGEST_ERROR = 4_000;

/** A worker says that it is through; the result is to be fetched from it. */
export function toNotification(dto: Plain<TaskCompleteDto>): Report {
  return {
    taskRef: dto.task_id,
    instanceRef: dto.instance_id,
    dispatchId: null,
    outcome: { kind: 'succeeded', executionMs: dto.execution_time },
    result: FETCH_RESULT,
  };
}

/** The answer to a notification. */
export function notified(
  answer: ReportAnswer,
  { task_id: task, instance_id: instance }: Plain<TaskCompleteDto>,
  now: Instant,
): Plain<TaskCompleteAnswerDto> {
  const unknown = whatIsUnknown(answer, task, instance);
  if (unknown !== undefined) return { status: 'warning', message: unknown, total_time_ms: null };
  return { status: 'success', message: saidOf(answer), total_time_ms: totalTimeMs(answer, now) };
}

/**
 * A worker brings the result of a task, or says that it failed.
 * @param limitBytes a larger result is the failure of the task
 */
export function toResultReport(dto: Plain<ResultSubmitDto>, limitBytes: number): Report {
  const { result, execution_time: executionMs } = dto;
  const text = payloadText(result);
  const message = failureIn(result) ?? sizeFault(text, limitBytes);
  const outcome: Outcome =
    message === undefined
      ? { kind: 'succeeded', executionMs }
      : { kind: 'failed', failure: 'worker_error', message, executionMs };
  return {
    taskRef: dto.task_id,
    instanceRef: dto.instance_id,
    dispatchId: dispatchIdIn(dto.metadata),
    outcome,
    result: message === undefined ? text : null,
  };
}

/** The answer to a result. */
export function resultTaken(
  answer: ReportAnswer,
  { task_id: task, instance_id: instance }: Plain<ResultSubmitDto>,
): Plain<ResultSubmitAnswerDto> {
  const unknown = whatIsUnknown(answer, task, instance);
  if (unknown !== undefined) return { status: 'error', message: unknown };
  return { status: 'success', message: saidOf(answer) };
}

function whatIsUnknown(answer: ReportAnswer, task: string, instance: string): string | undefined {
  switch (answer.kind) {
    case 'unknown_instance':
      return `no instance ${JSON.stringify(instance)} is registered`;
    case 'unknown_task':
      return `instance ${JSON.stringify(instance)} has no task ${JSON.stringify(task)}`;
    case 'recorded':
    case 'repeated':
    case 'kept':
      return undefined;
  }
}

function saidOf({ kind }: ReportAnswer): string {
  switch (kind) {
    case 'repeated':
      return 'known already; nothing changed';
    case 'kept':
      return 'kept until it is known which task this is';
    case 'recorded':
    case 'unknown_instance':
    case 'unknown_task':
      return kind;
  }
}

function totalTimeMs(answer: ReportAnswer, now: Instant): number | null {
  switch (answer.kind) {
    case 'recorded':
      return Math.max(0, (answer.task.finishedAt ?? now) - answer.task.submittedAt);
    case 'repeated':
      return answer.totalMs;
    case 'kept':
    case 'unknown_instance':
    case 'unknown_task':
      return null;
  }
}

/** The message of a result that is nothing but an error; cut where it would never be read. */
function failureIn(result: JsonObject): string | undefined {
  const error = result['error'];
  if (typeof error !== 'string' || Object.keys(result).length !== 1) return undefined;
  return error.slice(0, LONGEST_ERROR).replace(/[\ud800-\udbff]$/, '');
}

function sizeFault(text: string, limitBytes: number): string | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes > limitBytes
    ? `result too large: ${bytes} bytes, allowed are ${limitBytes}`
    : undefined;
}

function dispatchIdIn(metadata: JsonObject | null | undefined): DispatchId | null {
  const id = metadata?.['dispatch_id'];
  return typeof id === 'string' ? dispatchId(id) : null;
}
