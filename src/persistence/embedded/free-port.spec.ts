import { createServer } from 'node:net';
import { once } from 'node:events';
import { freePort } from './free-port';

describe('freePort', () => {
  it('gives the preferred port while it is free, and another while it is not', async () => {
    const port = await freePort();
    expect(await freePort(port)).toBe(port);
    const occupant = createServer().listen(port, '127.0.0.1');
    await once(occupant, 'listening');
    expect(await freePort(port)).not.toBe(port);
    occupant.close();
  });

  it('stays below the ports of outgoing connections', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    for (const port of ports) expect(port).toBeLessThan(32_768);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(15_000);
  });
});
