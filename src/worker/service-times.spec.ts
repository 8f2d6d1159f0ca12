import type { EngineTask } from './engine';
import { ServiceTimes } from './service-times';

const task = (metadata: EngineTask['metadata'] = {}): EngineTask => ({
  id: 't',
  dispatchId: null,
  model: 'm',
  input: {},
  metadata,
});

describe('ServiceTimes', () => {
  it('knows nothing before the first execution, and then what that took', () => {
    const times = new ServiceTimes(1);
    expect(times.estimate(task())).toEqual({ expectedMs: 0, errorMs: 0 });
    times.learn(120);

    expect(times.estimate(task())).toEqual({ expectedMs: 120, errorMs: 0 });
  });

  it('follows what executions take, and how much they differ', () => {
    const times = new ServiceTimes(1);
    for (let n = 0; n < 500; n += 1) times.learn(n % 2 === 0 ? 90 : 110);
    const { expectedMs, errorMs } = times.estimate(task());

    expect(Math.abs(expectedMs - 100)).toBeLessThan(2);
    expect(Math.abs(errorMs - 10)).toBeLessThan(1);
    for (let n = 0; n < 100; n += 1) times.learn(1000);
    expect(times.estimate(task()).expectedMs).toBeGreaterThan(990);
  });

  it('believes a task that says how long it takes, in its own speed', () => {
    const times = new ServiceTimes(2);
    times.learn(7);

    expect(times.estimate(task({ predicted_ms: 300 }))).toEqual({ expectedMs: 150, errorMs: 0 });
    expect(times.estimate(task({ predicted_ms: 'soon' })).expectedMs).toBe(7);
  });
});
