import * as fc from 'fast-check';
import { heldOf, quartiles, taskOf } from '../../test/support/builders';
import { SeededRandom } from '../../test/support/seeded-random';
import { Backlog } from './backlog';
import type { Task } from './task';
import { instant } from './units';

/** What may happen at an instance, with the moment at which it does. */
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('hold', 'letGo', 'plan', 'unplan', 'advance', 'observe' as const),
    ms: fc.integer({ min: 1, max: 5_000 }),
    passes: fc.integer({ min: 0, max: 3_000 }),
  }),
  { maxLength: 40 },
);

function taskOfMs(ms: number): Task {
  return taskOf({ prediction: quartiles(ms / 2, ms, 2 * ms) });
}

/** The same backlog, made anew from what is there now. */
function rebuilt(backlog: Backlog, foreign: { readonly ms: number; readonly at: number }): Backlog {
  const copy = new Backlog();
  for (const held of backlog.held) copy.hold(held);
  for (const task of backlog.plannedTasks()) copy.plan(task);
  copy.observeForeign(foreign.ms, instant(foreign.at));
  return copy;
}

describe('WaitDigest', () => {
  it('knows nothing but what is there, whatever came before', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0.1, max: 8, noNaN: true }), (sequence, speed) => {
        const backlog = new Backlog();
        const pace = { slots: 1, speed };
        let foreign = { ms: 0, at: 0 };
        let now = 1_000;
        for (const { kind, ms, passes } of sequence) {
          now += passes;
          const at = instant(now);
          const [held] = backlog.held;
          const [planned] = backlog.plannedTasks();
          if (kind === 'hold') backlog.hold(heldOf(taskOfMs(ms)));
          if (kind === 'letGo' && held) backlog.letGo(held.attempt);
          if (kind === 'plan') backlog.plan(taskOfMs(ms));
          if (kind === 'unplan' && planned) backlog.unplan(planned);
          if (kind === 'advance') backlog.advance(1, at);
          if (kind === 'observe') backlog.observeForeign(ms, at);
          if (kind === 'observe') foreign = { ms, at: now };
          const anew = rebuilt(backlog, foreign);
          const [told, expected] = [backlog, anew].map((one) => one.waitMoments(pace, at));
          expect(told?.mean).toBeCloseTo(expected?.mean ?? Number.NaN, 6);
          const draws = [backlog, anew].map((one) =>
            one.sampleWait(pace, at, new SeededRandom(ms)),
          );
          expect(draws[0]).toBeCloseTo(draws[1] ?? Number.NaN, 6);
        }
      }),
    );
  });

  it('draws as often below the mean that it tells as a distribution of such a mean does', () => {
    const backlog = new Backlog();
    backlog.hold(heldOf(taskOfMs(400), { runningSince: instant(900) }));
    for (const ms of [100, 200]) backlog.plan(taskOfMs(ms));
    const pace = { slots: 1, speed: 2 };
    const random = new SeededRandom(5);
    const draws = Array.from({ length: 20_000 }, () =>
      backlog.sampleWait(pace, instant(1_000), random),
    );
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const told = backlog.waitMoments(pace, instant(1_000));
    const standardError = Math.sqrt(told.variance / draws.length);
    expect(Math.abs(mean - told.mean)).toBeLessThan(5 * standardError);
  });
});
