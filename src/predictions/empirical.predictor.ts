import { QuantileDistribution, type Distribution } from '../core/distribution';
import { LEVELS, type Features, type LastingPredictor } from './online.predictor';
import { OutcomeWindow } from './outcome-window.predictor';
import { listIn, textIn } from './state-reader.predictor';

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
  /** Groups that are remembered; then the one goes that was quiet longest. Default 10 000. */
  readonly mostGroups?: number;
}

/** What tasks of the same kind took lately: the quantiles of the narrowest group that knows enough. */
export class EmpiricalPredictor implements LastingPredictor {
  /** Quietest first. Their names come from clients. */
  private readonly groups = new Map<string, OutcomeWindow>();
  private readonly mostGroups: number;
  private readonly window: number;
  private readonly least: number;
  private readonly levels: readonly number[];

  constructor(private readonly options: EmpiricalOptions) {
    this.window = options.window ?? 400;
    this.least = options.least ?? 20;
    this.levels = options.levels ?? LEVELS;
    this.mostGroups = options.mostGroups ?? 10_000;
  }

  /** @throws {DamagedStateError} */
  static from(options: EmpiricalOptions, state: unknown): EmpiricalPredictor {
    const restored = new EmpiricalPredictor(options);
    for (const entry of listIn(state, restored.mostGroups)) {
      const [key, outcomes] = listIn(entry);
      restored.groups.set(textIn(key), OutcomeWindow.from(restored.window, outcomes));
    }
    return restored;
  }

  /** As JSON, for `from`. */
  get state(): readonly unknown[] {
    return [...this.groups].map(([key, group]) => [key, group.state]);
  }

  predict(features: Features): Distribution | undefined {
    const group = this.options
      .keys(features)
      .map((key) => this.groups.get(key))
      .find((known) => known !== undefined && known.size >= this.least);
    return group && new QuantileDistribution(this.levels, group.quantiles(this.levels));
  }

  learn(features: Features, serviceMs: number): void {
    for (const key of this.options.keys(features)) {
      const group = this.groups.get(key) ?? new OutcomeWindow(this.window);
      group.add(serviceMs);
      this.groups.delete(key);
      this.groups.set(key, group);
      this.forgetQuietest();
    }
  }

  private forgetQuietest(): void {
    if (this.groups.size <= this.mostGroups) return;
    for (const key of this.groups.keys()) {
      this.groups.delete(key);
      return;
    }
  }
}
