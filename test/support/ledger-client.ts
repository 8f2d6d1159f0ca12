import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { SyncedLines } from '../../src/ops/synced-lines';
import type { AcceptedTask, Ending } from './verdict';

/** A task that is to be submitted. */
export interface TestTask {
  readonly taskId: string;
  readonly model: string;
  readonly input: object;
  readonly metadata: object;
  /** How it has to end; default: with a success. */
  readonly ending?: Ending;
}

/** Metadata of a task that takes so long at its worker, and is known to, in ms. */
export function lasting(serviceMs: number): object {
  return { service_ms: serviceMs, predicted_ms: serviceMs };
}

/** How a load is put on a service. */
export interface Load {
  /** Makes the n-th task, counted from 1; null ends the load. */
  readonly make: (n: number) => TestTask | null;
  /** Submissions under way at the same time. */
  readonly concurrency: number;
  /** Rest of each place between two submissions, in ms. Default: none. */
  readonly restMs?: number;
}

/** A line of the ledger; what is undefined is left out. */
type Accepted = Omit<AcceptedTask, 'ending'> & { readonly ending: Ending | undefined };

/** What a service answered. */
interface Said {
  readonly status: number;
  readonly retryAfter: unknown;
  readonly text: string;
}

/** Answers by which a service says "not now". */
const NOT_NOW: ReadonlySet<number> = new Set([429, 503]);
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
/** A service that hangs is asked again after this. */
const PATIENCE_MS = 4_000;

/**
 * A client that submits each task until it is accepted, at whichever of its services answers, and
 * counts an answer as "accepted" only when that is on the disk.
 */
export class LedgerClient {
  /** Refusals by their status: 503 while nobody leads, and the like. */
  readonly refusals = new Map<number, number>();
  /** Answers that no client should ever see. */
  readonly surprises: string[] = [];
  /** Refusals that did not say when to come back. */
  readonly without: string[] = [];
  private readonly agent = new Agent({
    connections: 64,
    connect: { timeout: PATIENCE_MS },
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
  });
  private stopped = false;

  private constructor(
    private readonly urls: () => readonly string[],
    private readonly path: string,
    private readonly ledger: SyncedLines,
  ) {}

  /** @param urls where services may be; asked for at each try */
  static async open(path: string, urls: () => readonly string[]): Promise<LedgerClient> {
    return new LedgerClient(urls, path, await SyncedLines.open(path));
  }

  /** Puts tasks on the service until there are no more; resolves with how many were accepted. */
  async submitAll({ make, concurrency, restMs = 0 }: Load): Promise<number> {
    let made = 0;
    let accepted = 0;
    const serve = async (): Promise<void> => {
      for (let task = make(++made); task !== null; task = make(++made)) {
        await this.submit(task);
        accepted += 1;
        if (restMs > 0) await sleep(restMs * Math.random() * 2);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, serve));
    return accepted;
  }

  /**
   * Submits one task until it is accepted, and again when the answer is lost.
   * @returns the answer that accepted it
   * @throws {Error} after `close`
   */
  async submit(task: TestTask): Promise<unknown> {
    const { taskId, model, input, metadata, ending } = task;
    const body = JSON.stringify({
      model_name: model,
      task_id: taskId,
      task_input: input,
      metadata,
    });
    for (let tries = 0; !this.stopped; tries += 1) {
      const answer = await this.tryOnce(body, tries);
      if (answer !== null) {
        await this.ledger.append({ taskId, input, ending } satisfies Accepted);
        return answer;
      }
      await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries));
    }
    throw new Error(`the client was closed before ${taskId} was accepted`);
  }

  /** What the ledger on the disk says was accepted. */
  async accepted(): Promise<readonly AcceptedTask[]> {
    const lines = (await readFile(this.path, 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AcceptedTask);
  }

  /** Ends what is under way and closes the ledger. */
  async close(): Promise<void> {
    this.stopped = true;
    await this.agent.destroy();
    await this.ledger.close();
  }

  private async tryOnce(body: string, tries: number): Promise<unknown> {
    const urls = this.urls();
    const url = urls[tries % urls.length];
    if (url === undefined) return null;
    let answer: Said;
    try {
      const {
        statusCode,
        headers,
        body: stream,
      } = await request(`${url}/queue/submit`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        dispatcher: this.agent,
      });
      const text = await stream.text();
      answer = { status: statusCode, retryAfter: headers['retry-after'], text };
    } catch {
      return null; // Nobody there, or it died on the way: nobody knows whether the task was taken.
    }
    return this.read(answer);
  }

  private read({ status, retryAfter, text }: Said): unknown {
    if (status === 200) return JSON.parse(text);
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
    if (!NOT_NOW.has(status)) this.surprises.push(`${status}: ${text}`);
    else if (retryAfter === undefined) this.without.push(text);
    return null;
  }
}
