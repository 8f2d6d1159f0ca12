import { AgentPlayers } from '../support/agent-players';
import { report } from '../support/report';
import { rowsOf, violationsIn } from '../support/verdict';
import { Scenario } from '../support/scenario';
import { SeededRandom } from '../support/seeded-random';
import { until } from '../support/until';

jest.setTimeout(180_000);

const SEED = Number(process.env['FORESAIL_TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const HEARTBEAT_MS = 3_000;
/** Longer than a heartbeat and a client's way together, on a busy machine too. */
const LANDING_MS = 6_000;

describe(`1 000 agents on a bad network (FORESAIL_TEST_SEED=${SEED})`, () => {
  it('have what the scheduler counts, and never more than they can take', async () => {
    const scenario = await Scenario.begin({
      env: { FORESAIL_WORKER_LANDING_MS: String(LANDING_MS) },
    });
    const { url } = await scenario.serve();
    const players = new AgentPlayers({
      url,
      random: new SeededRandom(SEED),
      agents: 1_000,
      heartbeatMs: HEARTBEAT_MS,
      loss: 0.1,
      heartbeatDelayMs: 1_000,
      bringMs: 300,
      runMs: 3_000,
    });
    try {
      await players.begin();
      // Most places are taken for good, so that the others are all taken now and then.
      await players.ask(900, 300, true);
      await players.ask(1_000, 250);
      expect(players.oversubscribed()).toEqual([]);

      // What every heartbeat says is what is there, once nothing is on its way any more.
      const differences = async (): Promise<readonly string[]> => {
        const workers = await players.workers();
        return players.players
          .filter(({ id, running }) => workers.get(id)?.current !== running.size)
          .map(({ id, running }) => `${id}: ${workers.get(id)?.current}, has ${running.size}`);
      };
      await until(async () => (await differences()).length === 0, 'the counts to agree', 60_000);

      // The record, too: what exact workers have is live, and nothing else there.
      const live = await rowsOf<{ name: string; task: string }>(
        scenario.databaseUrl,
        `SELECT i.name, t.client_task_id AS task FROM tasks t JOIN instances i ON i.id = t.instance_id
          WHERE t.kind = 'placement' AND t.finished_at IS NULL`,
      );
      for (const { id, running, isExact } of players.players) {
        const recorded = live.filter(({ name }) => name === id).map(({ task }) => task);
        const missing = [...running.keys()].filter((task) => !recorded.includes(task));
        expect({ id, missing }).toEqual({ id, missing: [] });
        if (isExact) expect({ id, live: recorded.length }).toEqual({ id, live: running.size });
      }
      expect(players.oversubscribed()).toEqual([]);
      expect(players.faults).toEqual([]);
      expect(players.placed).toBeGreaterThan(1_000);
      // The fleet was full now and then, or nothing would have been put to the test.
      expect(players.unplaced).toBeGreaterThan(0);
      expect(await violationsIn(scenario.databaseUrl)).toEqual([]);
      const { placed, unplaced } = players;
      report(`agents, seed ${SEED}`, { placed, unplaced });
    } finally {
      await players.close();
      await scenario.close();
    }
  });
});
