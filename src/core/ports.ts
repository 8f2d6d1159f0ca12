import type { Instant } from './units';

/** Where time comes from. `now` never goes back; `wallMs` is Unix time, for display only. */
export interface Clock {
  now(): Instant;
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
