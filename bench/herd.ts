import { once } from 'node:events';
import type { Part } from './child';
import { NUMBER, post, SENT_AT, type Call, type Load } from './load';
import type { Costed, Served, Surroundings } from './surroundings';
import type { Tally } from './worker-herd';

const PROMPT = 'x'.repeat(150);

/** What a herd is made of. */
export interface HerdSize {
  readonly workers: number;
  /** Default: 1. */
  readonly models?: number;
  /** Default: they take what they are sent and never end it. */
  readonly ends?: boolean;
}

/** Starts a herd of workers and registers each with the service. */
export async function herdOf(
  surroundings: Surroundings,
  { service }: Served,
  { workers, models = 1, ends = false }: HerdSize,
): Promise<Part> {
  const scheduler = ends ? [service.url] : [];
  const herd = await surroundings.start('worker-herd', `${workers}`, `${models}`, ...scheduler);
  await register(surroundings, { service }, herd);
  return herd;
}

/** Makes every worker known. */
export function register(
  surroundings: Surroundings,
  { service: { child, url } }: Pick<Served, 'service'>,
  { ports }: Part,
): Promise<Costed> {
  const calls = ports.map((port) => post('/ti/register', { host: '127.0.0.1', port }));
  const connections = Math.min(calls.length, 32);
  return surroundings.drive(child.pid, url, { calls, requests: calls.length, connections });
}

/** What the herd has seen since it was last asked. */
export async function tallyOf({ child }: Part): Promise<Tally> {
  const told = once(child, 'message') as Promise<[Tally]>;
  child.send('tally');
  const [tally] = await told;
  return tally;
}

/**
 * Submissions of about 300 bytes for each model in turn.
 * @param prefix of their ids: no two loads on one service may have the same
 */
export function submitting(prefix: string, models = 1): Pick<Load, 'calls'> {
  const calls = Array.from({ length: models }, (_, n): Call =>
    post('/queue/submit', { model_name: `model-${n}`, ...taskOf(prefix) }),
  );
  return { calls };
}

/** One task, marked with its number and the time of its sending. */
export function taskOf(prefix: string): object {
  return {
    task_id: `${prefix}-${NUMBER}`,
    task_input: { prompt: PROMPT, sent_at: SENT_AT },
    metadata: { service_ms: 500, priority: 0 },
  };
}
