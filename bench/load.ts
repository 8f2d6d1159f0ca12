import { Pool } from 'undici';

/** One request of a load. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/** What a load saw. */
export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers with another status than 200, and what the first of them said. */
  readonly failures: number;
  readonly firstFailure: string;
}

/** How much is asked for. */
export interface Load {
  readonly requests: number;
  readonly connections: number;
  readonly call: (n: number) => Call;
}

/** Makes `requests` calls over `connections` kept connections, each as soon as the one before it is answered. */
export async function drive(
  origin: string,
  { requests, connections, call }: Load,
): Promise<Figures> {
  const pool = new Pool(origin, { connections, headersTimeout: 60_000, bodyTimeout: 60_000 });
  const took: number[] = [];
  let next = 0;
  let failures = 0;
  let firstFailure = '';
  const one = async (): Promise<void> => {
    while (next < requests) {
      const { method, path, body } = call(next++);
      const began = performance.now();
      const headers = { 'content-type': 'application/json' };
      const answer = await pool.request({ method, path, headers, body: body ?? null });
      const said = await answer.body.arrayBuffer();
      took.push(performance.now() - began);
      if (answer.statusCode === 200) continue;
      failures += 1;
      if (firstFailure === '') firstFailure = `${answer.statusCode} ${textOf(said)}`;
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - began) / 1_000;
  await pool.close();
  took.sort((a, b) => a - b);
  const [p50Ms, p99Ms] = [at(took, 0.5), at(took, 0.99)];
  return { perSecond: requests / seconds, p50Ms, p99Ms, failures, firstFailure };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function textOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString().slice(0, 300);
}
