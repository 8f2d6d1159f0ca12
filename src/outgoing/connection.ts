import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Pool } from 'undici';
import { AnswerFault } from './answer-fault';
import { isFailure, type CallError, type CallErrorClass } from './call-error';
import { callOf, exchange, type Answer, type ExchangeRequest, type Peer } from './http-exchange';
import {
  addressFault,
  ANY_ADDRESS,
  checkedLookup,
  originOf,
  type AddressRule,
  type Endpoint,
  type ResolveAll,
} from './outgoing-address';

/** How an unused connection is kept: below the 5 s after which common servers close theirs. */
const KEEP_ALIVE_MS = 4_000;
/** One that says when it will close them is left so much sooner, in ms. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** Reads the bytes of an answer. @throws {AnswerFault} when they are not what was expected */
export type AnswerReader<T> = (bytes: Buffer) => T;

/** Bounds of a pool of connections. */
export interface ConnectionLimits {
  /** Connections that are kept at most. */
  readonly connections: number;
  /** Patience for a connection, in ms. */
  readonly connectMs: number;
  /** What may not be called beyond what never may. Default: nothing. */
  readonly addressRule?: AddressRule;
}

/** A bounded pool of connections to one service. Every failure is a {CallError} of its class. */
export class Connection implements Peer {
  /** `host:port`. */
  readonly address: string;
  /** A reason instead, when nothing may be sent to this address. */
  private readonly pool: Pool | string;

  constructor(
    endpoint: Endpoint,
    readonly failed: CallErrorClass,
    limits: ConnectionLimits,
    resolve: ResolveAll = lookup,
  ) {
    const { host, port } = endpoint;
    this.address = `${host}:${port}`;
    const { addressRule: rule = ANY_ADDRESS } = limits;
    const origin = originOf(endpoint, rule);
    const lookUp = checkedLookup(
      resolve,
      (address) => addressFault(address) ?? rule(address, port),
    );
    this.pool = origin.kind === 'refused' ? origin.reason : poolTo(origin.url, limits, lookUp);
  }

  /** A call that changes nothing: repeated once, within its time, when the connection failed. */
  async ask<T>(request: ExchangeRequest, read: AnswerReader<T>): Promise<T> {
    const deadline = performance.now() + request.timeoutMs;
    try {
      return await this.tell(request, read);
    } catch (error) {
      const timeoutMs = deadline - performance.now();
      if (!isFailure(error, 'unreachable') || timeoutMs <= 0) throw error;
      return await this.tell({ ...request, timeoutMs }, read);
    }
  }

  /** A call that changes something: made once. */
  async tell<T>(request: ExchangeRequest, read: AnswerReader<T>): Promise<T> {
    if (typeof this.pool === 'string') throw this.refusal(request, this.pool);
    const answer = await exchange(this.pool, this, request);
    try {
      return read(answer.bytes);
    } catch (error) {
      throw error instanceof AnswerFault ? this.badAnswer(request, answer, error) : error;
    }
  }

  /** Takes no further calls and resolves when those under way are over. */
  async close(): Promise<void> {
    if (typeof this.pool !== 'string' && !this.pool.closed) await this.pool.close();
  }

  /** Takes no further calls, and ends those under way. */
  async destroy(): Promise<void> {
    if (typeof this.pool !== 'string' && !this.pool.destroyed) await this.pool.destroy();
  }

  private refusal(request: ExchangeRequest, reason: string): CallError {
    const { address } = this;
    const nothing = { sent: false, status: null, retryAfterMs: null };
    const call = callOf(request);
    return new this.failed({ code: 'unreachable', address, call, reason, ...nothing });
  }

  private badAnswer(request: ExchangeRequest, { status }: Answer, cause: AnswerFault): CallError {
    const what = { code: 'bad_answer', reason: cause.message } as const;
    const where = { address: this.address, call: callOf(request) };
    const known = { sent: true, status, retryAfterMs: null };
    return new this.failed({ ...what, ...where, ...known }, { cause });
  }
}

function poolTo(
  url: string,
  { connections, connectMs }: ConnectionLimits,
  lookUp: LookupFunction,
): Pool {
  return new Pool(url, {
    connections,
    connect: { timeout: connectMs, lookup: lookUp },
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    // Each exchange has one timer for all of it: these would start anew with every byte.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
