import { draftOf } from '../../test/support/builders';
import { PlacementLine, type WaitingPlacement } from './placement-line';
import { PLACEMENT_QUEUE } from './queue';
import { NOTHING, ONE_SLOT } from './resources';
import { newTask } from './task';
import { instant, taskId } from './units';

const NOW = instant(1_000);

function waiting(
  id: string,
  fields: { priority?: number; at?: number; tags?: readonly string[]; cpu?: number } = {},
): WaitingPlacement {
  const { priority = 0, at = 0, tags = [], cpu = 0 } = fields;
  const demand = { ...NOTHING, ...ONE_SLOT, cpu };
  const draft = draftOf({ id: taskId(id), priority, submittedAt: instant(at), demand });
  return { task: newTask(draft, PLACEMENT_QUEUE), tags };
}

/** Who was tried, in which order, when only some fit. */
function tried(
  line: PlacementLine<WaitingPlacement>,
  fits: (waiting: WaitingPlacement) => boolean,
): readonly string[] {
  const order: string[] = [];
  line.serve((one) => {
    order.push(one.task.id);
    return fits(one);
  }, NOW);
  return order;
}

function lineOf(...all: readonly WaitingPlacement[]): PlacementLine<WaitingPlacement> {
  const line = new PlacementLine();
  for (const one of all) line.add(one);
  return line;
}

describe('PlacementLine', () => {
  it('serves by priority, then by age', () => {
    const line = lineOf(
      waiting('young', { at: 3 }),
      waiting('old', { at: 1 }),
      waiting('urgent', { at: 9, priority: 5 }),
      waiting('elsewhere', { at: 2, tags: ['gpu'] }),
    );
    expect(tried(line, () => true)).toEqual(['urgent', 'old', 'elsewhere', 'young']);
    expect(line.size).toBe(0);
  });

  it('does not try those behind one of equal needs that does not fit', () => {
    const line = lineOf(
      waiting('a', { tags: ['x', 'y'] }),
      waiting('b', { tags: ['y', 'x', 'x'], at: 1 }),
      waiting('c', { tags: ['x', 'y'], cpu: 2, at: 2 }),
      waiting('d', { at: 3 }),
    );
    expect(tried(line, ({ task }) => task.id === taskId('d'))).toEqual(['a', 'c', 'd']);
    expect(line.all().map(({ task }) => task.id)).toEqual(['a', 'b', 'c']);
  });

  it('lets go who leaves, once', () => {
    const [one, other] = [waiting('one'), waiting('other', { at: 1 })];
    const line = lineOf(one, other);
    expect(line.remove(one)).toBe(true);
    expect(line.remove(one)).toBe(false);
    expect(tried(line, () => true)).toEqual(['other']);
  });
});
