import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Random } from '../../core/ports';
import type { JsonObject } from '../../http/dto-fields';
import { backoffMs } from '../backoff';
import type { Engine, EngineOutcome, EngineTask, ServiceEstimate } from '../engine';
import { ServiceTimes } from '../service-times';
import { timeLimitOf } from '../time-limit';
import { requestOf, type UpstreamRequest } from './openai-request';
import { OpenAiUpstream, type UpstreamAddress, type UpstreamReply } from './openai-upstream';
import { UpstreamWatch, type WatchIntervals } from './upstream-watch';

/** How the OpenAI engine behaves. */
export interface OpenAiEngineOptions extends UpstreamAddress {
  /** The upstream's name of the model; null: the one that the worker serves. */
  readonly model: string | null;
  /** Work per ms. */
  readonly speed: number;
  /** Longest execution, waits for the upstream included, ms; `metadata.timeout_ms` can shorten it. */
  readonly taskTimeoutMs: number;
  /** Largest answer, bytes. */
  readonly resultLimitBytes: number;
}

/** What surrounds the engine. */
export interface OpenAiSurroundings {
  readonly random: Random;
  readonly log: Logger;
  readonly intervals?: WatchIntervals;
}

/** Calls per task that met a busy upstream, or whose connection broke before anything came. */
const MOST_TRIES = 5;

/**
 * Passes each task on to a server that speaks the OpenAI API (vLLM, SGLang, llama.cpp, Ollama): the
 * task input is the request, the result is the server's answer as it would be without a stream.
 * Counts of tokens go into the report.
 *
 * What the server refuses fails the task in the server's words. While it is busy (429, 503), or
 * when the connection breaks before anything was generated, the call is repeated, five times in
 * all. While nobody answers there is an outage: tasks that are here wait for its end, within their
 * time limit.
 */
export class OpenAiEngine implements Engine {
  readonly name = 'openai';
  private readonly upstream: OpenAiUpstream;
  private readonly watch: UpstreamWatch;
  private readonly times: ServiceTimes;
  /** Until the upstream refuses a call because of it. */
  private canStream = true;

  constructor(
    private readonly options: OpenAiEngineOptions,
    private readonly surroundings: OpenAiSurroundings,
  ) {
    const { log, intervals } = surroundings;
    this.upstream = new OpenAiUpstream(options);
    this.watch = new UpstreamWatch(() => this.upstream.probe(), log, intervals);
    this.times = new ServiceTimes(options.speed);
  }

  /** An engine that has looked at its upstream once. */
  static async open(
    options: OpenAiEngineOptions,
    surroundings: OpenAiSurroundings,
  ): Promise<OpenAiEngine> {
    const engine = new OpenAiEngine(options, surroundings);
    await engine.watch.look();
    return engine;
  }

  get speed(): number {
    return this.options.speed;
  }

  get outage(): string | null {
    const { outage } = this.watch;
    if (outage === null) return null;
    const { origin, pathname } = new URL(this.options.url);
    return `the upstream ${origin}${pathname} takes no work: ${outage}`;
  }

  async run(task: EngineTask, signal: AbortSignal): Promise<EngineOutcome> {
    const limit = timeLimitOf(task, this.options.taskTimeoutMs);
    if (!limit.ok) return limit;
    const call = requestOf(task, this.options.model ?? task.model);
    if (!call.ok) return call;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), limit.value);
    const startedAt = performance.now();
    try {
      const either = AbortSignal.any([signal, deadline.signal]);
      const outcome = await this.untilAnswered(call.request, either);
      if (outcome.ok) this.times.learn(performance.now() - startedAt);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.signal.aborted) throw error;
      const why = this.outage === null ? '' : `; ${this.outage}`;
      return { ok: false, error: `timed out after ${limit.value} ms${why}` };
    } finally {
      clearTimeout(timer);
    }
  }

  estimate(task: EngineTask): ServiceEstimate {
    return this.times.estimate(task);
  }

  async close(): Promise<void> {
    this.watch.close();
    await this.upstream.close();
  }

  /** @throws {Error} when it was aborted */
  private async untilAnswered(
    request: UpstreamRequest,
    signal: AbortSignal,
  ): Promise<EngineOutcome> {
    for (let tries = 1; ;) {
      await this.watch.untilUp(signal);
      const reply = await this.ask(request, signal);
      switch (reply.kind) {
        case 'answered':
          return { ok: true, result: reply.result, facts: tokensIn(reply.result) };
        case 'refused':
          return { ok: false, error: reply.message };
        case 'absent':
          this.watch.isDown(reply.message);
          continue;
        case 'busy':
        case 'lost':
          if (tries >= MOST_TRIES || (reply.kind === 'lost' && reply.produced)) {
            return { ok: false, error: givenUp(reply.message, tries) };
          }
      }
      // It may be going down: whoever is sent here next should know.
      void this.watch.look();
      const atLeastMs = reply.kind === 'busy' ? reply.retryAfterMs : 0;
      await sleep(backoffMs(tries, this.surroundings.random, atLeastMs), undefined, { signal });
      tries += 1;
    }
  }

  /** Asks without a stream where the upstream does not know how to. */
  private async ask(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamReply> {
    const { resultLimitBytes } = this.options;
    const streamed = request.streamed && this.canStream;
    const reply = await this.upstream.ask({ ...request, streamed }, resultLimitBytes, signal);
    if (!streamed || !isAboutStreams(reply)) return reply;
    this.surroundings.log.info({ event: 'no_streams' }, 'the upstream does not stream');
    this.canStream = false;
    return this.upstream.ask({ ...request, streamed: false }, resultLimitBytes, signal);
  }
}

/** A refusal of the request as such, in words about streams, which the task did not ask for. */
function isAboutStreams(reply: UpstreamReply): boolean {
  if (reply.kind !== 'refused' || reply.status === null) return false;
  return reply.status < 500 && /\bstream/i.test(reply.message);
}

function givenUp(message: string, tries: number): string {
  return tries === 1 ? message : `${message} (given up after ${tries} tries)`;
}

/** How many tokens went in and came out, where the upstream counted. */
function tokensIn({ usage }: JsonObject): Record<string, number> {
  if (typeof usage !== 'object' || usage === null) return {};
  const counts = new Map<string, unknown>(Object.entries(usage));
  const named = [
    ['input_tokens', counts.get('prompt_tokens')],
    ['output_tokens', counts.get('completion_tokens')],
  ] as const;
  return Object.fromEntries(
    named.filter((entry): entry is [(typeof entry)[0], number] => isCount(entry[1])),
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
