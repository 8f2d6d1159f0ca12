import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/http/dto-fields';

/** One call that the server received. */
export interface UpstreamCall {
  /** Below the base URL, as in `chat/completions`. */
  readonly endpoint: string;
  readonly body: JsonObject;
  readonly headers: IncomingHttpHeaders;
}

/** Answers a call, or does something else with the response. */
export type UpstreamAnswer = (response: ServerResponse, call: UpstreamCall) => void;

/**
 * A server that speaks the part of the OpenAI API which vLLM, SGLang, llama.cpp and Ollama share:
 * models, chat completions, completions and embeddings, with and without streams. It generates
 * `you said: ` and the prompt, word by word; a test may answer calls in another way.
 */
export class FakeOpenAi {
  readonly calls: UpstreamCall[] = [];
  /** How `GET /models` is answered. */
  modelsStatus = 200;
  answer: UpstreamAnswer = generate;
  private server: Server | null = null;
  private port = 0;

  static async start(): Promise<FakeOpenAi> {
    const upstream = new FakeOpenAi();
    await upstream.comeUp();
    return upstream;
  }

  /** Base URL. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** Listens, at the same port as before where there was one. */
  async comeUp(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const endpoint = (request.url ?? '').replace(/^\/v1\//, '');
        if (endpoint === 'models') {
          sendJson(response, { object: 'list', data: [{ id: 'up' }] }, this.modelsStatus);
          return;
        }
        const body = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject;
        const call = { endpoint, body, headers: request.headers };
        this.calls.push(call);
        this.answer(response, call);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections and cuts those there are. */
  async goDown(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

/** What the server says when nothing is wrong, in a stream when it is asked for one. */
export const generate: UpstreamAnswer = (response, call) => {
  const { endpoint, body } = call;
  if (endpoint === 'embeddings') {
    const data = [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }];
    const usage = { prompt_tokens: 2, total_tokens: 2 };
    sendJson(response, { object: 'list', model: body['model'], data, usage });
    return;
  }
  if (body['stream'] === true) stream(response, piecesOf(call));
  else sendJson(response, completionOf(call));
};

/** Answers with that status and an error in OpenAI's words. */
export function refuse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): UpstreamAnswer {
  return (response) => sendJson(response, { error: { message, code: status } }, status, headers);
}

/** Answers the calls one after the other; the last one answers all that follow. */
export function inTurn(...answers: readonly UpstreamAnswer[]): UpstreamAnswer {
  let calls = 0;
  return (response, call) => {
    const answer = answers[Math.min(calls, answers.length - 1)];
    calls += 1;
    answer?.(response, call);
  };
}

/** Sends so many pieces of the stream, then cuts the connection. */
export function cutAfter(pieces: number): UpstreamAnswer {
  return (response, call) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const sent = piecesOf(call).slice(0, pieces);
    response.write(sent.map(event).join(''), () => response.destroy());
  };
}

/** Sends the pieces as events, and the end of the stream. */
export function stream(response: ServerResponse, pieces: readonly unknown[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (const piece of pieces) response.write(event(piece));
  response.end('data: [DONE]\n\n');
}

/** Answers in one piece; text is sent as it is. */
export function sendJson(
  response: ServerResponse,
  body: object | string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const event = (piece: unknown): string => `data: ${JSON.stringify(piece)}\n\n`;

function wordsOf({ body }: UpstreamCall): string[] {
  const messages = (body['messages'] ?? []) as readonly { content: string }[];
  const prompt = messages.at(-1)?.content ?? body['prompt'];
  return `you said: ${String(prompt)}`.split(/(?= )/);
}

function usageOf(call: UpstreamCall): JsonObject {
  const words = wordsOf(call).length;
  return { prompt_tokens: words - 2, completion_tokens: words, total_tokens: 2 * words - 2 };
}

function headOf({ endpoint, body }: UpstreamCall, isPiece: boolean): JsonObject {
  const isChat = endpoint === 'chat/completions';
  const chat = isPiece ? 'chat.completion.chunk' : 'chat.completion';
  const object = isChat ? chat : 'text_completion';
  return { id: 'cmpl-1', object, created: 1_700_000_000, model: body['model'] };
}

function completionOf(call: UpstreamCall): JsonObject {
  const text = wordsOf(call).join('');
  const said =
    call.endpoint === 'chat/completions'
      ? { message: { role: 'assistant', content: text } }
      : { text };
  const choices = [{ index: 0, ...said, logprobs: null, finish_reason: 'stop' }];
  return { ...headOf(call, false), choices, usage: usageOf(call) };
}

/** The pieces of its stream: a word each, the reason of the end, and the usage when asked for. */
function piecesOf(call: UpstreamCall): JsonObject[] {
  const isChat = call.endpoint === 'chat/completions';
  const piece = (text: string, reason: string | null): JsonObject => {
    const said = isChat ? { delta: { content: text } } : { text };
    const choices = [{ index: 0, ...said, logprobs: null, finish_reason: reason }];
    return { ...headOf(call, true), choices };
  };
  const options = call.body['stream_options'] as { include_usage?: boolean } | undefined;
  const usage = { ...headOf(call, true), choices: [], usage: usageOf(call) };
  return [
    ...wordsOf(call).map((word) => piece(word, null)),
    piece('', 'stop'),
    ...(options?.include_usage === true ? [usage] : []),
  ];
}
