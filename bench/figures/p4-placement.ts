import type { Figure, Row } from '../figure';
import { decision, fleetOf, LOOKING, planning, PlacementTrial } from '../placement-trial';
import { stepCost } from '../step-cost';
import { tagRows } from './p4-tags';

const RANKED = 'earliest';
const MOST_RANKED_MICROS = 2;
const MOST_LOOKING_MICROS = 200;
/** A hundred times the fleet or line may cost this many times as much: the logarithm, and caches. */
const MOST_GROWTH = 4;
const SMALL = 100;
const LARGE = 10_000;
const LOOKED_AT = 1_000;

/** P4: what a decision costs on the core alone, in processor time. */
export const placement: Figure = () =>
  Promise.resolve([...ranked(), ...looking(), ...planned(), ...tagRows()]);

function ranked(): readonly Row[] {
  const costs = [SMALL, LARGE].map((instances) => stepCost(decision(fleetOf(RANKED, instances))));
  const rows = [SMALL, LARGE].map((instances, n): Row => {
    const { micros = NaN, echoMicros = NaN } = costs[n] ?? {};
    const row = rowOf(`\`${RANKED}\`, a decision among ${instances} instances`, micros, echoMicros);
    return instances === LARGE ? bounded(row, MOST_RANKED_MICROS) : row;
  });
  return [...rows, growthRow('instances', costs)];
}

/** Strategies whose choice looks at every candidate. */
function looking(): readonly Row[] {
  return LOOKING.map((strategy) => {
    const { micros, echoMicros } = stepCost(decision(fleetOf(strategy, LOOKED_AT)));
    const what = `\`${strategy}\`, a decision among ${LOOKED_AT} candidates`;
    return bounded(rowOf(what, micros, echoMicros), MOST_LOOKING_MICROS);
  });
}

function planned(): readonly Row[] {
  const costs = [SMALL, LARGE].map((waiting) =>
    stepCost(planning(new PlacementTrial(RANKED, SMALL, SMALL + waiting))),
  );
  const rows = [SMALL, LARGE].map((waiting, n) => {
    const { micros = NaN, echoMicros = NaN } = costs[n] ?? {};
    return rowOf(`a task comes, is planned behind ${waiting}, and leaves`, micros, echoMicros);
  });
  return [...rows, growthRow('waiting tasks', costs)];
}

function growthRow(of: string, costs: readonly { readonly micros: number }[]): Row {
  const growth = (costs[1]?.micros ?? NaN) / (costs[0]?.micros ?? NaN);
  return {
    id: 'P4',
    what: `${LARGE} ${of} over ${SMALL}`,
    value: growth,
    unit: '×',
    goal: `≤ ${MOST_GROWTH} × (O(log n))`,
    reached: growth <= MOST_GROWTH,
  };
}

function rowOf(what: string, value: number, limit: number): Row {
  return { id: 'P4', what, value, unit: 'µs', limit, of: 'JSON echo', ratio: value / limit };
}

function bounded(row: Row, most: number): Row {
  return { ...row, goal: `≤ ${most} µs`, reached: row.value <= most };
}
