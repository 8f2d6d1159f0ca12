import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * One address for several services, as a load balancer or a floating address gives it: workers
 * know this one, and it leads to whichever service the test says.
 */
export class VirtualAddress {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    private target: number,
  ) {}

  /** Listens on a free port. @param target port of the service that it leads to */
  static async listen(target: number): Promise<VirtualAddress> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const address = new VirtualAddress(server, `http://127.0.0.1:${port}`, target);
    server.on('connection', (socket) => address.accept(socket));
    return address;
  }

  /** Leads to another service from now on; connections to the one before are cut. */
  pointTo(port: number): void {
    this.target = port;
    this.cut();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    await closed;
  }

  private cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => undefined);
      one.once('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
