import { amount } from './amount';
import type { EngineTask, ServiceEstimate } from './engine';

/** Share of the newest execution in the mean: about the last twenty count. */
const NEWEST = 0.1;

/**
 * How long executions take here. A task that says it itself (`metadata.predicted_ms`, for speed 1)
 * is believed; for others the mean of the latest executions stands, and 0 before the first.
 */
export class ServiceTimes {
  private meanMs: number | null = null;
  private variance = 0;

  /** @param speed work per ms */
  constructor(private readonly speed: number) {}

  /** An execution came to a good end after so many ms. */
  learn(executionMs: number): void {
    if (this.meanMs === null) {
      this.meanMs = executionMs;
      return;
    }
    const distance = executionMs - this.meanMs;
    this.meanMs += NEWEST * distance;
    this.variance = (1 - NEWEST) * (this.variance + NEWEST * distance ** 2);
  }

  estimate({ metadata }: EngineTask): ServiceEstimate {
    const predicted = amount(metadata, 'predicted_ms');
    if (predicted.ok && predicted.value !== undefined) {
      return { expectedMs: predicted.value / this.speed, errorMs: 0 };
    }
    return { expectedMs: this.meanMs ?? 0, errorMs: Math.sqrt(this.variance) };
  }
}
