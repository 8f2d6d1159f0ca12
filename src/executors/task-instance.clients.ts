import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { TaskInstanceClient } from './task-instance.client';
import { TASK_INSTANCE_OPTIONS, type TaskInstanceOptions } from './task-instance.options';

/**
 * Clients that are kept. Above it the one that was not asked for longest is let go: addresses
 * that were only tried once must not pile up.
 */
const MOST_CLIENTS = 4_096;

/** One client, and so one pool of connections, per address. */
@Injectable()
export class TaskInstanceClients implements OnApplicationShutdown {
  /** Least recently used first. */
  private readonly clients = new Map<string, TaskInstanceClient>();
  private isShutDown = false;

  constructor(
    @Inject(TASK_INSTANCE_OPTIONS) private readonly options: Partial<TaskInstanceOptions>,
  ) {}

  /** The client of that address. Not to be kept for long: it is closed when it is forgotten. */
  for(host: string, port: number): TaskInstanceClient {
    const address = `${host}:${port}`;
    const client =
      this.clients.get(address) ?? new TaskInstanceClient({ host, port }, this.options);
    if (this.isShutDown) {
      void client.destroy();
      return client;
    }
    this.clients.delete(address);
    this.clients.set(address, client);
    this.letGoOfOldest();
    return client;
  }

  /** Lets go of the connections to that address; calls under way come to their end. */
  forget(host: string, port: number): void {
    this.letGo(`${host}:${port}`);
  }

  /** Ends everything that is under way: whoever leads next must not wait for a slow worker. */
  async onApplicationShutdown(): Promise<void> {
    this.isShutDown = true;
    const clients = [...this.clients.values()];
    this.clients.clear();
    await Promise.all(clients.map((client) => client.destroy()));
  }

  private letGoOfOldest(): void {
    if (this.clients.size <= MOST_CLIENTS) return;
    for (const address of this.clients.keys()) {
      this.letGo(address);
      return;
    }
  }

  private letGo(address: string): void {
    const client = this.clients.get(address);
    this.clients.delete(address);
    void client?.close();
  }
}
