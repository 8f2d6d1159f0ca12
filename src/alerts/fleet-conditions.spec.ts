import { draftOf, fleetRig, instanceDraftOf, QUEUE, submitted } from '../../test/support/builders';
import type { OpenCondition } from '../persistence/alerts.repository';
import { FleetConditions } from './fleet-conditions';

const STUCK_MS = 600_000;

function rigOf() {
  const { fleet, clock } = fleetRig();
  return { fleet, clock, conditions: new FleetConditions(fleet, clock, STUCK_MS) };
}

const open = (kind: OpenCondition['kind'], subject: string): OpenCondition => ({
  id: 'a',
  kind,
  subject,
});

describe('FleetConditions', () => {
  it('tells of an instance that is lost, until it is heard of or removed', () => {
    const { fleet, conditions } = rigOf();
    const one = fleet.addInstance(instanceDraftOf('i-1'));
    const two = fleet.addInstance(instanceDraftOf('i-2'));
    expect(conditions.look()).toEqual([]);
    for (const instance of [one, two]) fleet.updateInstance(instance, { health: 'lost' });
    expect(conditions.look()).toMatchObject([
      { kind: 'host_lost', subject: 'i-1', message: 'instance i-1 is lost' },
      { kind: 'host_lost', subject: 'i-2' },
    ]);
    expect(conditions.isOver(open('host_lost', 'i-1'))).toBe(false);
    fleet.updateInstance(one, { health: 'suspect' });
    expect(conditions.isOver(open('host_lost', 'i-1'))).toBe(false);
    fleet.updateInstance(one, { health: 'online' });
    fleet.removeInstance(two);
    expect(conditions.look()).toEqual([]);
    expect(conditions.isOver(open('host_lost', 'i-1'))).toBe(true);
    expect(conditions.isOver(open('host_lost', 'i-2'))).toBe(true);
  });

  it('tells of a queue whose tasks wait while none of it runs for long', () => {
    const { fleet, clock, conditions } = rigOf();
    const silent = fleet.addInstance(instanceDraftOf('i-1', 1, { health: 'suspect' }));
    submitted(fleet, draftOf());
    expect(conditions.look()).toEqual([]);
    clock.advance(STUCK_MS - 1);
    expect(conditions.look()).toEqual([]);
    clock.advance(1);
    expect(conditions.look()).toMatchObject([
      {
        kind: 'queue_stuck',
        subject: QUEUE,
        message: 'queue model "m" is stuck: 1 task waits, and none has run for 10 min',
        details: { queue: QUEUE, waiting: 1, instances: 1 },
      },
    ]);
    expect(conditions.isOver(open('queue_stuck', QUEUE))).toBe(false);
    fleet.updateInstance(silent, { health: 'online' });
    fleet.placeWaiting(1);
    expect(conditions.look()).toEqual([]);
    expect(conditions.isOver(open('queue_stuck', QUEUE))).toBe(true);
  });

  it('does not take a queue for stuck in which something runs, or that is paused', () => {
    const { fleet, clock, conditions } = rigOf();
    fleet.addInstance(instanceDraftOf('i-1'));
    submitted(fleet, draftOf());
    submitted(fleet, draftOf());
    fleet.placeWaiting(1);
    conditions.look();
    clock.advance(10 * STUCK_MS);
    expect(conditions.look()).toEqual([]);
    const other = rigOf();
    other.fleet.addInstance(instanceDraftOf('i-1', 1, { health: 'suspect' }));
    submitted(other.fleet, draftOf());
    other.fleet.configure(QUEUE, { paused: true });
    other.conditions.look();
    other.clock.advance(10 * STUCK_MS);
    expect(other.conditions.look()).toEqual([]);
  });

  it('begins to count anew when something ran meanwhile', () => {
    const { fleet, clock, conditions } = rigOf();
    fleet.addInstance(instanceDraftOf('i-1', 1, { health: 'suspect' }));
    submitted(fleet, draftOf());
    conditions.look();
    clock.advance(STUCK_MS - 1);
    fleet.configure(QUEUE, { paused: true });
    conditions.look();
    fleet.configure(QUEUE, { paused: false });
    conditions.look();
    clock.advance(STUCK_MS - 1);
    expect(conditions.look()).toEqual([]);
    clock.advance(1);
    expect(conditions.look()).toHaveLength(1);
  });

  it('takes a queue that is gone for over', () => {
    const { conditions } = rigOf();
    expect(conditions.isOver(open('queue_stuck', 'model/other'))).toBe(true);
    expect(conditions.isOver(open('host_lost', 'i-9'))).toBe(true);
  });
});
