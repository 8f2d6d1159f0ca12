import { fleetRig, hostDraftOf, jobDraftOf, submitted } from '../../test/support/builders';
import type { Fleet } from '../core/fleet';
import type { TaskDraft } from '../core/task';
import { instant } from '../core/units';
import { whyWaiting } from './why-waiting';

function why(fleet: Fleet, overrides: Partial<TaskDraft> = {}): string {
  return whyWaiting(submitted(fleet, jobDraftOf(overrides)).task, fleet, instant(0));
}

const needs = { labels: {}, tool: '', tokens: 0, retryLimit: 0 };

describe('whyWaiting', () => {
  it('says that there is no host', () => {
    expect(why(fleetRig().fleet)).toBe('no host is registered: it waits for one');
  });

  it('says that no host could ever hold it, and what one would have to have', () => {
    const { fleet } = fleetRig();
    fleet.addInstance(hostDraftOf('a', 4));
    const demand = { slots: 8, cpu: 2, memoryGb: 1, gpuMemoryGb: 0 };
    const job = { ...needs, labels: { os: 'linux' } };
    expect(why(fleet, { demand, job })).toBe(
      'no registered host could ever hold it: it waits for one with slots=8, cpu=2, memory_gb=1, os=linux',
    );
  });

  it('says that its licence pool is too small', () => {
    const { fleet } = fleetRig();
    fleet.addInstance(hostDraftOf('a', 4));
    fleet.licences.set('innovus', 2);
    const job = { ...needs, tool: 'innovus', tokens: 3 };
    expect(why(fleet, { job })).toBe(
      'it asks for 3 tokens of the licence pool "innovus", which has 2',
    );
  });

  it('counts the hosts that cannot take it now, by reason', () => {
    const { fleet } = fleetRig();
    fleet.addInstance(hostDraftOf('a', 4));
    fleet.addInstance({ ...hostDraftOf('b', 4), health: 'suspect' });
    fleet.addInstance({ ...hostDraftOf('c', 4), health: 'suspect' });
    fleet.licences.set('default', 1);
    const job = { ...needs, tokens: 1 };
    expect(why(fleet, { job })).toBe('it waits; hosts: 1 held_back, 2 suspect');
  });
});
