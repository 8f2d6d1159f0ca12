import { tokenServiceMs } from '../../ops/token-service';
import { syntheticRows } from '../../simulation/traces/synthetic-trace';
import { pacedFor, plannedFleet } from './fleet-plan';

describe('plannedFleet', () => {
  it('serves both models with machines of different speed', () => {
    expect(plannedFleet(6)).toEqual([
      { name: 'code-1', model: 'code', speed: 1 },
      { name: 'code-2', model: 'code', speed: 2 },
      { name: 'conv-1', model: 'conv', speed: 1 },
      { name: 'conv-2', model: 'conv', speed: 2 },
      { name: 'conv-3', model: 'conv', speed: 4 },
      { name: 'conv-4', model: 'conv', speed: 1 },
    ]);
  });

  it.each(Array.from({ length: 63 }, (_, index) => index + 2))('has %d workers', (count) => {
    const fleet = plannedFleet(count);

    expect(fleet).toHaveLength(count);
    expect(new Set(fleet.map(({ model }) => model)).size).toBe(2);
    expect(new Set(fleet.map(({ name }) => name)).size).toBe(count);
  });
});

describe('pacedFor', () => {
  it.each([1, 2, 60, 400])('offers no model more than 80 %% of its workers: %d tasks', (count) => {
    const fleet = plannedFleet(6);
    const rows = pacedFor(fleet, syntheticRows({ count, seed: 1 }));
    const seconds = rows.at(-1)?.arrivalSeconds ?? 0;
    const loads = ['code', 'conv'].map((model) => {
      const own = rows.filter((row) => row.model === model);
      const work = own.reduce((sum, r) => sum + tokenServiceMs(r.inputTokens, r.outputTokens), 0);
      const workers = fleet.filter((worker) => worker.model === model);
      const speed = workers.reduce((sum, worker) => sum + worker.speed, 0);
      return work / 1_000 / speed / seconds;
    });

    expect(Math.max(...loads)).toBeCloseTo(0.8, 6);
  });
});
