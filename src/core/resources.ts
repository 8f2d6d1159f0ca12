/** What an instance has and a task needs. Absent quantities are 0. */
export interface Resources {
  /** Tasks at once. */
  readonly slots: number;
  /** Cores. */
  readonly cpu: number;
  readonly memoryGb: number;
  readonly gpuMemoryGb: number;
}

/** Nothing at all. */
export const NOTHING: Resources = Object.freeze({ slots: 0, cpu: 0, memoryGb: 0, gpuMemoryGb: 0 });
/** What a model task needs: one slot, which stands for everything a replica owns. */
export const ONE_SLOT: Resources = Object.freeze({ ...NOTHING, slots: 1 });

/** True for a demand of one slot and nothing beside it. */
export function isOneSlot({ slots, cpu, memoryGb, gpuMemoryGb }: Resources): boolean {
  return slots === 1 && cpu === 0 && memoryGb === 0 && gpuMemoryGb === 0;
}

/** Slack for sums of decimal fractions: three times 0.1 must fit into 0.3. */
const EPSILON = 1e-9;

/** True when `free` covers every part of `demand`. */
export function fits(demand: Resources, free: Resources): boolean {
  return (
    demand.slots <= free.slots + EPSILON &&
    demand.cpu <= free.cpu + EPSILON &&
    demand.memoryGb <= free.memoryGb + EPSILON &&
    demand.gpuMemoryGb <= free.gpuMemoryGb + EPSILON
  );
}

/** `total` without `used`; below zero where a total was lowered under what is used. */
export function take(total: Resources, used: Resources): Resources {
  return combine(total, used, -1);
}

/** `free` with `returned` added. */
export function give(free: Resources, returned: Resources): Resources {
  return combine(free, returned, 1);
}

/** Occupied share of the scarcest resource, 0 to 1 and above when a total was lowered. */
export function loadOf(used: Resources, total: Resources): number {
  return Math.max(
    share(used.slots, total.slots),
    share(used.cpu, total.cpu),
    share(used.memoryGb, total.memoryGb),
    share(used.gpuMemoryGb, total.gpuMemoryGb),
  );
}

function combine(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    slots: a.slots + sign * b.slots,
    cpu: a.cpu + sign * b.cpu,
    memoryGb: a.memoryGb + sign * b.memoryGb,
    gpuMemoryGb: a.gpuMemoryGb + sign * b.gpuMemoryGb,
  };
}

function share(used: number, total: number): number {
  if (used <= 0) return 0;
  return total > 0 ? used / total : Number.POSITIVE_INFINITY;
}
