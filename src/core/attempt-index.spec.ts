import { heldOf, taskOf } from '../../test/support/builders';
import { AttemptIndex } from './attempt-index';
import type { Held } from './backlog';
import { dispatchId, instanceId } from './units';

const A = instanceId('a');
const B = instanceId('b');

function indexOf(...held: readonly Held[]): AttemptIndex {
  const index = new AttemptIndex();
  for (const one of held) index.add(one);
  return index;
}

describe('AttemptIndex', () => {
  it('finds an attempt by our id', () => {
    const held = heldOf(taskOf());
    const index = indexOf(held);
    expect(index.byDispatchId(held.attempt.dispatchId)).toBe(held);
    expect(index.byDispatchId(dispatchId('other'))).toBeUndefined();
    expect([index.size, ...index.all()]).toEqual([1, held]);
  });

  it('finds it by the worker’s id from the moment when that is known', () => {
    const held = heldOf(taskOf());
    const index = indexOf(held);
    expect(index.byRemoteId('r1')).toBeUndefined();
    index.named(held, 'r1');
    expect(index.byRemoteId('r1')).toBe(held);
    expect(held.attempt.remoteId).toBe('r1');
  });

  it('finds it under its last name only', () => {
    const held = heldOf(taskOf(), { remoteId: 'r1' });
    const index = indexOf(held);
    index.named(held, 'r2');
    index.named(held, 'r2');
    expect([index.byRemoteId('r1'), index.byRemoteId('r2')]).toEqual([undefined, held]);
  });

  it('means the newest where a restarted worker has handed out an id again', () => {
    const older = heldOf(taskOf(), { remoteId: 'r1', instanceId: A });
    const newer = heldOf(taskOf(), { remoteId: 'r1', instanceId: A });
    const index = indexOf(older, newer);
    expect(index.byRemoteId('r1')).toBe(newer);
    index.delete(newer.attempt.dispatchId);
    expect(index.byRemoteId('r1')).toBe(older);
  });

  it('tells instances apart that use the same ids', () => {
    const atA = heldOf(taskOf(), { remoteId: 'r1', instanceId: A });
    const atB = heldOf(taskOf(), { remoteId: 'r1', instanceId: B });
    const index = indexOf(atA, atB);
    expect([index.byRemoteId('r1', A), index.byRemoteId('r1', B)]).toEqual([atA, atB]);
    expect(index.byRemoteId('r1', instanceId('c'))).toBeUndefined();
  });

  it('forgets an attempt under both ids', () => {
    const held = heldOf(taskOf(), { remoteId: 'r1' });
    const index = indexOf(held);
    index.delete(held.attempt.dispatchId);
    index.delete(held.attempt.dispatchId);
    expect([index.byDispatchId(held.attempt.dispatchId), index.byRemoteId('r1')]).toEqual([
      undefined,
      undefined,
    ]);
    expect(index.size).toBe(0);
  });

  it('does not take in again what it has forgotten: the end was quicker than the name', () => {
    const held = heldOf(taskOf());
    const index = indexOf(held);
    index.delete(held.attempt.dispatchId);
    index.named(held, 'r1');
    expect(held.attempt.remoteId).toBe('r1');
    expect(index.byRemoteId('r1')).toBeUndefined();
  });
});
