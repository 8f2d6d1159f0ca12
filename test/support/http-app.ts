import { createConnection } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Module, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Admission } from '../../src/http/admit';
import { configureHttp, HttpOptions } from '../../src/http/configure-http';
import { openFrontDoor } from '../../src/http/front-door-listener';

/** An application on a free port of 127.0.0.1, stopped by `close`. */
export interface HttpApp {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Nobody is trusted by network, and no key exists: loopback may do everything. */
export const OPEN_ADMISSION: Admission = {
  trustedNetworks: [],
  allowedHosts: [],
  keys: { anyKeyExists: () => false, verify: () => false },
};

/**
 * Starts an application of the given controllers, with our whole HTTP front before them.
 * @param entrance how requests come in; default: through Express
 */
export async function startHttpApp(
  controllers: readonly Type[],
  options: HttpOptions,
  entrance: 'express' | 'front door' = 'express',
): Promise<HttpApp> {
  @Module({ controllers: [...controllers] })
  class TestModule {}
  // Nest declares its options as a class whose instances nobody makes.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const app = await NestFactory.create<NestExpressApplication>(TestModule, {
    bodyParser: false,
    logger: false,
  });
  configureHttp(app, options);
  await app.init();
  if (entrance === 'front door') {
    const door = openFrontDoor(app, options);
    app.getHttpServer().removeAllListeners('request').on('request', door);
  }
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      app.getHttpServer().closeAllConnections();
      await app.close();
    },
  };
}

/** Sends raw bytes on a connection of its own and returns all that came back until it was closed. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}
