import { fleetRig } from '../../test/support/builders';
import { WakeupBell } from '../ops/wakeup';
import { PayloadCache } from '../tasks/payload-cache';
import { TaskRecorder } from '../tasks/task-recorder';
import { PlacementEnds } from './placement-ends';

function endsWith(spareRows: number, available = true): PlacementEnds {
  const journal = { available, spareRows, append: () => Promise.resolve() };
  const term = { epoch: 1, end: () => undefined };
  const recorder = new TaskRecorder(fleetRig().fleet, journal, new PayloadCache(), term, []);
  return new PlacementEnds(recorder, new WakeupBell());
}

describe('PlacementEnds', () => {
  it.each([
    ['for none', 2, 0],
    ['for one', 5, 1],
    ['for some', 900, 300],
    ['for very many', 25_000, 1_000],
  ])('lets no more end at once than the journal has room for: %s', (_, spareRows, atOnce) => {
    expect(endsWith(spareRows).atOnce).toBe(atOnce);
  });

  it('lets none end by itself while nothing can be recorded', () => {
    expect(endsWith(25_000, false).atOnce).toBe(0);
  });
});
