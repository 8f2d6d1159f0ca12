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
        weight: 0.2498,
        input: { mean: 7.646, sigma: 0.563 },
        output: { mean: 2.594, sigma: 0.3158 },
        correlation: -0.07709,
      },
      {
        weight: 0.1817,
        input: { mean: 7.355, sigma: 0.687 },
        output: { mean: 3.505, sigma: 0.6556 },
        correlation: 0.326,
      },
      {
        weight: 0.179,
        input: { mean: 5.389, sigma: 1.011 },
        output: { mean: 2.434, sigma: 0.396 },
        correlation: 0.1591,
      },
      {
        weight: 0.122,
        input: { mean: 7.385, sigma: 0.5981 },
        output: { mean: 2.187, sigma: 0.1354 },
        correlation: -0.03363,
      },
      {
        weight: 0.09343,
        input: { mean: 7.44, sigma: 0.6757 },
        output: { mean: 1.847, sigma: 0.08859 },
        correlation: -0.004703,
      },
      {
        weight: 0.08813,
        input: { mean: 5.569, sigma: 1.511 },
        output: { mean: 3.982, sigma: 0.9243 },
        correlation: 0.7517,
      },
      {
        weight: 0.04927,
        input: { mean: 8.913, sigma: 0.0107 },
        output: { mean: 2.71, sigma: 0.7139 },
        correlation: -0.02249,
      },
      {
        weight: 0.02541,
        input: { mean: 8.711, sigma: 0.0697 },
        output: { mean: 2.739, sigma: 0.5479 },
        correlation: -0.1332,
      },
      {
        weight: 0.01123,
        input: { mean: 5.365, sigma: 1.924 },
        output: { mean: 5.24, sigma: 1.069 },
        correlation: 0.6041,
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
        [0.0004315, 0.9991, 0.0004757],
        [0, 0.001271, 0.9987],
      ],
    },
    inputTokens: { least: 2, most: 14050 },
    outputTokens: { least: 7, most: 1000 },
    tokens: [
      {
        weight: 0.3096,
        input: { mean: 6.972, sigma: 0.06672 },
        output: { mean: 6.006, sigma: 0.04968 },
        correlation: -0.0176,
      },
      {
        weight: 0.2516,
        input: { mean: 5.983, sigma: 0.04465 },
        output: { mean: 4.492, sigma: 0.2694 },
        correlation: 0.4461,
      },
      {
        weight: 0.127,
        input: { mean: 7.36, sigma: 0.5274 },
        output: { mean: 4.357, sigma: 0.4701 },
        correlation: -0.005393,
      },
      {
        weight: 0.1097,
        input: { mean: 8.316, sigma: 0.0109 },
        output: { mean: 4.037, sigma: 0.5109 },
        correlation: 0.01774,
      },
      {
        weight: 0.09381,
        input: { mean: 7.072, sigma: 0.1076 },
        output: { mean: 5.876, sigma: 0.5572 },
        correlation: -0.8075,
      },
      {
        weight: 0.06419,
        input: { mean: 5.267, sigma: 0.07456 },
        output: { mean: 5.146, sigma: 0.2437 },
        correlation: 0.2592,
      },
      {
        weight: 0.02212,
        input: { mean: 3.822, sigma: 1.081 },
        output: { mean: 5.115, sigma: 0.2087 },
        correlation: 0.5356,
      },
      {
        weight: 0.01399,
        input: { mean: 5.653, sigma: 0.1386 },
        output: { mean: 2.794, sigma: 0.1275 },
        correlation: 0.9652,
      },
      {
        weight: 0.008015,
        input: { mean: 4.628, sigma: 0.1371 },
        output: { mean: 2.711, sigma: 0.2437 },
        correlation: -0.8176,
      },
    ],
  },
];
