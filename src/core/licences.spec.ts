import { heldOf, jobOf, taskOf } from '../../test/support/builders';
import type { Held } from './backlog';
import { LicencePools } from './licences';

/** Pools, what occupies hosts, and how often it was said that something changed. */
function rig(): { pools: LicencePools; held: Held[]; changes: () => number } {
  const held: Held[] = [];
  let changes = 0;
  const pools = new LicencePools(
    () => held,
    () => changes++,
  );
  return { pools, held, changes: () => changes };
}

function drawing(tool: string, tokens: number): Held {
  return heldOf(taskOf({ job: jobOf({ tool, tokens }) }));
}

describe('LicencePools', () => {
  it('limits nothing while none is configured', () => {
    const { pools } = rig();
    expect([pools.poolOf('vcs'), pools.all(), pools.free().size]).toEqual([undefined, [], 0]);
    expect(pools.drawOf({ job: jobOf({ tool: 'vcs', tokens: 3 }) })).toEqual({ tokens: 0 });
  });

  it('has a pool per tool, and one for all others', () => {
    const { pools } = rig();
    pools.set('vcs', 4);
    expect([pools.poolOf('vcs'), pools.poolOf('other'), pools.poolOf('')]).toEqual([
      'vcs',
      undefined,
      undefined,
    ]);
    pools.set('default', 2);
    expect([pools.poolOf('vcs'), pools.poolOf('other'), pools.poolOf('')]).toEqual([
      'vcs',
      'default',
      'default',
    ]);
  });

  it('adds up what the jobs at hosts draw, anew each time', () => {
    const { pools, held } = rig();
    pools.set('vcs', 4);
    pools.set('default', 2);
    held.push(drawing('vcs', 3), drawing('other', 1), heldOf(taskOf()));
    expect(pools.all()).toEqual([
      { name: 'default', tokens: 2, used: 1 },
      { name: 'vcs', tokens: 4, used: 3 },
    ]);
    expect(pools.drawersOf('vcs')).toEqual(held.slice(0, 1));
    held.length = 0;
    expect(pools.all().map(({ used }) => used)).toEqual([0, 0]);
  });

  it('may be lowered under what is used', () => {
    const { pools, held } = rig();
    pools.set('vcs', 4);
    held.push(drawing('vcs', 3));
    pools.set('vcs', 1);
    expect([pools.all(), pools.free().get('vcs')]).toEqual([
      [{ name: 'vcs', tokens: 1, used: 3 }],
      -2,
    ]);
  });

  it('says when there is another number of tokens', () => {
    const { pools, changes } = rig();
    pools.set('vcs', 4);
    expect([pools.delete('vcs'), pools.delete('vcs'), changes()]).toEqual([true, false, 2]);
  });
});
