import { SeededRandom } from '../../test/support/seeded-random';
import { QuantileDistribution } from './distribution';
import { ListSchedule, PLAYS, type Work } from './list-schedule';

const LEVELS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
const spread = new QuantileDistribution([0.1, 0.9], [500, 1_500]);
const longTailed = new QuantileDistribution(
  LEVELS,
  LEVELS.map((level) => -1_000 * Math.log(1 - level)),
);

function scheduled(slots: number, works: readonly Work[]): ListSchedule {
  const schedule = new ListSchedule([{ slots, speed: 1 }]);
  for (const work of works) schedule.deal(work);
  return schedule;
}

/** When the first slot is free, played through by chance. */
function truth(
  slots: number,
  work: QuantileDistribution,
  pieces: number,
): { mean: number; deviation: number } {
  const random = new SeededRandom(5);
  const times = Array.from({ length: 4_000 }, () => {
    const ends = new Array<number>(slots).fill(0);
    for (let n = 0; n < pieces; n++) {
      const first = ends.indexOf(Math.min(...ends));
      ends[first] = (ends[first] ?? 0) + work.sample(random);
    }
    return Math.min(...ends);
  });
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const squares = times.reduce((sum, time) => sum + (time - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / times.length) };
}

describe('ListSchedule', () => {
  it('is exact where lengths are certain', () => {
    const works = [500, 300, 200, 400].map((ms) => QuantileDistribution.point(ms));

    expect(scheduled(2, works).earliest()).toEqual({ mean: 500, variance: 0, common: 0 });
    expect(scheduled(5, works).earliest().mean).toBe(0);
  });

  it('is the sum on one slot: of the variances, and of the deviations if all err alike', () => {
    const { mean, variance, common } = scheduled(1, [spread, longTailed]).earliest();

    expect(mean).toBeCloseTo(spread.mean + longTailed.mean, 9);
    expect(variance).toBeCloseTo(spread.variance + longTailed.variance, 6);
    expect(common).toBeCloseTo(spread.deviation + longTailed.deviation, 9);
  });

  it.each([
    [2, 3],
    [2, 10],
    [4, 4],
    [4, 8],
    [4, 20],
    [8, 9],
    [8, 40],
  ])('on %d slots, of %d pieces, is what chance makes of it', (slots, pieces) => {
    for (const work of [spread, longTailed]) {
      const { mean, variance } = scheduled(slots, new Array<Work>(pieces).fill(work)).earliest();
      const { mean: really, deviation } = truth(slots, work, pieces);

      expect(mean / really).toBeGreaterThan(0.85);
      expect(mean / really).toBeLessThan(1.15);
      expect(Math.sqrt(variance) / deviation).toBeGreaterThan(0.75);
      expect(Math.sqrt(variance) / deviation).toBeLessThan(1.25);
    }
  });

  it('keeps the slots of several apart, each with its speed, and deals out to all of them', () => {
    const [slow, fast] = [0, 1];
    const schedule = new ListSchedule([
      { slots: 1, speed: 1 },
      { slots: 1, speed: 2 },
    ]);
    schedule.give(slow, QuantileDistribution.point(900));
    schedule.give(fast, QuantileDistribution.point(1_000));
    schedule.deal(QuantileDistribution.point(1_000));

    expect(schedule.earliest(fast).mean).toBe(1_000);
    expect(schedule.earliest(slow).mean).toBe(900);
    expect(schedule.earliest().mean).toBe(900);
  });

  it('adds what a group has already, and begins there no sooner than it may', () => {
    const schedule = scheduled(2, [
      QuantileDistribution.point(100),
      QuantileDistribution.point(50),
    ]);
    schedule.delay(0, 30, 0);
    expect(schedule.earliest().mean).toBe(80);
    schedule.delay(0, 0, 120);
    expect(schedule.earliest().mean).toBe(120);
  });

  it('counts a piece only in the plays that have it', () => {
    const schedule = new ListSchedule([{ slots: 1, speed: 1 }]);
    schedule.deal(QuantileDistribution.point(310), (play) => Number(play === 0));

    expect(schedule.earliest().mean).toBeCloseTo(310 / PLAYS, 9);
  });

  it('pours many small pieces over all slots, as if each were dealt', () => {
    const count = 400;
    const poured = new ListSchedule([{ slots: 4, speed: 2 }]);
    poured.pour({ count, mean: count * spread.mean, variance: count * spread.variance });
    const { mean, variance, common } = poured.earliest();

    expect(mean).toBeCloseTo((count * spread.mean) / 8, 6);
    expect(Math.sqrt(variance)).toBeCloseTo((Math.sqrt(count) * spread.deviation) / 8, 0);
    expect(common).toBeCloseTo((count * spread.deviation) / 8, 6);
  });
});
