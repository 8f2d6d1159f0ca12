import type { WorkerProtocol } from '../core/instance';
import type { DispatchId } from '../core/units';
import { decode } from '../outgoing/answer-fault';
import { isFailure } from '../outgoing/call-error';
import { Connection } from '../outgoing/connection';
import type { ExchangeRequest } from '../outgoing/http-exchange';
import { AnswerFields } from './answer-fields';
import { enqueueBody } from './enqueue-body';
import type { StartRequest } from './executor';
import { TaskInstanceError } from './task-instance.error';
import { TASK_INSTANCE_DEFAULTS, type TaskInstanceOptions } from './task-instance.options';
import {
  readReplicasStarted,
  readReplicasStopped,
  type ReplicasStarted,
  type ReplicasStopped,
} from './worker-replicas';
import { readAttempt, readResult, readResults, tooLarge, type WorkerResult } from './worker-result';
import {
  readInfo,
  readPrediction,
  readStatus,
  type WorkerIdentity,
  type WorkerPrediction,
  type WorkerStatus,
} from './worker-status';

// What the calls return, for those who make them.
export type {
  ReplicasStarted,
  ReplicasStopped,
  WorkerIdentity,
  WorkerPrediction,
  WorkerResult,
  WorkerStatus,
};

/** Bytes of an answer that carries no result. */
const SMALL_ANSWER_BYTES = 65_536;
/** What an answer may have beside the result: times, names, an error message. */
const RESULT_ENVELOPE_BYTES = 65_536;
/** The list of all results may be as large as this many of the largest. */
const RESULTS_IN_LIST = 16;
const NOT_FOUND = 404;

/** Replicas to start. */
export interface ModelStart {
  readonly modelType: string;
  /** Default: 1. */
  readonly count?: number;
  /** Whatever the model wants to know. Default: nothing. */
  readonly config?: object;
  /** Default: 0. */
  readonly gpusPerModel?: number;
}

/**
 * The calls of one task instance (contracts/task-instance.md), of either generation. Every call
 * has a time of its own; those that change nothing are repeated once when the connection failed,
 * within that time. Answers are hostile input. All calls fail with {TaskInstanceError}, whose
 * message names the instance and the call.
 */
export class TaskInstanceClient {
  private readonly connection: Connection;
  private readonly options: TaskInstanceOptions;

  constructor(
    { host, port }: { readonly host: string; readonly port: number },
    options: Partial<TaskInstanceOptions> = {},
  ) {
    this.options = { ...TASK_INSTANCE_DEFAULTS, ...options };
    this.connection = new Connection({ host, port }, TaskInstanceError, this.options);
  }

  /** Finds out which generation this is: the later one does not know `/status`. */
  async identify(): Promise<WorkerIdentity> {
    try {
      return { protocol: 'enqueue', status: await this.status('enqueue') };
    } catch (error) {
      if (!isFailure(error, 'http_status', NOT_FOUND)) throw error;
    }
    return { protocol: 'submit', status: await this.status('submit') };
  }

  /** How the instance is. */
  status(protocol: WorkerProtocol): Promise<WorkerStatus> {
    const request = this.get(protocol === 'enqueue' ? '/status' : '/info');
    const read = protocol === 'enqueue' ? readStatus : readInfo;
    return this.connection.ask(request, (bytes) => read(decode(bytes), this.connection.address));
  }

  /**
   * Hands an attempt over. It is never repeated here; `sent` of the error tells whether it may
   * have arrived.
   * @returns the worker's own id of the task
   */
  async enqueue(protocol: WorkerProtocol, request: StartRequest): Promise<string> {
    const path = protocol === 'enqueue' ? '/queue/enqueue' : '/queue/submit';
    const post = this.post(path, this.options.enqueueMs, enqueueBody(protocol, request));
    return this.connection.tell(post, (bytes) => AnswerFields.of(decode(bytes)).id('task_id'));
  }

