import { cpus } from 'node:os';
import { markdownTable } from './markdown';
import { decision, fleetOf, LOOKING, planning, PlacementTrial, turn } from './placement-trial';
import { stepCost } from './step-cost';

/**
 * `npm run bench:placement`: what a placement costs on the pure core, without a database or a
 * network. Prints a Markdown table. Times are processor time, the least of some batches; beside each
 * stands what writing and reading a small JSON object cost in the same moments.
 */
const rows: string[][] = [];

function main(): void {
  for (const instances of [10, 100, 1_000, 10_000]) {
    const what = `earliest, ${instances} instances`;
    const goal = instances === 10_000 ? '≤ 2 µs' : '';
    note(`${what}: decision`, decision(fleetOf('earliest', instances)), goal);
    note(`${what}: submit, place, end`, turn(fleetOf('earliest', instances)), '');
  }
  for (const strategy of LOOKING) {
    for (const instances of [10, 100, 1_000]) {
      const what = `${strategy}, ${instances} instances`;
      const goal = instances === 1_000 ? '≤ 200 µs' : '';
      note(`${what}: decision`, decision(fleetOf(strategy, instances)), goal);
      note(`${what}: submit, place, end`, turn(fleetOf(strategy, instances)), '');
    }
  }
  for (const waiting of [10, 100, 1_000, 10_000]) {
    const trial = new PlacementTrial('earliest', 100, 100 + waiting);
    note(`earliest, ${waiting} waiting: plan a task`, planning(trial), 'O(log n)');
  }
  print();
}

function note(what: string, step: () => void, goal: string): void {
  const { micros, echoMicros } = stepCost(step);
  rows.push([
    what,
    micros.toFixed(2),
    echoMicros.toFixed(2),
    (micros / echoMicros).toFixed(1),
    goal,
  ]);
  process.stderr.write(`${what}  ${micros.toFixed(2)} µs\n`);
}

function print(): void {
  const table = markdownTable(['what', 'µs', 'echo, µs', 'echoes', 'to reach'], rows);
  process.stdout.write(`${cpus().length} cores, Node ${process.version}\n\n${table}`);
}

main();
