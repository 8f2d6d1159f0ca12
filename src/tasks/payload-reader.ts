import { Injectable } from '@nestjs/common';
import type { TaskId } from '../core/units';
import { TasksRepository } from '../persistence/tasks.repository';
import { PayloadCache, type Payload } from './payload-cache';

/** What a task carries, from memory or from its row. Reads of one turn are one query. */
@Injectable()
export class PayloadReader {
  private wanted = new Set<TaskId>();
  private reading: Promise<ReadonlyMap<TaskId, Payload>> | undefined;

  constructor(
    private readonly cache: PayloadCache,
    private readonly tasks: TasksRepository,
  ) {}

  async read(id: TaskId): Promise<Payload | undefined> {
    const cached = this.cache.get(id);
    if (cached) return cached;
    this.wanted.add(id);
    this.reading ??= this.readWanted();
    return (await this.reading).get(id);
  }

  private async readWanted(): Promise<ReadonlyMap<TaskId, Payload>> {
    await Promise.resolve();
    const ids = [...this.wanted];
    this.wanted = new Set();
    this.reading = undefined;
    return this.tasks.payloadOf(ids);
  }
}
