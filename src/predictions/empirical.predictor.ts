import { QuantileDistribution, type Distribution } from '../core/distribution';
import { LEVELS, type Features, type OnlinePredictor } from './online.predictor';
import { OutcomeWindow } from './outcome-window.predictor';

/** Names the groups a task belongs to, the narrowest first. */
export type Keys = (features: Features) => readonly string[];

/** How outcomes are grouped and remembered. */
export interface EmpiricalOptions {
  readonly keys: Keys;
  /** Outcomes that are remembered per group. Default 400. */
  readonly window?: number;
  /** Outcomes from which on a group answers. Default 20. */
  readonly least?: number;
  /** Default `LEVELS`. */
  readonly levels?: readonly number[];
}

/** Groups beyond this many are not kept: their names come from clients. */
const MOST_GROUPS = 10_000;

/** What tasks of the same kind took lately: the quantiles of the narrowest group that knows enough. */
export class EmpiricalPredictor implements OnlinePredictor {
  private readonly groups = new Map<string, OutcomeWindow>();
  private readonly window: number;
  private readonly least: number;
  private readonly levels: readonly number[];

  constructor(private readonly options: EmpiricalOptions) {
    this.window = options.window ?? 400;
    this.least = options.least ?? 20;
    this.levels = options.levels ?? LEVELS;
  }

  predict(features: Features): Distribution | undefined {
    const group = this.options
      .keys(features)
      .map((key) => this.groups.get(key))
      .find((known) => known !== undefined && known.size >= this.least);
    return group && new QuantileDistribution(this.levels, group.quantiles(this.levels));
  }

  learn(features: Features, serviceMs: number): void {
    for (const key of this.options.keys(features)) this.groupOf(key)?.add(serviceMs);
  }

  private groupOf(key: string): OutcomeWindow | undefined {
    const known = this.groups.get(key);
    if (known || this.groups.size >= MOST_GROUPS) return known;
    const group = new OutcomeWindow(this.window);
    this.groups.set(key, group);
    return group;
  }
}
