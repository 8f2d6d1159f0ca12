/**
 * Stands in for vLLM or Ollama where there is none: lists one model and streams chat completions,
 * word by word. It knows no answers; it repeats the question.
 *
 *   node pretend-upstream.mjs [port, default 11435; 0 takes a free one]
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const MODEL = 'parrot';
const MS_PER_WORD = 50;

const server = createServer(async (request, response) => {
  if (request.url === '/v1/models') {
    answer(response, 200, { object: 'list', data: [{ id: MODEL, object: 'model' }] });
  } else if (request.url === '/v1/chat/completions' && request.method === 'POST') {
    await complete(await bodyOf(request), response);
  } else {
    answer(response, 404, { error: { message: `there is no ${request.method} ${request.url}` } });
  }
});

async function complete({ model, messages, stream }, response) {
  if (model !== MODEL) {
    answer(response, 404, { error: { message: `The model ${model} does not exist.` } });
    return;
  }
  if (stream !== true) {
    answer(response, 400, { error: { message: 'only streams here: stream must be true' } });
    return;
  }
  const words = `You asked: ${messages.at(-1).content}`.split(/(?= )/);
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const word of words) {
    await sleep(MS_PER_WORD);
    send(response, { ...head, choices: [{ index: 0, delta: { content: word } }] });
  }
  send(response, { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  const usage = { prompt_tokens: words.length - 2, completion_tokens: words.length };
  send(response, { ...head, choices: [], usage });
  response.end('data: [DONE]\n\n');
}

function send(response, event) {
  response.write(`data: ${JSON.stringify(event)}\n\n`);
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

server.listen(Number(process.argv[2] ?? 11435), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/v1`);
});