  /** The wait that the instance predicts for its own queue. First generation only. */
  predict(): Promise<WorkerPrediction> {
    const request = this.post('/queue/predict', this.options.predictMs);
    return this.connection.ask(request, (bytes) => readPrediction(decode(bytes)));
  }

  /** The wait that it predicted last. First generation only. */
  queueStatus(): Promise<WorkerPrediction> {
    const request = this.get('/queue/status');
    return this.connection.ask(request, (bytes) => readPrediction(decode(bytes)));
  }

  /**
   * What became of a task. A result that is too large or cannot be kept is a failed one, whose
   * error says so.
   * @returns null when it is not finished
   */
  async result(remoteId: string): Promise<WorkerResult | null> {
    const { resultLimitBytes } = this.options;
    const request = this.getResults(`/results/${encodeURIComponent(remoteId)}`, 1);
    try {
      return await this.connection.ask(request, (bytes) =>
        readResult(bytes, remoteId, resultLimitBytes),
      );
    } catch (error) {
      if (isFailure(error, 'http_status', NOT_FOUND)) return null;
      if (!isFailure(error, 'too_large')) throw error;
      return tooLarge(remoteId, resultLimitBytes);
    }
  }

  /** What became of one attempt. Only a worker with `dispatchIds` in its status can tell. */
  resultByDispatchId(dispatchId: DispatchId): Promise<WorkerResult | 'absent'> {
    const path = `/results?dispatch_id=${encodeURIComponent(dispatchId)}`;
    const { resultLimitBytes } = this.options;
    return this.connection.ask(this.getResults(path, 1), (bytes) =>
      readAttempt(bytes, dispatchId, resultLimitBytes),
    );
  }

  /** Every finished task that the instance still knows. */
  results(): Promise<readonly WorkerResult[]> {
    const { resultLimitBytes } = this.options;
    return this.connection.ask(this.getResults('/results', RESULTS_IN_LIST), (bytes) =>
      readResults(bytes, resultLimitBytes),
    );
  }

  /** Starts replicas of a model. Made once: a repeat would start as many again. */
  startModels(start: ModelStart): Promise<ReplicasStarted> {
    const { modelType, count = 1, config = {}, gpusPerModel = 0 } = start;
    const body = { model_type: modelType, count, config, num_gpus_per_model: gpusPerModel };
    const request = this.post('/models/start', this.options.modelsMs, JSON.stringify(body));
    return this.connection.tell(request, (bytes) => readReplicasStarted(decode(bytes)));
  }

  /** Stops that many replicas, or all of them (null). Made once, as `startModels`. */
  stopModels(count: number | null = null): Promise<ReplicasStopped> {
    const request = this.post('/models/stop', this.options.modelsMs, JSON.stringify({ count }));
    return this.connection.tell(request, (bytes) => readReplicasStopped(decode(bytes)));
  }

  /** Takes no further calls and resolves when those under way are over. */
  close(): Promise<void> {
    return this.connection.close();
  }

  /** Takes no further calls, and ends those under way. */
  destroy(): Promise<void> {
    return this.connection.destroy();
  }

  private get(path: string): ExchangeRequest {
    const { statusMs } = this.options;
    return { method: 'GET', path, timeoutMs: statusMs, limitBytes: SMALL_ANSWER_BYTES };
  }

  /** @param results how many of the largest results the answer may hold */
  private getResults(path: string, results: number): ExchangeRequest {
    const { resultMs, resultLimitBytes } = this.options;
    const limitBytes = results * (resultLimitBytes + RESULT_ENVELOPE_BYTES);
    return { method: 'GET', path, timeoutMs: resultMs, limitBytes };
  }

  private post(path: string, timeoutMs: number, body?: string): ExchangeRequest {
    const request = { method: 'POST', path, timeoutMs, limitBytes: SMALL_ANSWER_BYTES } as const;
    return body === undefined ? request : { ...request, body };
  }
}
