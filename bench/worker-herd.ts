import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/**
 * Many task instances in one process. Each has one replica, takes what it is sent and never ends
 * it: whatever else is submitted goes on waiting.
 */
async function startWorker(name: string, model: string): Promise<number> {
  let accepted = 0;
  const status = (): object => ({
    instance_id: name,
    model_type: model,
    replicas_running: 1,
    queue_size: 0,
    status: accepted === 0 ? 'idle' : 'running',
    dispatch_ids: true,
  });
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const path = request.url?.split('?')[0];
      const answer =
        path === '/status'
          ? status()
          : path === '/queue/enqueue'
            ? { task_id: `${name}-${++accepted}`, queue_size: accepted, enqueue_time: 0 }
            : undefined;
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { detail: 'Not Found' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function startHerd(count: number, models: number): Promise<void> {
  const ports: number[] = [];
  for (let n = 0; n < count; n += 1) ports.push(await startWorker(`w${n}`, `model-${n % models}`));
  process.send?.({ ports });
}

void startHerd(Number(process.argv[2]), Number(process.argv[3]));
