/**
 * Puts a question to a model through the queue and prints the answer.
 *
 *   node ask.mjs MODEL "Why is the sky blue?"
 *
 * FORESAIL_URL says where the scheduler is, default http://127.0.0.1:8102; FORESAIL_KEY is shown to
 * it when it is set.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const scheduler = process.env.FORESAIL_URL ?? 'http://127.0.0.1:8102';
const key = process.env.FORESAIL_KEY;
const headers = {
  'content-type': 'application/json',
  ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
};
const [model, question] = process.argv.slice(2);
if (question === undefined) throw new Error('usage: node ask.mjs MODEL QUESTION');

const submitted = await fetch(`${scheduler}/queue/submit`, {
  method: 'POST',
  headers,
  body: JSON.stringify({
    model_name: model,
    // An id of our own: when the answer is lost, the same call finds the same task.
    task_id: randomUUID(),
    task_input: { messages: [{ role: 'user', content: question }] },
    metadata: {},
  }),
});
const receipt = await submitted.json();
if (!submitted.ok) throw new Error(receipt.message);

const task = await untilCompleted(receipt.task_id);
const { choices, usage, error } = task.result;
if (error !== undefined) throw new Error(error);
console.log(choices[0].message.content);
console.log(`(${usage.completion_tokens} tokens)`);

async function untilCompleted(id) {
  for (;;) {
    const path = `/task/query?task_id=${encodeURIComponent(id)}`;
    const answer = await fetch(scheduler + path, { headers });
    const found = await answer.json();
    if (found.task_status === 'completed') return found;
    await sleep(200);
  }
}
