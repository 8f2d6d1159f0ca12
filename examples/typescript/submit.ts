import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const url = process.env.FORESAIL_URL ?? 'http://127.0.0.1:8102';
const key = process.env.FORESAIL_KEY;
const POLL_MS = 200;
const TRIES = 10;

/** What the scheduler says of a task (`GET /task/query`). */
interface Task {
  readonly task_id: string;
  readonly task_status: 'queued' | 'scheduled' | 'completed';
  /** Null until it is completed; a failed task has `{"error": …}`. */
  readonly result: { readonly error?: string } | null;
}

/** One call, repeated while the scheduler is away or says "not now". */
async function call<Answer>(path: string, body?: object): Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  for (let left = TRIES; ; left -= 1) {
    const answer = await fetch(url + path, { ...init, headers }).catch((error: unknown) => {
      if (left === 0) throw error;
      return undefined;
    });
    if (answer?.ok === true) return (await answer.json()) as Answer;
    const isForNow = answer === undefined || answer.status === 429 || answer.status === 503;
    if (answer !== undefined && (!isForNow || left === 0)) {
      throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    }
    await sleep(1_000 * Number(answer?.headers.get('retry-after') ?? 1));
  }
}

async function main(model: string, prompt: string): Promise<void> {
  const id = randomUUID();
  await call('/queue/submit', { model_name: model, task_id: id, task_input: { prompt } });
  let task = await call<Task>(`/task/query?task_id=${id}`);
  while (task.task_status !== 'completed') {
    await sleep(POLL_MS);
    task = await call<Task>(`/task/query?task_id=${id}`);
  }
  console.log(JSON.stringify(task.result, null, 2));
  if (task.result?.error !== undefined) process.exitCode = 1;
}

const [model = 'demo', prompt = 'hello'] = process.argv.slice(2);
void main(model, prompt);
