import { Injectable } from '@nestjs/common';
import type { Executor, Refusal, StartRequest, StartResult, Target } from './executor';
import { TaskInstanceClients } from './task-instance.clients';
import { TaskInstanceError } from './task-instance.error';

/** Statuses by which a worker says "not now": too many requests, unavailable. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);
/**
 * Client errors that speak of us, of the connection or of the worker's own state (it serves
 * another model by now), and not of the task: it was not taken, and may be elsewhere or later.
 */
const NOT_THE_TASK: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 409, 421, 425]);

/** Starts attempts by handing them to task instances. */
@Injectable()
export class TaskInstanceExecutor implements Executor {
  constructor(private readonly clients: TaskInstanceClients) {}

  async start(
    { host, port, protocol }: Pick<Target, 'host' | 'port' | 'protocol'>,
    request: StartRequest,
  ): Promise<StartResult> {
    try {
      const remoteId = await this.clients.for(host, port).enqueue(protocol, request);
      return { kind: 'accepted', remoteId };
    } catch (error) {
      if (error instanceof TaskInstanceError) return resultOf(error);
      throw error;
    }
  }
}

function resultOf(error: TaskInstanceError): StartResult {
  const { message: reason, code, sent, retryAfterMs } = error;
  const refused = (because: Refusal): StartResult => {
    return { kind: 'refused', because, reason, retryAfterMs };
  };
  // Unsent for lack of time: the connections to this worker are all taken by slow answers.
  if (!sent) return refused(code === 'timeout' ? 'busy' : 'unreachable');
  const status = code === 'http_status' ? (error.status ?? 0) : 0;
  if (BUSY.has(status)) return refused('busy');
  if (NOT_THE_TASK.has(status)) return refused('unwanted');
  if (status >= 400 && status < 500) return { kind: 'rejected', reason };
  return { kind: 'unknown', reason };
}
