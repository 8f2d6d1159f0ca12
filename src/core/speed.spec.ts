import fc from 'fast-check';
import { SeededRandom } from '../ops/seeded-random';
import { sampleNormal } from './distribution';
import { Speed, SpeedScale, UNSEEN } from './speed';

const PREDICTED_MS = 1_000;

describe('SpeedScale', () => {
  const random = new SeededRandom(7);
  const scaleOf = (...members: Speed[]): SpeedScale => {
    const scale = new SpeedScale();
    for (const member of members) scale.join(member);
    return scale;
  };
  const fleetOf = (count: number): Speed[] => Array.from({ length: count }, () => new Speed());

  /** Runs a task that was predicted `bias` times too short, with log-normal noise. */
  const run = (scale: SpeedScale, speed: Speed, truth: number, bias = 1, sigma = 0.3): void => {
    const noise = Math.exp(sampleNormal({ mean: 0, variance: sigma * sigma }, random));
    scale.learn(speed, PREDICTED_MS, (PREDICTED_MS * bias * noise) / truth);
  };
  const relative = (scale: SpeedScale, a: Speed, b: Speed): number => scale.of(a) / scale.of(b);
  const geometricMean = (scale: SpeedScale, members: readonly Speed[]): number => {
    const logs = members.map((member) => Math.log(scale.of(member) / member.declared));
    return Math.exp(logs.reduce((sum, log) => sum + log, 0) / members.length);
  };

  it('takes an instance at its word at first', () => {
    const [one, other] = [new Speed(), new Speed({ ...UNSEEN, declared: 4 })];
    const scale = scaleOf(one, other);
    expect([scale.of(one), scale.of(other)]).toEqual([1, 4]);
  });

  it('finds the speeds of instances that say nothing of them', () => {
    const members = fleetOf(4);
    const scale = scaleOf(...members);
    const truths = [1, 1, 2, 4];
    for (let n = 0; n < 200; n++) {
      members.forEach((member, at) => run(scale, member, truths[at] ?? 1));
    }
    const [a, b, c, d] = members as [Speed, Speed, Speed, Speed];
    expect(relative(scale, b, a)).toBeCloseTo(1, 0);
    expect(Math.abs(relative(scale, c, a) / 2 - 1)).toBeLessThan(0.15);
    expect(Math.abs(relative(scale, d, a) / 4 - 1)).toBeLessThan(0.15);
    expect(geometricMean(scale, members)).toBeCloseTo(1, 9);
  });

  it('does not take the error of the predictions for the speed of the instances', () => {
    const members = fleetOf(3);
    const scale = scaleOf(...members);
    for (let n = 0; n < 300; n++) {
      for (const member of members) run(scale, member, 1, n < 150 ? 5 : 0.2);
    }
    for (const member of members) expect(Math.abs(scale.of(member) - 1)).toBeLessThan(0.1);
  });

  it('keeps the estimate of one that rests while the predictions change', () => {
    const [slow, fast] = fleetOf(2) as [Speed, Speed];
    const scale = scaleOf(slow, fast);
    for (let n = 0; n < 200; n++) {
      run(scale, slow, 1);
      run(scale, fast, 2);
    }
    const before = relative(scale, fast, slow);
    for (let n = 0; n < 300; n++) run(scale, fast, 2, 4);
    expect(Math.abs(relative(scale, fast, slow) / before - 1)).toBeLessThan(0.25);
  });

  it('learns nothing of an instance that is alone', () => {
    const [only] = fleetOf(1) as [Speed];
    const scale = scaleOf(only);
    for (let n = 0; n < 100; n++) run(scale, only, 3);
    expect(scale.of(only)).toBe(1);
  });

  it('corrects a wrong word', () => {
    const [honest, boaster] = [new Speed(), new Speed({ ...UNSEEN, declared: 4 })];
    const scale = scaleOf(honest, boaster);
    for (let n = 0; n < 300; n++) for (const member of [honest, boaster]) run(scale, member, 1);
    expect(Math.abs(relative(scale, boaster, honest) - 1)).toBeLessThan(0.2);
  });

  it('is moved little by one absurd time', () => {
    const [a, b] = fleetOf(2) as [Speed, Speed];
    const scale = scaleOf(a, b);
    for (let n = 0; n < 50; n++) for (const member of [a, b]) run(scale, member, 1);
    const before = scale.of(a);
    scale.learn(a, PREDICTED_MS, 1e-6);
    expect(Math.abs(scale.of(a) / before - 1)).toBeLessThan(0.05);
  });

  it('forgets what was learned when an instance says another thing of itself', () => {
    const [a, b] = fleetOf(2) as [Speed, Speed];
    const scale = scaleOf(a, b);
    for (let n = 0; n < 100; n++) {
      run(scale, a, 1);
      run(scale, b, 2);
    }
    scale.declare(b, 1);
    expect(b.outcomes).toBe(100);
    scale.declare(b, 3);
    expect(b.record).toEqual({ declared: 3, surplus: 0, outcomes: 0 });
  });

  it('never says anything but a positive number within bounds, and always has mean factor 1', () => {
    const moves = fc.array(
      fc.record({
        who: fc.nat(3),
        predictedMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
        executionMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(moves, (all) => {
        const members = fleetOf(4);
        const scale = scaleOf(...members);
        for (const { who, predictedMs, executionMs } of all) {
          const member = members[who];
          if (member) scale.learn(member, predictedMs, executionMs);
        }
        for (const member of members) {
          expect(scale.of(member)).toBeGreaterThanOrEqual(1 / 16 - 1e-9);
          expect(scale.of(member)).toBeLessThanOrEqual(16 + 1e-9);
        }
        const surpluses = members.map(({ surplus }) => surplus);
        const mean = surpluses.reduce((sum, one) => sum + one, 0) / members.length;
        const logs = members.map((one) => Math.log(scale.of(one)));
        members.forEach(({ surplus }, at) => {
          const isWithin = Math.abs(surplus - mean) < Math.log(16);
          if (isWithin) expect(logs[at]).toBeCloseTo(surplus - mean, 6);
        });
      }),
    );
  });

  it('counts only who is there', () => {
    const [a, b, c] = fleetOf(3) as [Speed, Speed, Speed];
    const scale = scaleOf(a, b, c);
    for (let n = 0; n < 100; n++) {
      run(scale, a, 1);
      run(scale, b, 1);
      run(scale, c, 8);
    }
    scale.leave(c);
    expect(geometricMean(scale, [a, b])).toBeCloseTo(1, 9);
  });
});
