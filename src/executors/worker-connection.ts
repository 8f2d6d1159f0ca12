import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Pool } from 'undici';
import { AnswerFault } from './answer-fields';
import { callOf, exchange, type Answer, type ExchangeRequest } from './http-exchange';
import {
  addressFault,
  ANY_ADDRESS,
  checkedLookup,
  originOf,
  type ResolveAll,
} from './outgoing-address';
import { TaskInstanceError } from './task-instance.error';
import type { TaskInstanceOptions } from './task-instance.options';

/** How an unused connection is kept: below the 5 s after which common servers close theirs. */
const KEEP_ALIVE_MS = 4_000;

/** Reads the bytes of an answer. @throws {AnswerFault} when they are not what was expected */
export type AnswerReader<T> = (bytes: Buffer) => T;

/** What bounds the connections to one instance. */
export type ConnectionLimits = Pick<
  TaskInstanceOptions,
  'connections' | 'connectMs' | 'addressRule'
>;

/** A bounded pool of connections to one instance. Every failure is a {TaskInstanceError}. */
export class WorkerConnection {
  /** `host:port`. */
  readonly address: string;
  /** A reason instead, when nothing may be sent to this address. */
  private readonly pool: Pool | string;

  constructor(host: string, port: number, limits: ConnectionLimits, resolve: ResolveAll = lookup) {
    this.address = `${host}:${port}`;
    const { addressRule: rule = ANY_ADDRESS } = limits;
    const origin = originOf(host, port, rule);
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
    const answer = await exchange(this.pool, this.address, request);
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

  private refusal(request: ExchangeRequest, reason: string): TaskInstanceError {
    const { address } = this;
    const nothing = { sent: false, status: null, retryAfterMs: null };
    const call = callOf(request);
    return new TaskInstanceError({ code: 'unreachable', address, call, reason, ...nothing });
  }

  private badAnswer(
    request: ExchangeRequest,
    { status }: Answer,
    cause: AnswerFault,
  ): TaskInstanceError {
    const what = { code: 'bad_answer', reason: cause.message } as const;
    const where = { address: this.address, call: callOf(request) };
    const known = { sent: true, status, retryAfterMs: null };
    return new TaskInstanceError({ ...what, ...where, ...known }, { cause });
  }
}

/** True for a `TaskInstanceError` of that code, and of that status when one is given. */
export function isFailure(
  error: unknown,
  code: TaskInstanceError['code'],
  status?: number,
): error is TaskInstanceError {
  if (!(error instanceof TaskInstanceError) || error.code !== code) return false;
  return status === undefined || error.status === status;
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
    // Each exchange has one timer for all of it: these would start anew with every byte.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
