/** Token counts of one kind of request: log-normal, both counts correlated. */
export interface TokenComponent {
  /** Share of the requests of its model. */
  readonly weight: number;
  /** Mean and standard deviation of the logarithm. */
  readonly input: { readonly mean: number; readonly sigma: number };
  readonly output: { readonly mean: number; readonly sigma: number };
  /** Of the two logarithms. */
  readonly correlation: number;
}

/** The requests of one model. */
export interface ModelShape {
  readonly model: string;
  /** Share of all requests. */
  readonly share: number;
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests that come together: how many in the mean, and the mean time between two of them. */
  readonly batch: { readonly meanSize: number; readonly gapSeconds: number };
  /** A Markov chain with a step of one second. */
  readonly arrivals: {
    /** Batches per second in each state. */
    readonly rates: readonly number[];
    /** Probability of each next state, by state. */
    readonly transitions: readonly (readonly number[])[];
  };
  readonly inputTokens: { readonly least: number; readonly most: number };
  readonly outputTokens: { readonly least: number; readonly most: number };
  readonly tokens: readonly TokenComponent[];
}

/**
 * Fitted with scripts/fit-workload.js to the Azure LLM inference trace 2023 (CC-BY 4.0; Patel et al.,
 * Splitwise, ISCA 2024); docs/workload.md tells how, and how well it fits. `code` is completion,
 * very bursty; `conv` is chat.
 */
export const MODELS: readonly ModelShape[] = [
  {
    model: 'code',
    share: 0.3439,
    perSecond: 2.914,
    batch: { meanSize: 1.628, gapSeconds: 0.002054 },
    arrivals: {
      rates: [0.001, 4.759, 10.53],
      transitions: [
        [0.9585, 0.04155, 0],
        [0.1263, 0.8293, 0.04441],
        [0, 0.157, 0.843],
      ],
    },
    inputTokens: { least: 6, most: 7437 },
    outputTokens: { least: 6, most: 1899 },
    tokens: [
      {
        weight: 0.2642,
        input: { mean: 7.499, sigma: 0.6049 },
        output: { mean: 2.267, sigma: 0.2347 },
        correlation: 0.1328,
      },
      {
        weight: 0.178,
        input: { mean: 7.386, sigma: 0.6674 },
        output: { mean: 2.848, sigma: 0.3329 },
        correlation: -0.2782,
      },
      {
        weight: 0.173,
        input: { mean: 5.372, sigma: 1.042 },
        output: { mean: 2.394, sigma: 0.3738 },
        correlation: 0.03836,
      },
      {
        weight: 0.127,
        input: { mean: 7.634, sigma: 0.5676 },
        output: { mean: 3.679, sigma: 0.6443 },
        correlation: 0.04609,
      },
      {
        weight: 0.1088,
        input: { mean: 5.765, sigma: 1.386 },
        output: { mean: 4.001, sigma: 1.01 },
        correlation: 0.6576,
      },
      {
        weight: 0.07065,
        input: { mean: 7.535, sigma: 0.6538 },
        output: { mean: 1.833, sigma: 0.07607 },
        correlation: 0.06499,
      },
      {
        weight: 0.04928,
        input: { mean: 8.913, sigma: 0.01068 },
        output: { mean: 2.713, sigma: 0.7208 },
        correlation: -0.02227,
      },
      {
        weight: 0.02438,
        input: { mean: 8.711, sigma: 0.06831 },
        output: { mean: 2.766, sigma: 0.5759 },
        correlation: -0.1285,
      },
      {
        weight: 0.004727,
        input: { mean: 2.766, sigma: 0.6874 },
        output: { mean: 4.268, sigma: 1.287 },
        correlation: 0.8644,
      },
    ],
  },
  {
    model: 'conv',
    share: 0.6561,
    perSecond: 5.562,
    batch: { meanSize: 1.075, gapSeconds: 0.004096 },
    arrivals: {
      rates: [2.112, 4.796, 6.439],
      transitions: [
        [0.9858, 0.0142, 0],
        [0.0004315, 0.9991, 0.0004756],
        [0, 0.001271, 0.9987],
      ],
    },
    inputTokens: { least: 2, most: 14050 },
    outputTokens: { least: 7, most: 1000 },
    tokens: [
      {
        weight: 0.3096,
        input: { mean: 6.972, sigma: 0.06671 },
        output: { mean: 6.006, sigma: 0.0497 },
        correlation: -0.01743,
      },
      {
        weight: 0.2518,
        input: { mean: 5.983, sigma: 0.04472 },
        output: { mean: 4.493, sigma: 0.2691 },
        correlation: 0.4454,
      },
      {
        weight: 0.1263,
        input: { mean: 7.367, sigma: 0.5203 },
        output: { mean: 4.37, sigma: 0.4511 },
        correlation: -0.07047,
      },
      {
        weight: 0.1097,
        input: { mean: 8.316, sigma: 0.0109 },
        output: { mean: 4.038, sigma: 0.5118 },
        correlation: 0.0182,
      },
      {
        weight: 0.09362,
        input: { mean: 7.071, sigma: 0.1074 },
        output: { mean: 5.879, sigma: 0.5544 },
        correlation: -0.8058,
      },
      {
        weight: 0.05133,
        input: { mean: 5.286, sigma: 0.05933 },
        output: { mean: 5.103, sigma: 0.2365 },
        correlation: 0.6598,
      },
      {
        weight: 0.02306,
        input: { mean: 5.322, sigma: 0.5409 },
        output: { mean: 2.769, sigma: 0.2079 },
        correlation: 0.1885,
      },
      {
        weight: 0.02009,
        input: { mean: 5.102, sigma: 0.1684 },
        output: { mean: 5.292, sigma: 0.1679 },
        correlation: 0.319,
      },
      {
        weight: 0.01456,
        input: { mean: 3.211, sigma: 0.8021 },
        output: { mean: 5.043, sigma: 0.1991 },
        correlation: 0.2722,
      },
    ],
  },
];
