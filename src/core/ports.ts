import type { Instant } from './units';

/** Where time comes from. Both readings are Unix milliseconds. */
export interface Clock {
  /** Never goes back while the process lives: for durations and deadlines. */
  now(): Instant;
  /** The wall clock: for display only. */
  wallMs(): number;
}

/** Where chance comes from: `next` is uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** Tells whoever places tasks that something may be placeable now. */
export interface Wakeup {
  signal(): void;
}

/** Where new ids come from: unique, and ordered by time where the ids are UUID v7. */
export interface Ids {
  next(): string;
}
