import { keptLog } from '../../test/support/worker-fakes';
import type { Load } from './load';
import { LoadMeter } from './load-meter';
import type { LoadSource } from './load-source';

const FULL: Load = { currentTasks: 8, taskIds: null };
const TWO: Load = { currentTasks: 2, taskIds: ['a', 'b'] };

/** Answers what it is told to; an error is thrown. */
class ScriptedSource implements LoadSource {
  next: Load | Error = TWO;
  closed = 0;

  read(): Promise<Load> {
    return this.next instanceof Error ? Promise.reject(this.next) : Promise.resolve(this.next);
  }

  close(): void {
    this.closed += 1;
  }
}

describe('LoadMeter', () => {
  it('reads anew, and knows what it read last', async () => {
    const meter = new LoadMeter(new ScriptedSource(), FULL, keptLog().log);
    expect(meter.latest).toEqual(FULL);
    expect(await meter.read()).toEqual(TWO);
    expect(meter.latest).toEqual(TWO);
  });

  it('is unknown again while the source fails, and says so once', async () => {
    const { log, events } = keptLog();
    const source = new ScriptedSource();
    const meter = new LoadMeter(source, FULL, log);
    source.next = new Error('gone');
    expect(await meter.read()).toEqual(FULL);
    source.next = TWO;
    await meter.read();
    source.next = new Error('gone');
    expect([await meter.read(), await meter.read()]).toEqual([FULL, FULL]);
    source.next = new Error('gone in another way');
    expect([await meter.read(), meter.latest]).toEqual([FULL, FULL]);
    expect(events()).toEqual(['load_unknown', 'load_read', 'load_unknown']);
  });

  it('has what it was given where nothing is asked', async () => {
    const meter = new LoadMeter(null, FULL, keptLog().log);
    expect(await meter.read()).toEqual(FULL);
    meter.close();
  });

  it('closes its source, and does not complain of a reading that this ends', async () => {
    const { log, events } = keptLog();
    const source = new ScriptedSource();
    const meter = new LoadMeter(source, FULL, log);
    source.next = new Error('killed');
    const reading = meter.read();
    meter.close();
    expect(await reading).toEqual(FULL);
    expect([source.closed, events()]).toEqual([1, []]);
  });
});
