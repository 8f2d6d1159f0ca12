/**
 * Gives one task to a task instance and waits for its result:
 *
 *     foresail worker --model demo --port 8100
 *     npm start -- 127.0.0.1 8100
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  dispatchId,
  TaskInstanceClient,
  TaskInstanceError,
  taskId,
  type WorkerResult,
} from 'foresail/clients';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/** Asks until the task has ended, less and less often. */
async function resultOf(client: TaskInstanceClient, remoteId: string): Promise<WorkerResult> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const result = await client.result(remoteId); // null: not finished, or not known
    if (result?.state === 'completed' || result?.state === 'failed') return result;
    await sleep(pauseMs);
  }
}

const [host = '127.0.0.1', port = '8100'] = process.argv.slice(2);
const client = new TaskInstanceClient({ host, port: Number(port) }, { statusMs: 2_000 });

try {
  const { protocol, status } = await client.identify();
  console.log(`${status.name} serves ${status.model ?? 'nothing'} with ${status.slots} replicas`);

  const remoteId = await client.enqueue(protocol, {
    taskId: taskId('example-1'),
    dispatchId: dispatchId(randomUUID()), // a new one for every attempt
    queueName: status.model ?? 'demo',
    taskInput: JSON.stringify({ prompt: 'hi' }),
    metadata: JSON.stringify({ service_ms: 50 }),
  });

  const { state, resultText, error } = await resultOf(client, remoteId);
  console.log(`${remoteId} ${state}: ${resultText ?? error ?? 'without a result'}`);
} catch (error) {
  if (!(error instanceof TaskInstanceError)) throw error;
  console.error(error.message); // names the instance and the call
  // Unsent, it may be sent elsewhere; else the instance may have it.
  console.error(error.sent ? 'it may have arrived' : 'it has certainly not arrived');
  process.exitCode = 1;
} finally {
  await client.close();
}
