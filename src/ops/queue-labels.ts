import { Injectable } from '@nestjs/common';
import { queueName } from '../core/queue';
import type { QueueKey } from '../core/units';

/** Labels by which figures tell queues apart. */
export interface QueueLabel {
  readonly kind: string;
  readonly queue: string;
}

/** Queues with figures of their own; clients make the names, and every name is several series. */
const MOST_QUEUES = 100;
/** What the others are called together. */
const OTHERS = '(others)';

/** The first hundred queues of a term have labels of their own, the others share one per kind. */
@Injectable()
export class QueueLabels {
  private readonly known = new Map<QueueKey, QueueLabel>();

  of(key: QueueKey): QueueLabel {
    const known = this.known.get(key);
    if (known) return known;
    const kind = key.slice(0, key.indexOf('/'));
    if (this.known.size >= MOST_QUEUES) return { kind, queue: OTHERS };
    const label = { kind, queue: queueName(key) };
    this.known.set(key, label);
    return label;
  }
}
