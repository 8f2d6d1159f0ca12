import { QUEUE, settingsOf } from '../../test/support/builders';
import { BATCH_QUEUE, queueKey } from './queue';
import { SettingsBook } from './queue-settings';
import { strategyName } from './units';

const OTHER = queueKey('model', 'other');
const DEFAULTS = settingsOf('earliest', { orderG: 2 });

describe('SettingsBook', () => {
  it('knows what holds where nobody has set anything', () => {
    const book = new SettingsBook(DEFAULTS, strategyName('least_loaded'));
    expect([book.of(null), book.of(QUEUE)]).toEqual([DEFAULTS, DEFAULTS]);
  });

  it('puts what one queue has before what all have, setting by setting', () => {
    const book = new SettingsBook(DEFAULTS, strategyName('least_loaded'));
    book.change(QUEUE, { strategy: strategyName('weighted'), orderG: 0 });
    book.change(null, { strategy: strategyName('round_robin'), prefetch: 1 });
    book.change(QUEUE, { paused: true });
    const ofAll = settingsOf('round_robin', { orderG: 2, prefetch: 1 });
    expect([book.of(null), book.of(OTHER)]).toEqual([ofAll, ofAll]);
    const own = settingsOf('weighted', { orderG: 0, prefetch: 1, paused: true });
    expect(book.of(QUEUE)).toEqual(own);
  });

  it('forgets what is set to null, and nothing else', () => {
    const book = new SettingsBook(DEFAULTS, strategyName('least_loaded'));
    book.change(null, { orderG: 5, limit: 3 });
    book.change(QUEUE, { orderG: 7, paused: true });
    book.change(QUEUE, { orderG: null });
    expect(book.of(QUEUE)).toEqual({ ...DEFAULTS, orderG: 5, limit: 3, paused: true });
    book.change(null, { orderG: null, limit: null });
    expect(book.of(QUEUE)).toEqual({ ...DEFAULTS, paused: true });
  });

  it('leaves a queue of jobs its own strategy, whatever every queue has', () => {
    const book = new SettingsBook(DEFAULTS, strategyName('least_loaded'));
    book.change(null, { strategy: strategyName('round_robin'), orderG: 0, limit: 7 });
    expect(book.of(BATCH_QUEUE)).toEqual(settingsOf('least_loaded', { limit: 7 }));
    book.change(BATCH_QUEUE, { strategy: strategyName('best_fit'), orderG: 3 });
    expect(book.of(BATCH_QUEUE)).toEqual(settingsOf('best_fit', { limit: 7, orderG: 3 }));
  });
});
