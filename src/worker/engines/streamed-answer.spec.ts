import type { JsonObject } from '../../http/dto-fields';
import { StreamedAnswer } from './streamed-answer';

const chat = (...chunks: JsonObject[]): StreamedAnswer => {
  const answer = new StreamedAnswer('chat/completions');
  for (const chunk of chunks) answer.add(chunk);
  return answer;
};

const head = { id: 'c1', object: 'chat.completion.chunk', created: 7, model: 'up' };
const piece = (delta: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: null, logprobs: null, ...more }],
});

describe('StreamedAnswer', () => {
  it('is the completion that the pieces are of', () => {
    const answer = chat(
      piece({ role: 'assistant', content: '' }),
      piece({ role: 'assistant', content: 'Hel' }),
      piece({ content: 'lo' }),
      piece({}, { finish_reason: 'stop' }),
      { ...head, choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
    );

    expect(answer.isFinished).toBe(true);
    expect(answer.size).toBe(5);
    expect(answer.whole()).toEqual({
      ...head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello' },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    });
  });

  it('puts calls to tools, reasoning and log probabilities together', () => {
    const call = (index: number, more: JsonObject): JsonObject => ({
      tool_calls: [{ index, ...more }],
    });
    const answer = chat(
      piece({ role: 'assistant', reasoning_content: 'Let me' }),
      piece({ reasoning_content: ' see' }, { logprobs: { content: [{ token: 'a' }] } }),
      piece(call(0, { id: 'x', type: 'function', function: { name: 'add', arguments: '' } })),
      piece(call(0, { function: { arguments: '{"a":' } })),
      piece(call(0, { function: { arguments: '1}' } })),
      piece(call(1, { id: 'y', type: 'function', function: { name: 'sub', arguments: '{}' } })),
      piece({}, { finish_reason: 'tool_calls', logprobs: { content: [{ token: 'b' }] } }),
    );

    expect(answer.whole()['choices']).toEqual([
      {
        index: 0,
        finish_reason: 'tool_calls',
        logprobs: { content: [{ token: 'a' }, { token: 'b' }] },
        message: {
          role: 'assistant',
          content: null,
          reasoning_content: 'Let me see',
          tool_calls: [
            { id: 'x', type: 'function', function: { name: 'add', arguments: '{"a":1}' } },
            { id: 'y', type: 'function', function: { name: 'sub', arguments: '{}' } },
          ],
        },
      },
    ]);
  });

  it('keeps several choices apart, and is finished when all are', () => {
    const answer = new StreamedAnswer('completions');
    answer.add({ choices: [{ index: 1, text: 'b' }] });
    answer.add({ choices: [{ index: 0, text: 'a', finish_reason: 'stop' }] });
    expect(answer.isFinished).toBe(false);
    answer.add({ choices: [{ index: 1, text: 'c', finish_reason: 'length' }] });

    expect(answer.isFinished).toBe(true);
    expect(answer.whole()).toEqual({
      object: 'text_completion',
      choices: [
        { index: 0, text: 'a', finish_reason: 'stop', logprobs: null },
        { index: 1, text: 'bc', finish_reason: 'length', logprobs: null },
      ],
    });
  });

  it('survives pieces that are not what they should be', () => {
    const odd: unknown = JSON.parse('{"__proto__":{"polluted":1},"choices":[7,null,{"delta":5}]}');
    const answer = chat(odd as JsonObject, { choices: 'none' }, {});

    expect(answer.size).toBe(0);
    expect(({} as JsonObject)['polluted']).toBeUndefined();
    expect(answer.whole()).toMatchObject({ object: 'chat.completion' });
  });
});
