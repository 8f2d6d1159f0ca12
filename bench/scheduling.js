'use strict';

/**
 * `npm run bench:scheduling -- --data FOLDER [--seeds 1,2,3]`: how well the core places and predicts
 * on recorded workloads, beside the figures to reach. Prints Markdown. The folder holds
 * llm_azure2023.csv and serving_gentd26.csv.
 */
const path = require('node:path');
const { parseArgs } = require('node:util');
const dist = path.join(__dirname, '..', 'dist');
const load = (file) => require(path.join(dist, file));

const { FLEET_PRESETS } = load('simulation/fleets.js');
const { SIMULATED_STRATEGIES } = load('simulation/policies.js');
const { PREDICTOR_PRESETS } = load('simulation/predictors.js');
const { Laboratory, tasksOf } = load('simulation/simulate.js');
const { readTrace } = load('simulation/traces/llm-trace.js');
const { EVALUATED, evaluate } = load('simulation/evaluate.js');
const { readOutcomes } = load('simulation/traces/outcome-trace.js');

const { values } = parseArgs({
  options: { data: { type: 'string' }, seeds: { type: 'string', default: '1,2,3' } },
});
if (values.data === undefined) {
  console.error('name the folder with the traces: npm run bench:scheduling -- --data FOLDER');
  process.exit(2);
}
const seeds = values.seeds.split(',').map(Number);

/** Fleet, load, strategy, order, and the figures to reach: [figure, most]. */
const ROWS = [
  ...[0.7, 0.85, 0.95].flatMap((at) => [
    ['equal8', at, 'random', 0, []],
    ['equal8', at, 'round_robin', 0, []],
    ['equal8', at, 'jsq', 0, []],
    ['equal8', at, 'original', 0, []],
    ['equal8', at, 'weighted', 0, []],
    ['equal8', at, 'probabilistic', 0, []],
    [
      'equal8',
      at,
      'shortest_queue',
      0,
      [
        ['waitMean', 1.05],
        ['waitP99', 1.15],
      ],
    ],
    [
      'equal8',
      at,
      'earliest',
      0,
      [
        ['waitMean', 1.01],
        ['waitP99', 1.01],
      ],
    ],
    [
      'equal8',
      at,
      'earliest',
      2,
      at === 0.85
        ? [
            ['waitMean', 0.85],
            ['waitP99', 1.05],
          ]
        : [],
    ],
    [
      'equal8',
      at,
      'earliest',
      10,
      at === 0.85
        ? [
            ['waitMean', 0.5],
            ['waitP99', 1.25],
          ]
        : [],
    ],
  ]),
  [
    'equal8x4',
    0.85,
    'shortest_queue',
    0,
    [
      ['waitMean', 1.05],
      ['waitP99', 1.15],
    ],
  ],
  ['equal8x4', 0.85, 'earliest', 2, []],
  [
    'mixed8',
    0.85,
    'earliest',
    0,
    [
      ['responseMean', 1.02],
      ['responseP99', 1.15],
    ],
  ],
  ['mixed8', 0.85, 'earliest', 2, [['responseMean', 0.75]]],
  [
    'mixed8',
    0.95,
    'earliest',
    0,
    [
      ['responseMean', 1.02],
      ['responseP99', 1.15],
    ],
  ],
];
const FIGURES = ['waitMean', 'waitP99', 'responseMean', 'responseP99'];
/** The most that `shortest_queue` may wait on average, as a share of the original's. */
const OF_ORIGINAL = 0.3;

const laboratories = new Map();
let missed = 0;

function laboratory(rows, fleet, at, seed) {
  const key = `${fleet}/${at}/${seed}`;
  if (!laboratories.has(key)) {
    const conditions = { fleet: FLEET_PRESETS.get(fleet), load: at, seed };
    laboratories.set(key, new Laboratory(tasksOf(rows, seed), conditions));
  }
  return laboratories.get(key);
}

function meansOf(rows, fleet, at, strategy, orderG) {
  const runs = seeds.map((seed) =>
    laboratory(rows, fleet, at, seed).compare({
      strategy: SIMULATED_STRATEGIES.get(strategy),
      orderG,
      predictor: PREDICTOR_PRESETS.get('input'),
    }),
  );
  const mean = (pick) => runs.reduce((sum, run) => sum + pick(run), 0) / runs.length;
  const means = Object.fromEntries(FIGURES.map((name) => [name, mean(({ ratio }) => ratio[name])]));
  return { ...means, wait: mean(({ wait }) => wait.mean) };
}

function verdict(name, value, most) {
  if (value > most) missed++;
  return `${name} ≤ ${most}: ${value <= most ? 'reached' : `**missed by ${(value - most).toFixed(3)}**`}`;
}

async function placement() {
  const rows = await readTrace(path.join(values.data, 'llm_azure2023.csv'), Infinity);
  console.log(
    `## Placement\n\nRatios to clairvoyant least-work-left, Azure slice of ${rows.length} tasks, predictor \`input\`, means of seeds ${values.seeds}.\n`,
  );
  console.log(
    '| fleet | load | strategy | g | wait mean | wait p99 | response mean | response p99 | to reach |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  const waits = new Map();
  for (const [fleet, at, strategy, orderG, goals] of ROWS) {
    const means = meansOf(rows, fleet, at, strategy, orderG);
    waits.set(`${fleet}/${at}/${strategy}/${orderG}`, means.wait);
    const verdicts = goals.map(([name, most]) => verdict(name, means[name], most));
    if (strategy === 'shortest_queue' && fleet === 'equal8') {
      const share = means.wait / waits.get(`${fleet}/${at}/original/0`);
      verdicts.push(verdict('of the original’s wait', share, OF_ORIGINAL));
    }
    const cells = FIGURES.map((name) => means[name].toFixed(3));
    console.log(
      `| ${fleet} | ${at} | ${strategy} | ${orderG} | ${cells.join(' | ')} | ${verdicts.join('; ') || '–'} |`,
    );
  }
}

async function prediction() {
  const rows = await readOutcomes(path.join(values.data, 'serving_gentd26.csv'));
  console.log(
    `\n## Prediction\n\nPrequential on ${rows.length} rows, the first 500 not scored. Time is processor time.\n`,
  );
  console.log('| predictor | pinball s | MAPE | 80 % holds | µs | to reach |');
  console.log('|---|---|---|---|---|---|');
  for (const [name, make] of EVALUATED) {
    const { pinball, mape, coverage80, microseconds } = evaluate(name, make(), rows);
    const verdicts =
      name === 'learned'
        ? [
            verdict('pinball', pinball, 2.2),
            verdict('MAPE', mape, 0.26),
            verdict('|coverage − 0.8|', Math.abs(coverage80 - 0.8), 0.02),
            verdict('µs', microseconds, 50),
          ]
        : [];
    const share = (value) => `${(100 * value).toFixed(1)} %`;
    console.log(
      `| ${name} | ${pinball.toFixed(3)} | ${share(mape)} | ${share(coverage80)} | ${microseconds.toFixed(0)} | ${verdicts.join('; ') || '–'} |`,
    );
  }
}

async function main() {
  await placement();
  await prediction();
  console.log(`\n${missed === 0 ? 'Every figure is reached.' : `${missed} figures are missed.`}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
