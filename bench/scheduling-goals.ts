/** The figures of the design (its sections 3 and 4): what was found there, and what is to be reached. */

/** Mean and 99th percentile of the wait, over those of clairvoyant least-work-left. */
export type WaitRatios = readonly [mean: number, p99: number];

/** A way to place tasks, and what the design found for it at each load. */
export interface KnownPolicy {
  readonly label: string;
  readonly strategy: string;
  readonly orderG: number;
  /** Absent where the design has no such row. */
  readonly found?: readonly WaitRatios[];
}

export const LOADS = [0.7, 0.85, 0.95] as const;

/** On eight equal instances with one slot. */
export const POLICIES: readonly KnownPolicy[] = [
  policy('random', 'random', 0, [3.93, 2.45], [2.53, 2.5], [2.72, 4.3]),
  policy('round robin', 'round_robin', 0, [2.25, 1.75], [1.51, 1.58], [1.77, 2.26]),
  policy('shortest queue by count', 'jsq', 0, [1.16, 1.2], [1.05, 1.19], [1.03, 1.21]),
  policy(
    'the original’s `shortest_queue`',
    'original',
    0,
    [9.65, 4.12],
    [4.14, 2.63],
    [2.68, 2.54],
  ),
  policy('`weighted`', 'weighted', 0),
  policy('`probabilistic`', 'probabilistic', 0),
  policy('`shortest_queue`', 'shortest_queue', 0, [1.03, 1.05], [1.01, 1.08], [1.01, 1.09]),
  policy('`earliest`, g = 0', 'earliest', 0, [1, 1], [1, 1], [1, 1]),
  policy('`earliest`, g = 2', 'earliest', 2, [0.68, 0.82], [0.79, 0.92], [0.88, 0.98]),
  policy('`earliest`, g = 10', 'earliest', 10, [0.46, 0.89], [0.43, 1.15], [0.55, 1.13]),
];

/** A figure to reach. */
export interface Goal {
  readonly fleet: string;
  readonly load: number;
  readonly strategy: string;
  readonly orderG: number;
  readonly figure: 'waitMean' | 'waitP99' | 'responseMean' | 'responseP99' | 'ofOriginal';
  readonly most: number;
}

const PLAIN = { orderG: 0, fleet: 'equal8' };

export const GOALS: readonly Goal[] = [
  ...LOADS.flatMap((load) => [
    ...waits({ ...PLAIN, load, strategy: 'shortest_queue' }, 1.05, 1.15),
    { ...PLAIN, load, strategy: 'shortest_queue', figure: 'ofOriginal', most: 0.3 } as const,
    ...waits({ ...PLAIN, load, strategy: 'earliest' }, 1.01, 1.01),
  ]),
  ...waits({ ...PLAIN, load: 0.85, strategy: 'earliest', orderG: 2 }, 0.85, 1.05),
  ...waits({ ...PLAIN, load: 0.85, strategy: 'earliest', orderG: 10 }, 0.5, 1.25),
  ...LOADS.flatMap((load) =>
    waits({ fleet: 'equal8x4', load, strategy: 'shortest_queue', orderG: 0 }, 1.05, 1.15),
  ),
  ...LOADS.flatMap((load) => {
    const mixed = { fleet: 'mixed8', load, strategy: 'earliest' };
    return [
      { ...mixed, orderG: 0, figure: 'responseMean', most: 1.02 } as const,
      { ...mixed, orderG: 0, figure: 'responseP99', most: 1.15 } as const,
      { ...mixed, orderG: 2, figure: 'responseMean', most: 0.75 } as const,
    ];
  }),
];

/** Of the learned predictor on recorded run times of a model-serving fleet. */
export const PREDICTION_GOALS = {
  pinball: 2.2,
  mape: 0.26,
  coverage80: [0.78, 0.82],
  microseconds: 50,
} as const;

/** What the design found for predictors on those run times: pinball in s, shares, µs. */
export const PREDICTION_FOUND: ReadonlyMap<string, readonly [number, number, number, number]> =
  new Map([
    ['global', [4.02, 0.38, 0.813, 10]],
    ['by-model', [2.59, 0.289, 0.809, 6]],
    ['bucket', [2.63, 0.285, 0.775, 5]],
    ['learned', [2.19, 0.252, 0.797, 12]],
  ]);

function policy(
  label: string,
  strategy: string,
  orderG: number,
  ...found: readonly WaitRatios[]
): KnownPolicy {
  return { label, strategy, orderG, ...(found.length > 0 && { found }) };
}

function waits(
  of: Omit<Goal, 'figure' | 'most'>,
  mean: number,
  p99: number,
): readonly [Goal, Goal] {
  return [
    { ...of, figure: 'waitMean', most: mean },
    { ...of, figure: 'waitP99', most: p99 },
  ];
}
