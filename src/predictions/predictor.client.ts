import { lookup } from 'node:dns';
import { Connection } from '../outgoing/connection';
import type { ExchangeRequest } from '../outgoing/http-exchange';
import type { AddressRule, ResolveAll } from '../outgoing/outgoing-address';
import { predictorAddress } from './predictor-address';
import {
  readHealth,
  readModels,
  readPrediction,
  type ModelPrediction,
  type PredictorHealth,
  type PredictorModel,
} from './predictor-answer';
import { PredictorError } from './predictor.error';

// What the calls return, for those who make them.
export type { ModelPrediction, PredictorHealth, PredictorModel };

/** Limits of the calls to one predictor. */
export interface PredictorOptions {
  /** For one whole call, connection included, in ms. Default 100: a submission waits for it. */
  readonly timeoutMs: number;
  /** Connections that are kept at most. Default 32. */
  readonly connections: number;
  /** What may not be called beyond what never may. Default: nothing. */
  readonly addressRule?: AddressRule;
}

/** What one call may differ in. */
export interface PredictorCall {
  /** Instead of the usual patience, in ms. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const DEFAULTS: PredictorOptions = { timeoutMs: 100, connections: 32 };
/** Bytes of a prediction: 99 quantiles and their names are a tenth of it. */
const SMALL_ANSWER_BYTES = 65_536;
const LIST_BYTES = 4 * 1_048_576;

/**
 * The calls of a predictor (contracts/predictor.md). Each has its time, and is repeated once within
 * it when the connection failed. Answers are hostile input. All calls fail with {PredictorError}, whose message names the predictor, the
 * call and the reason.
 */
export class PredictorClient {
  private readonly connection: Connection;
  private readonly basePath: string;
  private readonly options: PredictorOptions;

  /**
   * @param url where the predictor is, base path included
   * @param resolve how names become addresses; default: as the system does it
   * @throws {Error} in one sentence, when nothing can or may be sent to this URL
   */
  constructor(url: string, options: Partial<PredictorOptions> = {}, resolve: ResolveAll = lookup) {
    this.options = { ...DEFAULTS, ...options };
    const { endpoint, basePath } = predictorAddress(url);
    const { timeoutMs: connectMs, ...limits } = this.options;
    this.basePath = basePath;
    this.connection = new Connection(endpoint, PredictorError, { ...limits, connectMs }, resolve);
  }

  /** `host:port`. */
  get address(): string {
    return this.connection.address;
  }

  /**
   * How long a task of this model will run.
   * @returns null when the predictor knows nothing of the model
   */
  predict(
    modelType: string,
    metadata: Readonly<Record<string, unknown>> = {},
    call: PredictorCall = {},
  ): Promise<ModelPrediction | null> {
    const body = JSON.stringify({ model_type: modelType, metadata });
    const request = this.request('POST', '/predict', SMALL_ANSWER_BYTES, call);
    return this.connection.ask({ ...request, body }, (bytes) => readPrediction(bytes, modelType));
  }

  /** The models that the predictor knows of. */
  models(call: PredictorCall = {}): Promise<readonly PredictorModel[]> {
    return this.connection.ask(this.request('GET', '/models', LIST_BYTES, call), readModels);
  }

  /** How the predictor is. */
  health(call: PredictorCall = {}): Promise<PredictorHealth> {
    return this.connection.ask(
      this.request('GET', '/health', SMALL_ANSWER_BYTES, call),
      readHealth,
    );
  }

  /** Takes no further calls and resolves when those under way are over. */
  close(): Promise<void> {
    return this.connection.close();
  }

  /** Takes no further calls, and ends those under way. */
  destroy(): Promise<void> {
    return this.connection.destroy();
  }

  private request(
    method: 'GET' | 'POST',
    path: string,
    limitBytes: number,
    { timeoutMs = this.options.timeoutMs, headers = {} }: PredictorCall,
  ): ExchangeRequest {
    return { method, path: `${this.basePath}${path}`, timeoutMs, limitBytes, headers };
  }
}
