import {
  draftOf,
  fleetRig,
  instanceDraftOf,
  placeAll,
  placeOf,
  settingsOf,
  submitted,
} from '../../test/support/builders';
import type { FakeClock } from '../../test/support/fake-clock';
import type { CircuitNotice } from './circuits';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import { checkInvariants } from './invariants';
import { ONE_SLOT } from './resources';
import type { Outcome, Task } from './task';

const SUCCESS: Outcome = { kind: 'succeeded', executionMs: 5 };
const REJECTED: Outcome = {
  kind: 'failed',
  failure: 'start_error',
  message: '400',
  executionMs: null,
};
const FAILURE: Outcome = {
  kind: 'failed',
  failure: 'worker_error',
  message: 'out of memory',
  executionMs: 5,
};

/** A fleet of two instances with that many slots, and what is said about their circuits. */
class Rig {
  readonly said: string[] = [];
  readonly fleet: Fleet;
  readonly clock: FakeClock;
  readonly bad: Instance;
  readonly good: Instance;

  constructor(slots = 1, strategy = 'earliest') {
    const notice = ({ instance, state, pauseMs }: CircuitNotice): void =>
      void this.said.push(`${instance.name} ${state} ${pauseMs}`);
    const rig = fleetRig({ notice, defaults: settingsOf(strategy) });
    this.fleet = rig.fleet;
    this.clock = rig.clock;
    this.bad = this.fleet.addInstance(instanceDraftOf('bad', slots));
    this.good = this.fleet.addInstance(instanceDraftOf('good', slots));
  }

  submit(): Task {
    return submitted(this.fleet, draftOf()).task;
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    this.fleet.stir();
    placeAll(this.fleet);
    expect(checkInvariants(this.fleet)).toEqual([]);
  }

  why(instance: Instance): string | undefined {
    return instance.infeasible(ONE_SLOT, this.clock.now());
  }

  /** Starts there go wrong until the circuit opens. */
  open(): void {
    const { fleet, bad } = this;
    for (const { attempt } of [...bad.backlog.held]) fleet.circuits.faulted(bad, attempt);
  }

  /** Tasks at the instance end like this, one after the other; the other one keeps what it has. */
  end(instance: Instance, outcome: Outcome, times = 1): void {
    for (let i = 0; i < times; i++) {
      for (let tries = 0; tries < 2 && instance.backlog.heldCount === 0; tries++) this.submit();
      this.pass(1);
      const [held] = instance.backlog.held;
      if (!held) throw new Error(`${instance.name} has nothing`);
      this.fleet.course.ended(held, outcome);
    }
  }
}

