import { createServer } from 'node:net';
import { HOST } from './layout';

// Below the range that Linux, macOS and Windows take outgoing connections from. The port must stay
// ours over a restart of the server, and a client that keeps trying a dead port of that range can
// by chance be given the same number for its own end, and then talks to itself.
const [LOWEST, HIGHEST] = [15_000, 32_000];
const TRIES = 50;

/** A port of the loopback address that is free now: `preferred` if it is, else one at random. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
  return portOfTheSystem();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

function portOfTheSystem(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
