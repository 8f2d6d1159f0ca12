import { once } from 'node:events';
import { endPart, startPart, type Part } from './child';

/** Stands in a call for a number that no other call of the load has; eight digits, as wide as this. */
export const NUMBER = '<number>';
/** Stands for when the call is sent: µs of the machine's monotonic clock, sixteen digits. */
export const SENT_AT = '<sent-at-micros>';
/** Stands for when the call is sent: Unix time in whole seconds, ten digits. */
export const UNIX_SECONDS = '<unix-sec>';

/** One request; its path and body may hold the marks above. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/** How much is asked for. */
export interface Load {
  /** Made in turn, again and again. */
  readonly calls: readonly Call[];
  /** Kept alive. Default: 32. */
  readonly connections?: number;
  /** How many calls there are, or for how long they go on. */
  readonly requests?: number;
  readonly seconds?: number;
  /** Calls are sent evenly spaced. Default: each as soon as the one before it is answered. */
  readonly perSecond?: number;
  /** The first `NUMBER`. Default: 0. */
  readonly from?: number;
  /** Every `NUMBER` is below this, in scattered order, and comes again. Default: they count up. */
  readonly among?: number;
  /** Every answer has this status, or the load fails. Default: 200. */
  readonly status?: number;
}

/** What a load saw. */
export interface Figures {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the generator is told, and what it says. */
export interface LoadOrder {
  readonly origin: string;
  readonly load: Load;
}
export type LoadReport = { readonly figures: Figures } | { readonly failure: string };

/** Makes load in a process of its own, one load at a time. */
export class LoadGenerator {
  private constructor(private readonly part: Part) {}

  static async start(): Promise<LoadGenerator> {
    return new LoadGenerator(await startPart('load-generator'));
  }

  /** @throws {Error} with the first answer that has another status than it should */
  async drive(origin: string, load: Load): Promise<Figures> {
    const { child } = this.part;
    const told = once(child, 'message') as Promise<[LoadReport]>;
    child.send({ origin, load } satisfies LoadOrder);
    const [report] = await told;
    if ('failure' in report) throw new Error(`${load.calls[0]?.path}: ${report.failure}`);
    return report.figures;
  }

  /** Ends it, and with it what it still drives. */
  async stop(): Promise<void> {
    await endPart(this.part);
  }
}

/** A call with a JSON body. */
export function post(path: string, body: object): Call {
  return { method: 'POST', path, body: JSON.stringify(body) };
}
