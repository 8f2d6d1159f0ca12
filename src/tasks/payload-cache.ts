import { Injectable } from '@nestjs/common';
import type { TaskId } from '../core/units';

/** What a task carries to its worker: JSON texts, exactly as they are stored. */
export interface Payload {
  readonly taskInput: string;
  readonly metadata: string;
}

/** Payloads of tasks that are about to be sent stay in memory up to this many bytes. */
const CAPACITY_BYTES = 32 * 1024 * 1024;

/** The newest payloads, so that a task that is sent at once need not be read back. */
@Injectable()
export class PayloadCache {
  private readonly payloads = new Map<TaskId, Payload>();
  private bytes = 0;

  put(id: TaskId, payload: Payload): void {
    this.delete(id);
    this.payloads.set(id, payload);
    this.bytes += size(payload);
    for (const oldest of this.payloads.keys()) {
      if (this.bytes <= CAPACITY_BYTES) break;
      this.delete(oldest);
    }
  }

  get(id: TaskId): Payload | undefined {
    return this.payloads.get(id);
  }

  delete(id: TaskId): void {
    const payload = this.payloads.get(id);
    if (!payload) return;
    this.payloads.delete(id);
    this.bytes -= size(payload);
  }
}

function size({ taskInput, metadata }: Payload): number {
  return taskInput.length + metadata.length;
}
