import { ChaosRun } from './chaos-run';
import { startDurableCluster, type DurableCluster } from './cluster';
import { report } from './report';
import { SeededRandom } from './seeded-random';

/** How long a chaos run is. */
export interface ChaosSuiteOptions {
  /** How many times something is killed, paused or cut. */
  readonly acts: number;
  /** How long the run may take at most, in ms. */
  readonly timeoutMs: number;
}

/** One chaos run, its figures, and the verdict that nothing was lost, doubled or stuck. */
export function chaosSuite({ acts, timeoutMs }: ChaosSuiteOptions): void {
  const seed = Number(process.env['FORESAIL_TEST_SEED'] ?? Date.now() % 1_000_000);

  describe(`${acts} acts of chaos (FORESAIL_TEST_SEED=${seed})`, () => {
    let cluster: DurableCluster;

    beforeAll(async () => (cluster = await startDurableCluster()), 60_000);
    afterAll(() => cluster.dispose());

    it(
      'loses nothing, records nothing twice, and lets nothing get stuck',
      async () => {
        let played = 0;
        const { verdict, counts, violations, surprises } = await ChaosRun.play({
          cluster,
          random: new SeededRandom(seed),
          acts,
          tell: (act) => report('act', { [++played]: act }),
        });
        const { faults, ...figures } = verdict;
        report(`chaos, seed ${seed}`, { ...figures, ...Object.fromEntries(counts) });
        expect({ faults, violations, surprises }).toEqual({
          faults: [],
          violations: [],
          surprises: [],
        });
      },
      timeoutMs,
    );
  });
}
