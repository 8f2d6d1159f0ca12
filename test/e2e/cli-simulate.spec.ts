import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exponential, SeededRandom } from '../../src/ops/seeded-random';
import { runCli } from '../support/cli-run';

describe('simulate and predict', () => {
  let folder: string;
  let trace: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-simulate-'));
    trace = join(folder, 'trace.csv');
    const random = new SeededRandom(3);
    let at = 0;
    const rows = Array.from({ length: 400 }, () => {
      at += exponential(1, random);
      const tokens = Math.ceil(exponential(300, random));
      return `${at.toFixed(3)},chat,${tokens},${tokens}`;
    });
    await writeFile(trace, ['arrival_s,model,input_tokens,output_tokens', ...rows].join('\n'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('compares strategies on a trace, prints JSON in a pipe and draws a plot', async () => {
    const plot = join(folder, 'waits.svg');
    const { code, out, err } = await runCli([
      ...['simulate', '--trace', trace, '--strategy', 'random,earliest', '--order', '0,2'],
      ...['--load', '0.8', '--seed', '1,2', '--plot', plot],
    ]);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { runs } = JSON.parse(out) as { runs: SimulatedRun[] };
    expect(runs.map(({ strategy, order, seed }) => `${strategy} ${order} ${seed}`)).toEqual([
      ...['random 0 1', 'random 2 1', 'earliest 0 1', 'earliest 2 1'],
      ...['random 0 2', 'random 2 2', 'earliest 0 2', 'earliest 2 2'],
    ]);
    const late = runs.find(({ strategy, order }) => strategy === 'earliest' && order === 0);
    expect(late).toMatchObject({ fleet: 'equal8', load: 0.8, predictor: 'learned', tasks: 400 });
    expect(late?.ratio.waitMean).toBeCloseTo(1, 6);
    expect(runs[0]?.ratio.waitMean).toBeGreaterThan(1);
    expect(await readFile(plot, 'utf8')).toMatch(/^<svg[^]*earliest, g 2[^]*<\/svg>/);
  });

  it('measures predictors, and writes every prediction of the learned one', async () => {
    const file = join(folder, 'outcomes.csv');
    const written = join(folder, 'rows.csv');
    const random = new SeededRandom(5);
    const rows = Array.from({ length: 900 }, (_, n) => {
      const steps = Math.ceil(random.next() * 50);
      return `${n * 100},m${n % 3},${steps},${(steps * (0.9 + 0.2 * random.next())).toFixed(3)}`;
    });
    await writeFile(file, ['arrival_s,model,steps,exec_s', ...rows].join('\n'));
    const { code, out } = await runCli(['predict', '--evaluate', file, '--rows', written]);

    expect(code).toBe(0);
    const answer = JSON.parse(out) as {
      rows: number;
      predictors: { name: string; mape: number }[];
    };
    expect(answer.rows).toBe(900);
    const mape = new Map(answer.predictors.map((one) => [one.name, one.mape]));
    expect([...mape.keys()]).toEqual(['global', 'by-model', 'bucket', 'learned']);
    expect(mape.get('learned')).toBeLessThan((mape.get('global') ?? 0) / 3);
    const lines = (await readFile(written, 'utf8')).trim().split('\n');
    expect(lines[0]).toBe('row,actual,q10,q25,q50,q75,q90');
    expect(lines).toHaveLength(401);
  });

  it('simulates tasks whose times are known, with predictors that need no tokens', async () => {
    const times = join(folder, 'times.csv');
    const rows = Array.from({ length: 50 }, (_, n) => `${n},m,${1 + (n % 3)},${n % 3}`);
    await writeFile(times, ['arrival_s,model,service_s,kind', ...rows].join('\n'));
    const simulate = ['simulate', '--trace', times, '--predictor'];
    const known = await runCli([...simulate, 'oracle,model']);
    const unknown = await runCli([...simulate, 'model,input']);

    const { runs } = JSON.parse(known.out) as { runs: SimulatedRun[] };
    expect(runs).toMatchObject([{ tasks: 50 }, { tasks: 50 }]);
    expect(unknown).toMatchObject({ code: 2, out: '' });
    expect(unknown.err).toContain('the predictor input needs the columns input_tokens');
  });

  it('prints exactly what scripts are promised', async () => {
    const { out } = await runCli(['simulate', '--trace', trace, '--limit', '50', '-o', 'json']);

    const spread = { mean: NUMBER, p50: NUMBER, p95: NUMBER, p99: NUMBER, max: NUMBER };
    expect(JSON.parse(out)).toEqual({
      trace,
      runs: [
        {
          ...{ strategy: 'earliest', order: 2, fleet: 'equal8', load: 0.85, predictor: 'learned' },
          ...{ seed: 1, tasks: 50, wait: spread, response: spread, slowdown: { mean: NUMBER } },
          ...{ makespan: NUMBER, utilisation: NUMBER },
          ratio: { waitMean: NUMBER, waitP99: NUMBER, responseMean: NUMBER, responseP99: NUMBER },
        },
      ],
    });
  });

  it('simulates batch jobs beside the usual way to place them', async () => {
    const jobs = join(folder, 'jobs.csv');
    const heading = 'submit_s,user,queue,nodes,cpus_per_node,mem_mb,req_time_s,run_s,labels';
    const rows = ['0,ann,q,1,4,0,3600,1800,', '60,bob,q,2,8,0,60,30,', '120,ann,q,1,2,0,,3600,a|b'];
    await writeFile(jobs, [heading, ...rows].join('\n'));
    const cluster = join(folder, 'cluster.yaml');
    await writeFile(cluster, 'hosts: [{cores: 4, memory_gb: 64, labels: [a], count: 2}]\n');
    const simulate = ['simulate', '--batch', '--trace', jobs];
    const { code, out } = await runCli([...simulate, '--fleet', cluster, '--strategy', 'best_fit']);

    expect(code).toBe(0);
    const spread = { mean: NUMBER, p50: NUMBER, p95: NUMBER, p99: NUMBER, max: NUMBER };
    expect(JSON.parse(out)).toEqual({
      ...{ trace: jobs, left_out: 1, unsatisfiable: 0 },
      runs: [
        {
          ...{ strategy: 'best_fit', order: 2, fleet: cluster, predictor: 'owner', seed: 1 },
          ...{ tasks: 2, wait: spread, response: spread, slowdown: { mean: NUMBER } },
          ...{ makespan: NUMBER, utilisation: NUMBER, load: NUMBER, utilisationGain: 0 },
          ...{ boundedSlowdown: { mean: 1 }, widest5: { waitMean: 0 } },
          ratio: { waitMean: null, boundedSlowdown: 1, widest5: null },
        },
      ],
    });
    const refused = await Promise.all([
      runCli(simulate),
      runCli([...simulate, '--fleet', 'kth', '--strategy', 'weighted']),
      runCli([...simulate, '--fleet', 'kth', '--predictor', 'learned']),
    ]);
    expect(refused.map((answer) => answer.code)).toEqual([2, 2, 2]);
    const [none, strategy, predictor] = refused.map((answer) => answer.err);
    expect(none).toContain('--batch needs a --fleet: metacentrum, kth');
    expect(strategy).toContain('weighted is not for batch jobs; valid: earliest, least_loaded');
    expect(predictor).toContain('learned is not for batch jobs; valid: owner, limit, oracle');
  });

  it('names line, column and what was expected of every fault of a trace', async () => {
    const wrong = join(folder, 'wrong.csv');
    const heading = 'arrival_s,model,input_tokens,output_tokens';
    await writeFile(wrong, `${heading}\n0,chat,1,2\n5,chat,-1,2\n4,,1,x\n`);
    const { code, err } = await runCli(['simulate', '--trace', wrong]);

    expect(code).toBe(2);
    expect(err).toContain('line 3, column 3 (input_tokens): "-1" is not a whole number from 0');
    expect(err).toContain('line 4, column 1 (arrival_s): 4 is before 5 of a row above');
    expect(err).toContain('line 4, column 2 (model): "" is not a name');
    expect(err).toContain('line 4, column 4 (output_tokens): "x" is not a whole number');
  });

  it.each([
    ['a trace that is not there', ['--trace', 'absent.csv'], 'ENOENT'],
    ['a strategy that nobody knows', ['--strategy', 'best'], 'best is not one of earliest'],
    ['a load of nothing', ['--load', '0'], 'a number from 0.01'],
    ['a fleet that is neither name nor file', ['--fleet', 'absent.yaml'], 'fleet file absent.yaml'],
  ])('refuses %s in words, with status 2', async (_, flags, message) => {
    const { code, out, err } = await runCli(['simulate', '--trace', trace, ...flags]);

    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

const NUMBER: unknown = expect.any(Number);

interface SimulatedRun {
  readonly strategy: string;
  readonly order: number;
  readonly seed: number;
  readonly ratio: { readonly waitMean: number };
}
