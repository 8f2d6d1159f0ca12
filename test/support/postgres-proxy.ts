import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where a connection is cut: before the server gets all of a flush, or before the client gets its answer. */
export type Cut = 'before-commit' | 'after-commit';

/** Of each flush of the journal some statement writes events, the last one does; the server counts its rows. */
const MARKS: Readonly<Record<Cut, RegExp>> = {
  'before-commit': /journal_insert_(?:events|notes)\0/,
  'after-commit': /INSERT 0 \d+\0/,
};

/** A TCP connection to PostgreSQL that can be cut at a named moment, refused, or made to hang. */
export class PostgresProxy {
  /** Flushes whose connection was cut. */
  cuts = 0;
  private nextCut: Cut | undefined;
  private refusing = false;
  private refuseAfterCut = false;
  private holding = false;
  private readonly sockets = new Set<Socket>();
  private readonly clients = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  /** Listens on a free port and leads to that database. */
  static async listen(targetUrl: string): Promise<PostgresProxy> {
    const server = createServer();
    const proxy = new PostgresProxy(server, new URL(targetUrl));
    server.on('connection', (client) => proxy.accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.toString();
  }

  /** Cuts the connection at the next flush of the journal. @param thenRefuse no new connection until `admit` */
  cutNext(cut: Cut, thenRefuse = false): void {
    this.nextCut = cut;
    this.refuseAfterCut = thenRefuse;
  }

  /** Cuts every connection and refuses new ones. */
  refuse(): void {
    this.refusing = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Cuts the clients off; the server goes on with what it has been sent. */
  cutClients(): void {
    for (const client of this.clients) client.destroy();
  }

  /** Lets connections through again. */
  admit(): void {
    this.refusing = false;
  }

  /** Lets everything hang: connections stay, new ones are made, and nothing passes any more. */
  hold(): void {
    this.holding = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** Lets through what was held, and what comes. */
  release(): void {
    this.holding = false;
    for (const socket of this.sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect(Number(this.target.port), this.target.hostname);
    server.on('error', () => client.destroy());
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    }
    this.clients.add(client);
    client.on('close', () => {
      this.clients.delete(client);
      server.end();
    });
    server.on('close', () => client.destroy());
    client.on('data', (chunk) => this.pass(chunk, 'before-commit', client, server));
    server.on('data', (chunk) => this.pass(chunk, 'after-commit', client, client));
    if (this.holding) this.hold();
  }

  private pass(chunk: Buffer, moment: Cut, client: Socket, to: Socket): void {
    if (this.nextCut !== moment || !MARKS[moment].test(chunk.toString('latin1'))) {
      if (!to.destroyed) to.write(chunk);
      return;
    }
    this.nextCut = undefined;
    this.cuts++;
    if (this.refuseAfterCut) this.refuse();
    client.destroy();
  }
}
