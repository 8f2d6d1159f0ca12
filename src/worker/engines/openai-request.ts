import type { JsonObject } from '../../http/dto-fields';
import type { EngineTask } from '../engine';

/** Calls of the OpenAI API that a task can be, by the member of the input that tells them apart. */
const ENDPOINTS = [
  { path: 'chat/completions', needs: 'messages' },
  { path: 'completions', needs: 'prompt' },
  { path: 'embeddings', needs: 'input' },
] as const;

/** Members of the input that are for the worker: whether to stream is between it and the upstream. */
const NOT_PASSED: ReadonlySet<string> = new Set(['endpoint', 'stream', 'stream_options']);

/** Path of a call, below the base URL of the upstream. */
export type Endpoint = (typeof ENDPOINTS)[number]['path'];

/** One call to the upstream. */
export interface UpstreamRequest {
  readonly endpoint: Endpoint;
  /** Without `stream`. */
  readonly body: JsonObject;
  /** Asked for in pieces: a long generation then shows that it goes on, and is cut by no proxy. */
  readonly streamed: boolean;
}

/**
 * The call that a task is: the one that `endpoint` names, in its input or its metadata, else the
 * one whose `messages`, `prompt` or `input` the task input has. The rest of the input is passed on,
 * but the model is always the upstream's.
 */
export function requestOf(
  { input, metadata }: EngineTask,
  model: string,
):
  | { readonly ok: true; readonly request: UpstreamRequest }
  | { readonly ok: false; readonly error: string } {
  const told = input['endpoint'] ?? metadata['endpoint'] ?? undefined;
  const endpoint = endpointOf(told, input);
  if (endpoint === undefined) return { ok: false, error: unclear(told) };
  // The best of several is known only when all are complete.
  const { stream, best_of: bestOf } = input;
  const streamed = endpoint !== 'embeddings' && stream !== false && bestOf === undefined;
  const rest = Object.entries(input).filter(([name]) => !NOT_PASSED.has(name));
  return {
    ok: true,
    request: { endpoint, body: { ...Object.fromEntries(rest), model }, streamed },
  };
}

function endpointOf(told: unknown, input: JsonObject): Endpoint | undefined {
  if (told === undefined) return ENDPOINTS.find(({ needs }) => input[needs] !== undefined)?.path;
  if (typeof told !== 'string') return undefined;
  const path = told.replace(/^\/?(?:v1\/)?/, '');
  return ENDPOINTS.find((endpoint) => endpoint.path === path)?.path;
}

function unclear(told: unknown): string {
  const paths = ENDPOINTS.map(({ path }) => path).join(', ');
  if (told !== undefined) {
    return `endpoint is ${JSON.stringify(told).slice(0, 80)}; allowed are ${paths}`;
  }
  const needed = ENDPOINTS.map(({ needs }) => needs).join(', ');
  return `the task input has none of ${needed}; it needs one, or an endpoint (${paths})`;
}
