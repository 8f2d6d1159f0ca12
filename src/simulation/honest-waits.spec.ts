import { PREDICTOR_PRESETS } from './predictors';
import { FLEET_PRESETS } from './fleets';
import { SIMULATED_STRATEGIES } from './policies';
import { Laboratory, tasksOf } from './simulate';
import { toldWaitsOf, type ToldWaits } from './told-waits';
import { syntheticRows } from './traces/synthetic-trace';

const TASKS = 3_000;

describe('the waits that are told', () => {
  const told = (fleet: string, load: number, strategy: string, orderG: number): ToldWaits => {
    const conditions = { fleet: FLEET_PRESETS.get(fleet)!, load, seed: 2 };
    const laboratory = new Laboratory(
      tasksOf(syntheticRows({ count: TASKS, seed: 2 }), 2),
      conditions,
    );
    const predictor = PREDICTOR_PRESETS.get('learned')!;
    const policy = { strategy: SIMULATED_STRATEGIES.get(strategy)!, orderG, predictor };
    return toldWaitsOf(laboratory.play(policy, { tellEvery: 5 }));
  };

  it.each([
    ['equal8', 0.85, 'shortest_queue', 0],
    ['equal8', 0.85, 'earliest', 2],
    ['equal8x4', 0.9, 'earliest', 0],
    ['mixed8', 0.85, 'earliest', 2],
  ])(
    'are honest on %s at load %d under %s, g = %d: 80 %% lie within 1.28 deviations',
    (fleet, load, strategy, orderG) => {
      const { tasks, within, toldOverActual } = told(fleet, load, strategy, orderG);

      expect(tasks).toBeGreaterThan(200);
      expect(within).toBeGreaterThan(0.7);
      expect(within).toBeLessThan(0.9);
      expect(toldOverActual).toBeGreaterThan(0.85);
      expect(toldOverActual).toBeLessThan(1.15);
    },
  );
});
