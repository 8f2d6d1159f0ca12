import { EventEmitter } from 'node:events';
import { FakeClock } from '../../test/support/fake-clock';
import { onEndSignals } from './end-signals';

class Signalled extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

function setUp() {
  const target = new Signalled();
  const clock = new FakeClock();
  let begun = 0;
  onEndSignals(() => (begun += 1), target, clock);
  return { target, clock, begun: () => begun };
}

describe('onEndSignals', () => {
  it('takes the Ctrl-C that npm passes on once more as the same one', () => {
    const { target, clock, begun } = setUp();
    target.emit('SIGINT');
    target.emit('SIGINT');
    clock.advance(999);
    target.emit('SIGTERM');

    expect(begun()).toBe(1);
    expect(target.exits).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends the process at once on a later %s', (signal, code) => {
    const { target, clock, begun } = setUp();
    target.emit('SIGINT');
    clock.advance(1_000);
    target.emit(signal);

    expect(begun()).toBe(1);
    expect(target.exits).toEqual([code]);
  });
});
