import { numbersIn } from './state-reader.predictor';

/** A mean that follows: the plain average at first, then with a pace that forgets. */
export class RunningMean {
  private value = 0;
  private outcomes = 0;

  /** @param pace weight of a new value once enough are known, 0 to 1 */
  constructor(private readonly pace: number) {}

  /** @throws {DamagedStateError} */
  static from(pace: number, state: unknown): RunningMean {
    const restored = new RunningMean(pace);
    [restored.value = 0, restored.outcomes = 0] = numbersIn(state, 2);
    return restored;
  }

  /** As JSON, for `from`. */
  get state(): readonly number[] {
    return [this.value, this.outcomes];
  }

  get mean(): number {
    return this.value;
  }

  get count(): number {
    return this.outcomes;
  }

  add(value: number): void {
    this.outcomes++;
    this.value += Math.max(1 / this.outcomes, this.pace) * (value - this.value);
  }

  /** Between 0 and the mean: `prior` outcomes of 0 are added in thought. */
  shrunk(prior: number): number {
    return (this.value * this.outcomes) / (this.outcomes + prior);
  }
}
