import type { AlertKind } from '../config/alert-settings';
import type { AlertDraft, AlertingEnd } from '../persistence/alerts.repository';

const KINDS = { failed: 'job_failed', timed_out: 'job_timed_out' } as const satisfies Record<
  AlertingEnd['state'],
  AlertKind
>;

/** What an alert tells, without what the raising adds. */
export type News = Omit<AlertDraft, 'id' | 'leftOut'> & { readonly kind: AlertKind };

/** The end of a job as it is told. Its command is not in it: commands may hold secrets. */
export function jobNews(end: AlertingEnd): News {
  const { eventId, state, at, taskId, host, attempt, retries, failureKind } = end;
  const { project, design, owner } = membersOf(end.metadata);
  const exitCode = membersOf(end.result)['exit_code'];
  const details = {
    ...{ job_id: taskId, status: state === 'failed' ? 'FAILED' : 'TIMEOUT', ended_at: at },
    ...{ owner: textOr(owner, null), project: textOr(project, null), design: textOr(design, null) },
    ...{ host_id: host, failure: failureKind, attempt, retries },
    exit_code: typeof exitCode === 'number' ? exitCode : null,
  };
  const whose = textOr(owner, 'unknown');
  const what = state === 'failed' ? 'failed' : 'was timed out';
  const message = `job ${taskId} of ${whose} ${what}${host === null ? '' : ` on ${host}`}: ${end.message}`;
  return { kind: KINDS[state], eventId, subject: taskId, message, details };
}

/** Members of a JSON text, when it is an object. */
function membersOf(text: string | null): Readonly<Record<string, unknown>> {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' ? value : otherwise;
}
