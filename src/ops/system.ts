import type { Clock, Ids, Random } from '../core/ports';
import { instant } from '../core/units';
import { OrderedIds } from './ordered-ids';

/** Real time: `now` starts at the wall clock and then follows the monotonic one. */
export const systemClock: Clock = {
  now: () => instant(performance.timeOrigin + performance.now()),
  wallMs: () => Date.now(),
};

/** Real chance. */
export const systemRandom: Random = { next: () => Math.random() };

/** UUID v7: ordered by time, so that indexes on them stay compact. */
export const systemIds: Ids = new OrderedIds(Date.now);

/** Injection tokens of the ports, which are types only. */
export const CLOCK = Symbol('Clock');
export const RANDOM = Symbol('Random');
export const IDS = Symbol('Ids');
