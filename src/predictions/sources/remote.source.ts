import type { LoggerService, OnApplicationShutdown } from '@nestjs/common';
import {
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import type { CallError } from '../../outgoing/call-error';
import type { PredictorClient } from '../predictor.client';
import { PredictorError } from '../predictor.error';
import type { PredictionQuery, PredictionSource, SourceAnswer } from '../prediction-source';

/** Calls at once; as many connections are kept. */
export const CALLS_AT_ONCE = 32;
/** Questions that wait for their turn at most; what comes above is not asked. */
const MOST_WAITING = 2_048;
/** Part of its time that a question may wait for its turn: the rest must do for an answer. */
const WAITING_SHARE = 0.5;
/** Faults in a row after which the predictor is left alone. */
const FAULTS_IN_A_ROW = 5;
/** For so long, in ms; then one question probes it. */
const LEFT_ALONE_MS = 5_000;
/** Characters of a question at most: metadata can be payload, and a feature is not that long. */
const LONGEST_QUESTION = 16_384;
/** Characters of the way that a question may have come. */
const LONGEST_WAY = 512;
/** Statuses that speak of this question alone: the predictor knows nothing of it. */
const NOTHING_KNOWN: ReadonlySet<number> = new Set([400, 404, 422]);

/** A question that was not asked, or in vain for a reason that is not the predictor's fault. */
class Skipped extends Error {}

/** Whether a predictor is asked: none is configured, it is, or it is left alone for its faults. */
export type RemoteState = 'none' | 'asked' | 'skipped';

/** What the source needs of a client. */
export type AskedPredictor = Pick<PredictorClient, 'predict' | 'address' | 'destroy'>;

/**
 * Another service that is asked, with a short patience. A dead or slow predictor delays nobody
 * beyond that: after 5 faults in a row it is skipped, and after 5 s one question probes it. Equal
 * questions under way share one call; too many at once are a skip, and no fault.
 */
export class RemoteSource implements PredictionSource, OnApplicationShutdown {
  readonly method = 'remote';
  private readonly underWay = new Map<string, Promise<SourceAnswer>>();
  private readonly turns = bulkhead(CALLS_AT_ONCE, MOST_WAITING);
  private readonly circuit = circuitBreaker(
    handleWhen((error) => !(error instanceof Skipped)),
    {
      halfOpenAfter: LEFT_ALONE_MS,
      breaker: new ConsecutiveBreaker(FAULTS_IN_A_ROW),
    },
  );
  private isLeftAlone = false;
  private toldOfRefusal = false;

  /**
   * @param client null: there is no predictor, and nothing is known
   * @param patienceMs from the question to the answer or its absence, in ms
   * @param ownName how this process calls itself in the way of a question
   */
  constructor(
    private readonly client: AskedPredictor | null,
    private readonly patienceMs: number,
    private readonly ownName: string,
    private readonly logger: Pick<LoggerService, 'warn' | 'log'>,
  ) {}

  get state(): RemoteState {
    if (this.client === null) return 'none';
    return this.circuit.state === CircuitState.Closed ? 'asked' : 'skipped';
  }

  predict(query: PredictionQuery): SourceAnswer | Promise<SourceAnswer> {
    const { client } = this;
    if (client === null) return undefined;
    const { via = '' } = query;
    // A question of ours that has come back, or that goes in circles elsewhere.
    if (via.includes(this.ownName) || via.length > LONGEST_WAY) return undefined;
    const question = JSON.stringify([query.model, via, query.metadata]);
    if (question.length > LONGEST_QUESTION) return undefined;
    const same = this.underWay.get(question);
    if (same) return same;
    const answer = this.ask(client, query).finally(() => this.underWay.delete(question));
    this.underWay.set(question, answer);
    return answer;
  }

  /** Ends the calls under way: whoever leads next must not wait for them. */
  async onApplicationShutdown(): Promise<void> {
    await this.client?.destroy();
  }

  private async ask(client: AskedPredictor, query: PredictionQuery): Promise<SourceAnswer> {
    const asked = performance.now();
    try {
      return await this.turns.execute(() => this.askInTurn(client, query, asked));
    } catch (error) {
      if (!isSkip(error)) this.noteFault(client, error);
      return undefined;
    }
  }

  /** Faults that it throws were counted; what the circuit does not count is a {Skipped}. */
  private askInTurn(
    client: AskedPredictor,
    query: PredictionQuery,
    asked: number,
  ): Promise<SourceAnswer> {
    const waited = performance.now() - asked;
    if (waited > WAITING_SHARE * this.patienceMs) throw new Skipped();
    // While one question probes, the others would wait for its answer first.
    if (this.circuit.state === CircuitState.HalfOpen) throw new Skipped();
    return this.circuit.execute(() => this.call(client, query, this.patienceMs - waited));
  }

  private async call(
    client: AskedPredictor,
    { model, metadata, via }: PredictionQuery,
    timeoutMs: number,
  ): Promise<SourceAnswer> {
    const way = [via, `1.1 ${this.ownName}`].filter((part) => part !== undefined && part !== '');
    const headers = { via: way.join(', ') };
    try {
      const prediction = await client.predict(model, metadata, { timeoutMs, headers });
      this.noteAnswer(client);
      return prediction?.serviceTime;
    } catch (error) {
      if (!(error instanceof PredictorError) || !NOTHING_KNOWN.has(error.status ?? 0)) throw error;
      this.noteAnswer(client, error);
      return undefined;
    }
  }

  /** @param refusal what it said instead of an answer */
  private noteAnswer({ address }: AskedPredictor, refusal?: CallError): void {
    if (this.isLeftAlone) this.logger.log(`predictor ${address} answers again`);
    this.isLeftAlone = false;
    if (refusal && !this.toldOfRefusal) {
      this.logger.warn(
        `${refusal.message}: such a question counts as one of which nothing is known`,
      );
    }
    this.toldOfRefusal = refusal !== undefined;
  }

  private noteFault({ address }: AskedPredictor, error: unknown): void {
    if (this.isLeftAlone || this.circuit.state !== CircuitState.Open) return;
    this.isLeftAlone = true;
    const why = error instanceof Error ? error.message : `predictor ${address}: ${String(error)}`;
    this.logger.warn(`${why}; it is skipped, and tried every ${LEFT_ALONE_MS} ms`);
  }
}

function isSkip(error: unknown): boolean {
  return (
    error instanceof Skipped ||
    error instanceof BulkheadRejectedError ||
    isBrokenCircuitError(error)
  );
}
