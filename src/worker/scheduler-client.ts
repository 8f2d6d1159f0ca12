import { SchedulerConnection } from '../outgoing/scheduler-connection';

/** What the scheduler made of a call, as far as the worker has to tell cases apart. */
export type SchedulerReply =
  /** Done. */
  | { readonly kind: 'accepted' }
  /** Understood and refused with 200 `status:"error"`: the instance or the task is not known there. */
  | { readonly kind: 'rejected'; readonly message: string }
  /** A repeat cannot help: the request itself, or the key, is wrong. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Nobody there, or not now: a repeat makes sense, not before `retryAfterMs`. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs: number };

/** Where a worker is reached, and what it serves. */
export interface Registration {
  readonly host: string;
  readonly port: number;
  readonly model_name: string;
}

/** Connections to the scheduler: the reporter's, and one so that the rest never waits for it. */
export const REPORT_CONNECTIONS = 4;
const CONNECTIONS = REPORT_CONNECTIONS + 1;
const ANSWER_TIMEOUT_MS = 10_000;

/** The calls that a worker makes on the scheduler. None of them throws: every end is a reply. */
export class SchedulerClient {
  private readonly connection: SchedulerConnection;

  /** @param url base URL of the scheduler, a path prefix included; @param key sent when given. */
  constructor(url: string, key?: string) {
    const limits = { connections: CONNECTIONS, answerMs: ANSWER_TIMEOUT_MS };
    this.connection = new SchedulerConnection({ url, key, ...limits });
  }

  register(registration: Registration): Promise<SchedulerReply> {
    return this.post('/ti/register', JSON.stringify(registration));
  }

  remove(host: string, port: number): Promise<SchedulerReply> {
    return this.post('/ti/remove', JSON.stringify({ host, port }));
  }

  /** @param body JSON text of the report. */
  submitResult(body: string): Promise<SchedulerReply> {
    return this.post('/result/submit', body);
  }

  /** Drops connections and whatever is under way on them. */
  close(): Promise<void> {
    return this.connection.close();
  }

  private async post(path: string, body: string): Promise<SchedulerReply> {
    const answer = await this.connection.post(path, body);
    if (answer.kind !== 'answered') return answer;
    const { status, message } = answer;
    return status === 'error' ? { kind: 'rejected', message } : { kind: 'accepted' };
  }
}