describe('Fleet', () => {
  describe('an instance whose starts go wrong', () => {
    it('gets no new work, and its waiting tasks go elsewhere', () => {
      const rig = new Rig(3);
      for (let i = 0; i < 6; i++) rig.submit();
      const waiting = [1, 2, 3].map(() => rig.submit());
      rig.open();
      expect([rig.why(rig.bad), rig.said]).toEqual(['circuit_open', ['bad open 5000']]);
      for (const held of [...rig.bad.backlog.held]) rig.fleet.course.lost(held, 'no answer');
      rig.pass(0);
      expect(waiting.map(placeOf)).toEqual(['queued good', 'queued good', 'queued good']);
    });

    it('loses what an early-binding strategy has bound to it', () => {
      const rig = new Rig(3, 'round_robin');
      for (let i = 0; i < 8; i++) rig.submit();
      expect(rig.bad.line.size).toBe(1);
      rig.open();
      rig.pass(0);
      expect([rig.bad.line.size, rig.good.line.size]).toEqual([0, 2]);
    });

    it('is tried with one task when its pause is over', () => {
      const rig = new Rig(3);
      for (let i = 0; i < 6; i++) rig.submit();
      rig.open();
      for (const held of [...rig.bad.backlog.held]) rig.fleet.course.lost(held, 'no answer');
      for (let i = 0; i < 3; i++) rig.submit();
      rig.pass(5_000);
      expect([rig.bad.backlog.heldCount, rig.why(rig.bad)]).toEqual([1, 'circuit_open']);
      rig.fleet.circuits.accepted(rig.bad);
      rig.pass(0);
      expect([rig.bad.backlog.heldCount, rig.why(rig.bad)]).toEqual([3, undefined]);
      expect(rig.said).toEqual(['bad open 5000', 'bad closed 0']);
    });

    it('leaves nobody bound to an instance that is lost while it is tried', () => {
      const rig = new Rig(1, 'shortest_queue');
      const { fleet, bad, good } = rig;
      fleet.updateInstance(good, { drainAsked: true });
      rig.submit();
      for (let n = 0; n < 3; n++) rig.open();
      rig.pass(20_000);
      const task = rig.submit();
      expect([bad.line.has(task), bad.holdsOn]).toEqual([true, false]);
      fleet.updateInstance(bad, { health: 'lost' });
      expect(bad.line.size).toBe(0);
      fleet.updateInstance(good, { drainAsked: false });
      rig.pass(1);
      expect(placeOf(task)).toBe('dispatching good');
    });

    it('pauses again when the trial comes to nothing', () => {
      const rig = new Rig(3);
      for (let i = 0; i < 6; i++) rig.submit();
      rig.open();
      for (const held of [...rig.bad.backlog.held]) rig.fleet.course.lost(held, 'no answer');
      rig.pass(5_000);
      const [trial] = rig.bad.backlog.held;
      if (!trial) throw new Error('no trial');
      rig.fleet.circuits.faulted(rig.bad, trial.attempt);
      rig.fleet.course.returned(trial, 'refused');
      rig.pass(9_999);
      expect([rig.bad.backlog.heldCount, rig.why(rig.bad)]).toEqual([0, 'circuit_open']);
      rig.pass(1);
      expect(rig.bad.backlog.heldCount).toBe(1);
    });

    it('is tried at once when it registers anew', () => {
      const rig = new Rig(3);
      for (let i = 0; i < 6; i++) rig.submit();
      rig.open();
      rig.fleet.updateInstance(rig.bad, { health: 'online' });
      expect(rig.why(rig.bad)).toBe('circuit_open');
      rig.clock.advance(1);
      rig.fleet.circuits.retry(rig.bad);
      expect(rig.why(rig.bad)).toBeUndefined();
    });
  });

  describe('an instance that fails what others complete', () => {
    it('is quarantined, and tried with one task after a while', () => {
      const rig = new Rig(2);
      rig.end(rig.bad, FAILURE);
      rig.end(rig.good, SUCCESS, 12);
      rig.end(rig.bad, FAILURE, 4);
      expect([rig.why(rig.bad), rig.said]).toEqual(['quarantined', ['bad quarantined 60000']]);
      rig.pass(60_000);
      for (let i = 0; i < 5; i++) rig.submit();
      rig.pass(0);
      rig.fleet.circuits.accepted(rig.bad);
      expect([rig.bad.backlog.heldCount, rig.why(rig.bad)]).toEqual([1, 'quarantined']);
      const [held] = rig.bad.backlog.held;
      if (!held) throw new Error('no trial');
      rig.fleet.course.ended(held, SUCCESS);
      expect([rig.why(rig.bad), rig.said.at(-1)]).toEqual([undefined, 'bad closed 0']);
    });

    it('goes back into quarantine, for longer, when the trial fails too', () => {
      const rig = new Rig();
      rig.end(rig.bad, FAILURE);
      rig.end(rig.good, SUCCESS, 12);
      rig.end(rig.bad, FAILURE, 4);
      rig.pass(60_000);
      rig.end(rig.bad, FAILURE);
      expect(rig.said).toEqual(['bad quarantined 60000', 'bad quarantined 120000']);
    });

    it('takes no task that others complete, and is found out too', () => {
      const rig = new Rig();
      rig.end(rig.bad, REJECTED);
      rig.end(rig.good, SUCCESS, 12);
      rig.end(rig.bad, REJECTED, 4);
      expect(rig.said).toEqual(['bad quarantined 60000']);
    });

    it('is left in peace when its tasks are refused by everybody', () => {
      const rig = new Rig();
      rig.end(rig.bad, REJECTED, 9);
      rig.end(rig.good, REJECTED, 9);
      expect(rig.said).toEqual([]);
    });
  });
});
