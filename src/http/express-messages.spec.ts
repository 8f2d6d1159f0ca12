import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express } from 'express';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { ExpressMessages } from './express-messages';

const newApp = (): Express => new ExpressAdapter().getInstance<Express>();

describe('ExpressMessages', () => {
  const messages = new ExpressMessages();
  let app: Express;
  let server: Server;

  const ask = async (): Promise<unknown> => {
    const { port } = server.address() as AddressInfo;
    return (await request(`http://127.0.0.1:${port}/where?a=1`)).body.json();
  };

  beforeEach(async () => {
    server = createServer(messages, (message, response) => {
      app(message, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  it('leaves Express nothing to change', async () => {
    app = newApp();
    messages.adopt(app);
    let isOwn: boolean[] = [];
    app.get('/where', (message, response) => {
      isOwn = [
        Object.getPrototypeOf(message) === messages.IncomingMessage.prototype,
        Object.getPrototypeOf(response) === messages.ServerResponse.prototype,
        message.app === app,
        response.app === app,
      ];
      response.set('x-a', 'b').json({ path: message.path, a: message.query['a'] });
    });
    expect(await ask()).toEqual({ path: '/where', a: '1' });
    expect(isOwn).toEqual([true, true, true, true]);
  });

  it('serves one application after the other', async () => {
    for (const name of ['first', 'second']) {
      app = newApp();
      messages.adopt(app);
      app.set('json spaces', name.length);
      app.get('/where', (message, response) => {
        response.json({ name, isOwn: message.app === app });
      });
      expect(await ask()).toEqual({ name, isOwn: true });
    }
  });

  it('is no hindrance while there is no application', async () => {
    const plain = new ExpressMessages();
    const bare = createServer(plain, (message, response) => {
      response.end(JSON.stringify(message.url));
    });
    bare.listen(0, '127.0.0.1');
    await once(bare, 'listening');
    const { port } = bare.address() as AddressInfo;
    expect(await (await request(`http://127.0.0.1:${port}/x`)).body.json()).toBe('/x');
    bare.close();
    bare.closeAllConnections();
  });
});
