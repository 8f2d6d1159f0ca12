import type { Instant } from '../core/units';
import type { ForgottenAttempt } from './task-book';
import type { Execution, TaskRecord } from './task-record';

/**
 * JSON texts of tasks. A result is kept as text and set in as text: it was serialised once, when
 * the execution ended, and is neither parsed nor copied again.
 */

/** The body of a report of this execution to the scheduler. */
export function reportJson(record: TaskRecord, execution: Execution, instanceId: string): string {
  const { taskId, dispatchId } = record.identity;
  return object({
    task_id: JSON.stringify(record.remoteId),
    instance_id: JSON.stringify(instanceId),
    execution_time: JSON.stringify(execution.executionMs),
    result: execution.resultJson ?? JSON.stringify({ error: execution.error }),
    metadata: JSON.stringify({ ...execution.facts, task_id: taskId, dispatch_id: dispatchId }),
    replica_id: JSON.stringify(execution.replicaId),
  });
}

/** The task as `/results` shows it. Times that are not known yet are null. */
export function taskJson(record: TaskRecord, now: Instant): string {
  const { receipt, dispatchId } = record.identity;
  const settled = record.phase.kind === 'settled' ? record.phase.execution : null;
  return object({
    task_id: JSON.stringify(receipt.remoteId),
    result: settled?.resultJson ?? 'null',
    status: JSON.stringify(statusOf(record)),
    error: JSON.stringify(settled?.error ?? null),
    enqueue_time: JSON.stringify(receipt.enqueuedWallMs / 1000),
    completion_time: JSON.stringify(settled === null ? null : settled.finishedWallMs / 1000),
    wait_time: JSON.stringify(record.waitMs(now)),
    execution_time: JSON.stringify(settled?.executionMs ?? null),
    total_time: JSON.stringify(settled === null ? null : settled.waitMs + settled.executionMs),
    dispatch_id: JSON.stringify(dispatchId),
  });
}

/** An attempt whose result is no longer kept, as `/results?dispatch_id=` shows it. */
export function forgottenJson({ receipt, ok }: ForgottenAttempt, dispatchId: string): string {
  return JSON.stringify({
    task_id: receipt.remoteId,
    result: null,
    status: ok ? 'completed' : 'failed',
    error: ok ? null : 'failed; the message is no longer kept',
    enqueue_time: receipt.enqueuedWallMs / 1000,
    completion_time: null,
    wait_time: null,
    execution_time: null,
    total_time: null,
    dispatch_id: dispatchId,
  });
}

function statusOf({ phase }: TaskRecord): 'queued' | 'running' | 'completed' | 'failed' {
  if (phase.kind !== 'settled') return phase.kind;
  return phase.execution.ok ? 'completed' : 'failed';
}

/** An object whose members are JSON texts already. */
function object(members: Readonly<Record<string, string>>): string {
  const texts = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${texts.join(',')}}`;
}
