import { queueKey } from '../core/queue';
import { QueueLabels } from './queue-labels';

describe('QueueLabels', () => {
  it('names a hundred queues, and the others together', () => {
    const labels = new QueueLabels();
    const of = (n: number) => labels.of(queueKey('model', `m/${n}`));
    const all = Array.from({ length: 150 }, (_, n) => of(n));
    expect(all[99]).toEqual({ kind: 'model', queue: 'm/99' });
    expect(all[100]).toEqual({ kind: 'model', queue: '(others)' });
    expect(of(7)).toEqual({ kind: 'model', queue: 'm/7' });
    expect(labels.of(queueKey('batch', 'm/7'))).toEqual({ kind: 'batch', queue: '(others)' });
  });
});
