import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { announce } from './child';

/** The limit of one process on this machine: parses a JSON body and sends it back. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    const body = JSON.stringify(JSON.parse(text === '' ? '{}' : text));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  announce((server.address() as AddressInfo).port);
});
