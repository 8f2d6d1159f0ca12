import { CIRCUIT, heldOf, taskOf } from '../../test/support/builders';
import type { Held } from './backlog';
import { Circuit } from './circuit';
import { instant } from './units';

const NOBODY: readonly Held[] = [];

const at = (ms: number): ReturnType<typeof instant> => instant(ms);
const heldSince = (ms: number): readonly Held[] => [heldOf(taskOf(), { reservedAt: at(ms) })];

/** A circuit that three faults have opened at 0: it is on trial from 5 000 on. */
function opened(): Circuit {
  const circuit = new Circuit();
  for (let i = 0; i < CIRCUIT.faults; i++) circuit.faulted(at(0), at(0), CIRCUIT);
  return circuit;
}

describe('Circuit', () => {
  it('opens with the third fault in a row', () => {
    const circuit = new Circuit();
    const faults = [1, 2, 3].map(() => circuit.faulted(at(0), at(0), CIRCUIT));
    expect(faults).toEqual([false, false, true]);
    expect(circuit.withholds(NOBODY, at(4_999))).toBe('circuit_open');
    expect(circuit.withholds(NOBODY, at(5_000))).toBeUndefined();
  });

  it('begins to count again with every start that was taken', () => {
    const circuit = new Circuit();
    for (let i = 0; i < 9; i++) {
      expect(circuit.faulted(at(i), at(i), CIRCUIT)).toBe(false);
      if (i % 2 === 1) expect(circuit.accepted()).toBe(false);
    }
    expect(circuit.isClosed).toBe(true);
  });

  it('rests for a second after a fault that does not open it', () => {
    const circuit = new Circuit();
    circuit.faulted(at(0), at(0), CIRCUIT);
    expect(circuit.withholds(NOBODY, at(999))).toBe('resting');
    expect(circuit.withholds(NOBODY, at(1_000))).toBeUndefined();
  });

  it('lets one attempt through after the pause, and no other beside it', () => {
    const circuit = opened();
    expect(circuit.withholds(heldSince(0), at(5_000))).toBeUndefined();
    expect(circuit.withholds(heldSince(5_000), at(9_000))).toBe('circuit_open');
  });

  it('closes when the trial is taken', () => {
    const circuit = opened();
    expect(circuit.accepted()).toBe(true);
    expect(circuit.isClosed).toBe(true);
    expect(circuit.withholds(heldSince(5_000), at(5_000))).toBeUndefined();
  });

  it('pauses twice as long when the trial goes wrong, up to the longest pause', () => {
    const circuit = opened();
    const pauses = [1, 2, 3, 4].map(() => {
      const now = circuit.restsUntil;
      expect(circuit.faulted(now, now, CIRCUIT)).toBe(true);
      return circuit.restsUntil - now;
    });
    expect(pauses).toEqual([10_000, 20_000, 20_000, 20_000]);
  });

  it('learns nothing from starts that were under way when it opened', () => {
    const circuit = opened();
    expect(circuit.faulted(at(0), at(100), CIRCUIT)).toBe(false);
    expect(circuit.faulted(at(0), at(6_000), CIRCUIT)).toBe(false);
    expect(circuit.restsUntil).toBe(5_000);
  });

  it('is on trial still when the trial finds the instance busy', () => {
    const circuit = opened();
    circuit.rest(at(6_000));
    expect(circuit.withholds(NOBODY, at(5_500))).toBe('circuit_open');
    expect(circuit.withholds(heldSince(6_000), at(6_000))).toBe('circuit_open');
  });

  it('never shortens a rest', () => {
    const circuit = new Circuit();
    circuit.rest(at(3_000));
    circuit.rest(at(1_000));
    expect(circuit.withholds(NOBODY, at(2_999))).toBe('resting');
  });

  it('takes more than a start out of quarantine: a task must succeed', () => {
    const circuit = new Circuit();
    circuit.quarantine(at(0), CIRCUIT);
    expect(circuit.withholds(NOBODY, at(59_999))).toBe('quarantined');
    expect(circuit.withholds(NOBODY, at(60_000))).toBeUndefined();
    expect(circuit.accepted()).toBe(false);
    expect(circuit.withholds(heldSince(60_000), at(60_000))).toBe('quarantined');
    expect(circuit.succeeded()).toBe(true);
    expect(circuit.isClosed).toBe(true);
  });

  it('is quarantined for longer each time, until a task succeeds', () => {
    const circuit = new Circuit();
    const ends = [0, 0, 0, 0].map((now) => {
      circuit.quarantine(at(now), CIRCUIT);
      return circuit.restsUntil;
    });
    expect(ends).toEqual([60_000, 120_000, 240_000, 240_000]);
    circuit.succeeded();
    circuit.quarantine(at(300_000), CIRCUIT);
    expect(circuit.restsUntil).toBe(360_000);
  });

  it('goes on counting faults in quarantine, and needs both remedies then', () => {
    const circuit = opened();
    circuit.quarantine(at(0), CIRCUIT);
    expect(circuit.succeeded()).toBe(true);
    expect(circuit.isClosed).toBe(false);
    expect(circuit.accepted()).toBe(true);
  });

  it('is tried at once when somebody has seen to the instance', () => {
    const circuit = opened();
    circuit.retry(at(100));
    expect(circuit.withholds(NOBODY, at(100))).toBeUndefined();
    expect(circuit.withholds(heldSince(100), at(100))).toBe('circuit_open');
  });

  it('lets a busy instance rest all the same', () => {
    const circuit = new Circuit();
    circuit.rest(at(1_000));
    circuit.retry(at(0));
    expect(circuit.withholds(NOBODY, at(0))).toBe('resting');
  });
});
