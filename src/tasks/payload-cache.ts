import { Injectable } from '@nestjs/common';
import type { TaskId } from '../core/units';

/** What a task carries to its worker: JSON texts, exactly as they are stored. */
export interface Payload {
  readonly taskInput: string;
  readonly metadata: string;
}

/** Bytes of memory that payloads take at most, in two halves. */
const CAPACITY_BYTES = 8 * 1024 * 1024;
/** What a payload takes beside its text: its place, its object and two headers of strings. */
const ENTRY_BYTES = 160;

/**
 * Some payloads, so that a task that is sent soon need not be read back. When the newer half is
 * full, the older one is let go as a whole: nothing has to be looked for then.
 */
@Injectable()
export class PayloadCache {
  private newer = new Map<TaskId, Payload>();
  private older = new Map<TaskId, Payload>();
  /** Of the newer half. */
  private bytes = 0;

  /** Keeps the payload of a task that is sent at once, unless it is larger than half of the capacity. */
  put(id: TaskId, payload: Payload): void {
    const size = sizeOf(payload);
    this.delete(id);
    if (size > CAPACITY_BYTES / 2) return;
    if (!this.hasRoom(size)) this.turnOver();
    this.newer.set(id, payload);
    this.bytes += size;
  }

  /**
   * Keeps the payload of a task that waits, if none has to go for it: those before it in line are
   * sent sooner, and of a long line all would go before their turn.
   */
  offer(id: TaskId, payload: Payload): void {
    if (this.hasRoom(sizeOf(payload)) || this.older.size === 0) this.put(id, payload);
  }

  get(id: TaskId): Payload | undefined {
    return this.newer.get(id) ?? this.older.get(id);
  }

  delete(id: TaskId): void {
    this.older.delete(id);
    const payload = this.newer.get(id);
    if (!payload) return;
    this.newer.delete(id);
    this.bytes -= sizeOf(payload);
  }

  private hasRoom(size: number): boolean {
    return this.bytes + size <= CAPACITY_BYTES / 2;
  }

  private turnOver(): void {
    this.older = this.newer;
    this.newer = new Map();
    this.bytes = 0;
  }
}

function sizeOf({ taskInput, metadata }: Payload): number {
  return taskInput.length + metadata.length + ENTRY_BYTES;
}
